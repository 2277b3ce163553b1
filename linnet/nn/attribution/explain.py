"""explained: maps together with the tests that say whether they may be believed."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linnet.data import Dataset
from linnet.evidence.settings import check_seed
from linnet.introspect import Findings
from linnet.introspect import attribution as judged
from linnet.nn.attribution.attribute import attribute, samples_of
from linnet.nn.attribution.attributions import Attributions
from linnet.nn.attribution.look import Look, make_look
from linnet.nn.attribution.route import Batch
from linnet.nn.layers import fold_normalisation
from linnet.nn.model import Model
from linnet.progress import Progress
from linnet.tasks import Arrays, Predictor, Task

_TESTED = 64
"""Samples on which maps are tested: enough for the intervals, and about what the maps themselves cost."""
_KEPT = tuple(share / 10 for share in range(1, 10))
_STAGES, _DRAWS, _NODES = 3, 2, 32


@dataclass(frozen=True, eq=False)
class Explanation:
    """Maps, and what the tests of them found ("attribution"): completeness, faithfulness, sanity."""

    maps: Attributions
    findings: Findings


def explained(model: Model | Predictor, task: Task, given: Dataset | Sequence[Any], *,
              method: str = "integrated_gradients", target: str | Sequence[str] | None = None,
              layer: str | None = None, progress: Progress | None = None, **settings: Any) -> Explanation:
    """`attribute`, and then its tests on the first 64 samples, as `introspect.attribution` judges them.

    Completeness (integrated gradients); faithfulness, for maps that lie on the input itself; sanity, for what has
    weights to randomise. A test that could not be made is named in the findings' facts ("not_tested", with the
    reason). `settings["seed"]` (0) draws the random orders and weights. The tests cost about five times what the maps
    of so many samples cost.
    """
    seed = check_seed(settings.get("seed", 0) if method == "smoothgrad" else settings.pop("seed", 0))
    maps = attribute(model, task, given, method=method, target=target, layer=layer, progress=progress, **settings)
    some = samples_of(task, given, 0, _TESTED)
    count, looks, skipped = len(some), list[Findings](), dict[str, str]()
    if maps.sums is not None and maps.difference is not None:
        looks.append(judged.completeness(maps.sums, maps.difference, ids=maps.ids,
                                         tolerance=float(settings.get("tolerance", 0.01))))
    else:
        skipped["completeness"] = f"{method} makes no promise of a sum"
    arrays = task.prepare(some)
    look = make_look(model, arrays, method=method, layer=layer, settings=settings)
    if maps.space in ("layer", "time"):
        skipped["faithfulness"] = "the maps do not lie on single places of what the network is given"
    elif not task.labels:
        skipped["faithfulness"] = "the answers are no probabilities"
    else:
        if look.name == "grad_cam" and isinstance(model, Model):  # its places are a layer's, its maps the picture's
            look = make_look(model, arrays, method="saliency", layer=None, settings={"rows": look.rows})
        looks.append(_faithfulness(look, _first(maps, count), task, arrays, seed))
    if isinstance(model, Model):
        cheaper = {**settings, "nodes": _NODES} if method == "integrated_gradients" else settings
        looks.append(_sanity(model, task, some, _first(maps, count), {"method": method, "layer": layer, **cheaper},
                             seed))
    else:
        skipped["sanity"] = "a shipped file has no weights that can be randomised"
    found = judged.together(*looks)
    return Explanation(maps, replace(found, facts={**found.facts, "not_tested": skipped, "method": method, "seed": seed,
                                                   "samples": len(maps), "tested": count}))


def _first(maps: Attributions, count: int) -> Attributions:
    return replace(maps, values=maps.values[:count], targets=maps.targets[:count], ids=maps.ids[:count],
                   texts=maps.texts[:count])


def _faithfulness(look: Look, maps: Attributions, task: Task, arrays: Arrays, seed: int) -> Findings:
    curves: dict[str, NDArray[np.float64]] = {name: np.zeros((len(maps), len(_KEPT)))
                                              for name in ("deletion", "insertion", "random")}
    random = np.random.default_rng(seed)
    targets = np.array([task.labels.index(label) for label in maps.targets])
    for rows, some in look.groups(arrays):
        batch = look.route.enter(some, look.baseline)
        values = maps.values[rows][:, : batch.values.shape[1]] if maps.space == "tokens" else maps.values[rows]
        flat = values.reshape(len(rows), -1)
        orders = {"deletion": [np.argsort(flat, axis=1, kind="stable")],
                  "insertion": [np.argsort(-flat, axis=1, kind="stable")],
                  "random": [random.permuted(np.tile(np.arange(flat.shape[1]), (len(rows), 1)), axis=1)
                             for _ in range(_DRAWS)]}
        for name, several in orders.items():
            answers = [_curve(look, batch, order, values.shape[1:], targets[rows]) for order in several]
            curves[name][rows] = np.mean(answers, axis=0)
    return judged.faithfulness(curves["deletion"], curves["insertion"], curves["random"], kept=_KEPT)


def _curve(look: Look, batch: Batch, order: NDArray[np.intp], shape: tuple[int, ...],
           targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The target's probability when the first so many of each sample's places, in its order, are left."""
    steps = []
    for share in _KEPT:
        kept = np.zeros(order.shape, np.bool_)
        np.put_along_axis(kept, order[:, : round(share * order.shape[1])], True, axis=1)
        mask = _spread(torch.from_numpy(kept.reshape(-1, *shape)).to(batch.values.device), batch.values)
        values = torch.where(mask, batch.values, batch.baseline)
        chances = look.answers(values, batch.inputs).double().softmax(1).cpu().numpy()
        steps.append(chances[np.arange(len(targets)), targets])
    return np.stack(steps, axis=1)


def _spread(mask: Tensor, values: Tensor) -> Tensor:
    """A mask of places over the channels, wherever they are; larger places over what they were made of."""
    if mask.ndim == values.ndim:
        return mask
    axis = 1 if values.ndim == 4 and values.shape[2:] == mask.shape[1:] else -1
    return mask.unsqueeze(axis)


def _sanity(model: Model, task: Task, some: Sequence[Any], maps: Attributions, how: Mapping[str, Any],
            seed: int) -> Findings:
    made: dict[str, list[NDArray[np.float32]]] = {}
    for name, network in randomised(model, seed=seed):
        other = attribute(replace(model, module=network), task, some,
                          target=list(maps.targets) if task.labels else None, **how)
        made[name] = list(other.maps())
    return judged.sanity(maps.maps(), made)


def randomised(model: Model, *, seed: int = 0) -> list[tuple[str, nn.Module]]:
    """Copies with ever more of the weights shuffled within their arrays, from the last layer on; the last with all.

    Shuffling keeps each array's distribution, so that no layer falls silent; normalisations are folded first, so that
    what they measured of the training data goes too. Names say from which layer on.
    """
    network = fold_normalisation(model.module)
    random = torch.Generator().manual_seed(seed)
    owners = [(name, unit) for name, unit in network.named_modules() if list(unit.parameters(recurse=False))]
    stages: list[tuple[str, nn.Module]] = []
    cuts = {max(1, round(len(owners) * stage / _STAGES)) for stage in range(1, _STAGES + 1)} | {1}
    for done, (name, unit) in enumerate(reversed(owners), start=1):
        with torch.no_grad():
            for weights in unit.parameters(recurse=False):
                order = torch.randperm(weights.numel(), generator=random).to(weights.device)
                weights.copy_(weights.flatten()[order].view_as(weights))
        if done in cuts:
            stages.append((f"from {name} on" if done < len(owners) else "all weights", copy.deepcopy(network)))
    return stages
