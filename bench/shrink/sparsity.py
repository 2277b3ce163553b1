"""ResNet-20 with 85 % of its weights zero: PDP against magnitude, from the same network, for the same epochs.

    .venv/bin/python bench/shrink/sparsity.py [--share 0.85] [--epochs 8] [--budget lamp] [--folder FOLDER]

Both grow their masks over the first half of the tuning and keep them from three quarters on; nothing else differs.
The interval of the difference is that of matched pairs, exact, at 95 %. An epoch costs half a CPU minute. With
--folder, a training that was stopped goes on, and one that is done is not repeated.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import networks

from linnet import evidence, export, nn, shrink, tasks, train
from linnet.data.augment import Augment

AUGMENT = [{"step": "padded_crop"}, {"step": "flip"}, {"step": "erase", "chance": 0.7}]
OPTIONS = train.Options(optimizer="sgd", learning_rate=0.05, weight_decay=5e-4, batch=128, schedule="cosine",
                        precision="bfloat16", keep="last")
LEVEL = 0.95


def sparse(network: networks.Network, how: str, given: argparse.Namespace, folder: Path) -> nn.Model:
    """The network with its small weights gone, tuned."""
    plan = shrink.Plan().plus("sparsify", share=given.share, how=how, budget=given.budget)
    if (folder / "done" / "model.safetensors").exists():
        return nn.load(folder / "done")
    start = time.process_time()
    options = replace(OPTIONS, label_smoothing=0.0, teacher_weight=0.9) if given.teacher else OPTIONS
    model = shrink.apply(plan, network.model, network.task, network.splits, epochs=given.epochs, seed=given.seed,
                         augment=Augment.from_json(AUGMENT), options=options, folder=folder,
                         teacher=network.model if given.teacher else None)
    print(f"{how}: {time.process_time() - start:.0f} CPU seconds", flush=True)
    nn.save(model, folder / "done")
    return model


def zeros(model: nn.Model) -> float:
    """The share of zeros in the layers that are stored sparse."""
    weights = [model.module.get_submodule(layer).get_parameter("weight") for layer in model.encoding.sparse]
    return sum(int((weight == 0).sum()) for weight in weights) / max(1, sum(weight.numel() for weight in weights))


def against(name: str, after: evidence.Scores, before: evidence.Scores) -> str:
    """A row: the difference in points with its interval."""
    worsened = int((after.score < before.score).sum())
    improved = int((after.score > before.score).sum())
    low, high = evidence.comparisons.paired_difference(worsened, improved, len(after), LEVEL)
    return f"| {name} | {100 * (after.mean - before.mean):+.2f} | {100 * low:+.2f} to {100 * high:+.2f} |"


def main() -> None:
    """Tune twice; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.85)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--budget", default="lamp")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--teacher", action="store_true", help="the float network teaches both")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    network = networks.load("ResNet-20")
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        models = {"float": network.model,
                  **{how: sparse(network, how, given, folder / how) for how in ("magnitude", "pdp")}}
        scores = {name: tasks.evaluate(model, network.task, network.splits.test) for name, model in models.items()}
        print(f"\n{given.share:.0%} of the weights, {given.epochs} epochs, budget {given.budget}, seed {given.seed}, "
              f"{len(network.splits.test)} test images\n\n| difference | points | 95 % interval |\n|---|---|---|")
        for name, pair in {"magnitude - float": ("magnitude", "float"), "pdp - float": ("pdp", "float"),
                           "pdp - magnitude": ("pdp", "magnitude")}.items():
            print(against(name, scores[pair[0]], scores[pair[1]]), flush=True)
        print("\n| network | accuracy | zeros | file KB |\n|---|---|---|---|")
        for name, model in models.items():
            file = export.write(model, network.task, Path(made) / f"{name}.onnx")
            print(f"| {name} | {scores[name].mean:.4f} | {zeros(model):.3f} | {file.stat().st_size / 1e3:.0f} |",
                  flush=True)


if __name__ == "__main__":
    main()
