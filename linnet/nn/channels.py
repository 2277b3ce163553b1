"""Take output channels away for good: smaller weights, no masks, faster on any engine."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from linnet.errors import LinnetError
from linnet.nn.dependencies import Dependencies, dependencies, examples, sets_of
from linnet.nn.model import Model
from linnet.nn.resize import Attributes, slice_in_place, tell, with_resize
from linnet.nn.zoo import MODULES, build

_LAYERS = "layers."


def dependencies_of(model: Model) -> Dependencies:
    """The groups of channels, units and heads of a model, seen in one run on two random samples."""
    device = next((parameter.device for parameter in model.module.parameters()), torch.device("cpu"))
    return dependencies(model.module, [tensor.to(device) for tensor in examples(model.spec)])


def remove_channels(model: Model, units: Mapping[str, Iterable[int]]) -> Model:
    """The model without these output channels of these layers; weights of what stays are sliced, not changed.

    A layer is named as in `model.layers`, or by its path in the module ("block1.wide"). With a channel goes whatever
    depends on it: the same channel of the layers with which it is added, its place in the layers that read it. Raises
    LinnetError for an unknown layer, a channel that does not exist, one that must stay or goes only with others of its
    layer (a head, a gate), a layer that would lose all of them, and a module that cannot run with the new sizes.
    """
    wanted = {layer: sorted(set(indices)) for layer, indices in units.items()}
    found = dependencies_of(model)
    going: set[int] = set()
    for layer, indices in wanted.items():
        going |= sets_of(found, layer, path_of(model.module, layer), indices)
    for group in found.groups:
        if going.issuperset(group.sets):
            raise LinnetError(f"layer '{group.name.removeprefix(_LAYERS)}' would lose all of its {group.outputs.size} "
                              "channels; keep at least one.")
    if not going:
        return replace(model, module=copy.deepcopy(model.module))
    return _cut(model, found, going)


def path_of(module: nn.Module, layer: str) -> str:
    """The path of a layer in the module: that under "layers", where the zoo has its own, comes first."""
    paths = dict(module.named_modules())
    return _LAYERS + layer if _LAYERS + layer in paths else layer


def _cut(model: Model, found: Dependencies, going: Collection[int]) -> Model:
    if model.encoding.scales or model.encoding.ranges:
        raise LinnetError(f"model '{model.name}' has learned the scales of its channels; remove channels before it is "
                          "tuned for few bits.")
    smaller = copy.deepcopy(model.module)
    shapes = slice_in_place(smaller, found.kept_positions(going))
    attributes = _told(found, going, smaller, model)
    rebuilt = _rebuilt(model, found, going, smaller)
    if rebuilt is not None:
        return replace(model, module=rebuilt.module.train(model.module.training), spec=rebuilt.spec)
    return replace(model, module=smaller, spec=with_resize(model.spec, shapes, attributes))


def _told(found: Dependencies, going: Collection[int], smaller: nn.Module, model: Model) -> Attributes:
    """Numbers of the module's own parts that had to be set so that it runs as foreseen: the fewest that will do."""
    reason = ""
    for attributes in _guesses(found, going, smaller):
        before = {path: {name: getattr(smaller.get_submodule(path), name) for name in numbers}
                  for path, numbers in attributes.items()}
        tell(smaller, attributes)
        try:
            seen = dependencies(smaller, examples(model.spec))
        except LinnetError as error:
            reason = str(error)
        else:
            where = found.disagreement(going, seen.tape)
            if where is None:
                return attributes
            reason = f"'{where}' gives another shape than it should"
        tell(smaller, before)
    raise LinnetError(f"model '{model.name}' cannot run without these channels, because it has sizes written into its "
                      f"code: {reason}. Leave these layers as they are.")


def _guesses(found: Dependencies, going: Collection[int], smaller: nn.Module) -> list[dict[str, dict[str, int]]]:
    """Nothing; then the numbers of heads of the parts that take channels apart; then the widths of all heads too."""
    counts: dict[str, dict[str, int]] = {}
    widths: dict[str, dict[str, int]] = {}
    for path, before, after, inside in found.splits(going):
        if before == after:
            continue
        for name, value in vars(smaller.get_submodule(path)).items():
            if type(value) is int and name in _COUNTS and before % value == 0:
                counts.setdefault(path, {})[name] = value * after // before
            elif type(value) is int and name in _WIDTHS and value == before * inside:
                widths.setdefault(path, {})[name] = after * inside
    both = {path: {**counts.get(path, {}), **widths.get(path, {})} for path in {**counts, **widths}}
    return [{}, counts, both] if counts or widths else [{}]


_COUNTS = ("heads", "num_heads", "n_heads", "n_head", "num_attention_heads", "nhead")
_WIDTHS = ("all_head_size", "embed_dim", "inner_dim", "hidden_size", "split_size", "dim")


def _rebuilt(model: Model, found: Dependencies, going: Collection[int], smaller: nn.Module) -> Model | None:
    """The same network, built from a spec with fewer channels, where its family can be built so."""
    if model.spec["family"] not in MODULES or model.spec.get("rewrites"):
        return None
    layers = [{**layer, "channels": _left(found, layer, going)} for layer in model.spec["layers"]]
    try:
        made = build({**model.spec, "layers": layers})
    except (LinnetError, RuntimeError):
        return None
    wanted, state = smaller.state_dict(), made.module.state_dict()
    if {name: value.shape for name, value in wanted.items()} != {name: value.shape for name, value in state.items()}:
        return None
    made.module.load_state_dict(wanted)
    made.module.to(next(iter(wanted.values())).device)
    return made if _answers_alike(made.module, smaller, model.spec) else None


def _left(found: Dependencies, layer: Mapping[str, Any], going: Collection[int]) -> int:
    channels = found.channels(_LAYERS + layer["name"])
    return int(layer["channels"]) if channels is None else sum(number not in going for number in channels.tolist())


def _answers_alike(first: nn.Module, second: nn.Module, spec: Mapping[str, Any]) -> bool:
    modes = first.training, second.training
    with torch.no_grad():
        answers = [module.eval()(*examples(spec)) for module in (first, second)]
    first.train(modes[0])
    second.train(modes[1])
    return bool(torch.equal(*answers))
