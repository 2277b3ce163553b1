"""Our plan for each network of table.py, chosen on the validation part; a tuning that was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from networks import Network

from linnet import introspect, nn, shrink, train
from linnet.data.augment import Augment
from linnet.shrink.importance import plan_by_importance

TITLES = {"int8": "Linnet, int8 alone", "small": "Linnet, a plan", "mild": "Linnet, a milder plan"}
IMAGES = [{"step": "padded_crop"}, {"step": "flip"}, {"step": "erase", "chance": 0.7}]


def int8(network: Network, _: Path) -> nn.Model:
    """Post-training int8 and nothing else."""
    return shrink.apply(shrink.Plan().quantize(), network.model, network.task, network.splits)


def digits(network: Network, folder: Path) -> nn.Model:
    """Half of the channels, tuned beside the whole network as the teacher; int8."""
    model = network.model
    found = introspect.redundancy(model.responses(network.task, network.splits.validation, layers=model.removable))
    return shrink.apply(shrink.plan(found, keep=0.5).quantize(), model, network.task, network.splits, teacher=model,
                        epochs=40, augment="speech", folder=folder)


def narrow(network: Network, folder: Path) -> nn.Model:
    """ResNet-20 with half of its multiplications: blocks go, then channels by sixteens; tuned for 25 epochs."""
    plan = plan_by_importance(network.model, network.task, network.splits, keep=0.5, blocks=4, multiple=16)
    options = train.Options(optimizer="sgd", schedule="cosine", learning_rate=0.1, batch=128, keep="last", ema=0.998,
                            precision="bfloat16", weight_decay=5e-4, label_smoothing=0.0, teacher_weight=0.9)
    return shrink.apply(plan, network.model, network.task, network.splits, teacher=network.model, epochs=25,
                        augment=Augment.from_json(IMAGES), options=options, folder=folder / "pruned")


def images(network: Network, folder: Path) -> nn.Model:
    """Half of the multiplications, then palettes of 4 bits, tuned again; int8."""
    options = train.Options(learning_rate=1e-3, weight_decay=1e-4, batch=128, schedule="cosine", precision="bfloat16",
                            keep="last", label_smoothing=0.0, teacher_weight=0.9)
    return shrink.apply(shrink.Plan().plus("palettize", bits=4).quantize(), narrow(network, folder), network.task,
                        network.splits, teacher=network.model, epochs=5, augment=Augment.from_json(IMAGES),
                        options=options, folder=folder / "palettes")


def mild(network: Network, folder: Path) -> nn.Model:
    """Palettes of 2 bits for every layer of the whole ResNet-20, tuned beside its float self; int8."""
    options = train.Options(learning_rate=1e-3, weight_decay=1e-4, batch=128, schedule="cosine", precision="bfloat16",
                            keep="last", label_smoothing=0.0, teacher_weight=0.9)
    return shrink.apply(shrink.Plan().plus("palettize", bits=2).quantize(), network.model, network.task,
                        network.splits, teacher=network.model, epochs=6, augment=Augment.from_json(IMAGES),
                        options=options, folder=folder)


def phones(network: Network, folder: Path) -> nn.Model:
    """Palettes of 3 bits, tuned; int8. Two bits, or half of the multiplications, lost 2.9 points with a teacher."""
    options = train.Options(learning_rate=5e-4, batch=8, clip=1.0, keep="last", schedule="cosine")
    return shrink.apply(shrink.Plan().plus("palettize", bits=3).quantize(), network.model, network.task, network.splits,
                        epochs=4, options=options, folder=folder)


def intents(network: Network, folder: Path) -> nn.Model:
    """Half of the multiplications; palettes of 3 bits, also for the words; int8; tuned at once."""
    plan = plan_by_importance(network.model, network.task, network.splits, keep=0.5, multiple=8)
    options = train.Options(learning_rate=1e-3, weight_decay=0.01, clip=1.0, keep="last", label_smoothing=0.0,
                            teacher_weight=0.9)
    return shrink.apply(plan.plus("palettize", bits=3, edges=None).quantize(), network.model, network.task,
                        network.splits, teacher=network.model, epochs=30, augment=[{"step": "word_dropout"}],
                        options=options, folder=folder)


PLANS: dict[str, dict[str, Callable[[Network, Path], nn.Model]]] = {
    "DS-CNN": {"int8": int8, "small": digits}, "ResNet-20": {"int8": int8, "small": images, "mild": mild},
    "conformer": {"int8": int8, "small": phones}, "transformer": {"int8": int8, "small": intents}}


def made(network: Network, name: str, folder: Path) -> nn.Model:
    """Our model of this name."""
    return PLANS[network.name][name](network, folder)
