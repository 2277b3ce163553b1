"""How units pass through torch's operators: a rule an operator, by its name in ATen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from linnet.nn.tracing.reshaping import Noted, reshaped
from linnet.nn.tracing.units import Axes, Axis, Kind, Ledger


@dataclass(frozen=True)
class Call:
    """One operator as it was called."""

    ledger: Ledger
    axes_of: Callable[[Tensor], Axes]
    name: str
    function: Any
    args: Sequence[Any]
    kwargs: dict[str, Any]
    outputs: list[Tensor]
    noted: Noted
    paid: Callable[[int, Sequence[Axis]], None]

    def axes(self, place: int) -> Axes:
        """Those of the argument at this place; none where it is no tensor."""
        given = self.get(place)
        return self.axes_of(given) if isinstance(given, Tensor) else []

    def get(self, place: int, default: Any = None) -> Any:
        """The argument at this place, or what stands in for it."""
        return self.args[place] if len(self.args) > place and self.args[place] is not None else default

    def tensors(self) -> list[Tensor]:
        """Every tensor among the arguments."""
        return [value for value in pytree.tree_leaves((self.args, self.kwargs)) if isinstance(value, Tensor)]

    def places(self, size: int, reason: str = "it is a place, not a channel") -> Axis:
        """A new axis that is never cut."""
        return self.ledger.fresh(size, Kind.FIXED, reason)


Rule = Callable[[Call], list[Axes]]


def rule_of(call: Call) -> Rule:
    """The rule for an operator; one that is not known fixes all that it touches."""
    if not call.outputs:
        return lambda _: []
    if call.name in RULES:
        return RULES[call.name]
    if not call.tensors() or call.name.startswith("new_"):
        return _made
    if torch.Tag.pointwise in call.function.tags:
        return _pointwise
    return RULES.get(call.name.rstrip("_"), _unknown)


def _made(call: Call) -> list[Axes]:
    return [[call.ledger.fresh(size, Kind.FREE) for size in out.shape] for out in call.outputs]


def _unknown(call: Call) -> list[Axes]:
    for tensor in call.tensors():
        for axis in call.axes_of(tensor):
            call.ledger.fix(axis, f"the operator '{call.name}' is not known")
    return [[call.places(size) for size in out.shape] for out in call.outputs]


def _pointwise(call: Call) -> list[Axes]:
    """Axes are matched from the last one on, as in broadcasting."""
    given = [call.axes_of(tensor) for tensor in call.tensors()]
    return [_together(call, given, out.ndim) for out in call.outputs]


def _together(call: Call, given: list[Axes], ndim: int) -> Axes:
    found: Axes = []
    for place in range(1, ndim + 1):
        meeting = [axes[-place] for axes in given if len(axes) >= place]
        axis = meeting[0]
        for other in meeting[1:]:
            axis = call.ledger.tie(axis, other)
        found.insert(0, axis)
    return found


def _same(call: Call) -> list[Axes]:
    """What comes out has the axes of the first argument; tensors beside it are its size, or do not matter."""
    return [call.axes(0) for _ in call.outputs]


def _strided(call: Call) -> list[Axes]:
    """Another order in memory; where the shape changes too, nothing can be said."""
    return _same(call) if [len(axis) for axis in call.axes(0)] == list(call.outputs[0].shape) else _unknown(call)


def _moved(order: Callable[[Call, int], list[int]]) -> Rule:
    return lambda call: [[call.axes(0)[place] for place in order(call, len(call.axes(0)))]]


def _swapped(call: Call, ndim: int) -> list[int]:
    order = list(range(ndim))
    first, second = (place % ndim for place in (call.get(1, 0), call.get(2, 1)))
    order[first], order[second] = order[second], order[first]
    return order


def _dim(call: Call, place: int, ndim: int | None = None) -> int:
    size = len(call.axes(0)) if ndim is None else ndim
    return int(call.get(place, call.kwargs.get("dim", 0))) % max(size, 1)


def _unsqueeze(call: Call) -> list[Axes]:
    axes = list(call.axes(0))
    axes.insert(_dim(call, 1, len(axes) + 1), call.places(1))
    return [axes]


def _squeeze(call: Call) -> list[Axes]:
    axes, wanted = call.axes(0), call.get(1)
    places = range(len(axes)) if wanted is None else [wanted] if isinstance(wanted, int) else wanted
    gone = {place % len(axes) for place in places if len(axes[place]) == 1} if axes else set()
    return [[axis for place, axis in enumerate(axes) if place not in gone]]


def _expand(call: Call) -> list[Axes]:
    axes, shape = call.axes(0), call.outputs[0].shape
    before = [call.ledger.fresh(1, Kind.FREE) for _ in range(len(shape) - len(axes))] + axes
    return [[axis if len(axis) == size else call.ledger.fresh(size, Kind.FREE)
             for axis, size in zip(before, shape, strict=True)]]


def _select(call: Call) -> list[Axes]:
    place = _dim(call, 1)
    return [[axis for other, axis in enumerate(call.axes(0)) if other != place]]


def _slice(call: Call) -> list[Axes]:
    axes, place = list(call.axes(0)), _dim(call, 1)
    axes[place] = axes[place].at(slice(call.get(2, 0), min(call.get(3, len(axes[place])), len(axes[place])),
                                       call.get(4, 1)))
    return [axes]


def _parts(call: Call) -> list[Axes]:
    """split, unsafe_split, split_with_sizes, chunk: one after the other along an axis."""
    axes, place = call.axes(0), _dim(call, 2)
    found, start = [], 0
    for out in call.outputs:
        size = out.shape[place]
        found.append([axis.at(slice(start, start + size)) if other == place else axis
                      for other, axis in enumerate(axes)])
        start += size
    return found


def _unbind(call: Call) -> list[Axes]:
    place = _dim(call, 1)
    return [[axis for other, axis in enumerate(call.axes(0)) if other != place] for _ in call.outputs]


def _cat(call: Call) -> list[Axes]:
    given = [call.axes_of(tensor) for tensor in call.args[0] if tensor.numel() or tensor.ndim > 1]
    place = _dim(call, 1, len(given[0]))
    axes = _together(call, [[axis if other != place else axis.at([]) for other, axis in enumerate(axes)]
                            for axes in given], len(given[0]))
    joined = [axes[place] for axes in given]
    axes[place] = Axis(np.concatenate([axis.units for axis in joined]), max(axis.kind for axis in joined))
    return [axes]


def _stack(call: Call) -> list[Axes]:
    given = [call.axes_of(tensor) for tensor in call.args[0]]
    axes = _together(call, given, len(given[0]))
    axes.insert(_dim(call, 1, len(axes) + 1), call.places(len(given)))
    return [axes]


def _view(call: Call) -> list[Axes]:
    return [reshaped(call.ledger, call.axes(0), list(call.outputs[0].shape), call.noted)]


def _flip(call: Call) -> list[Axes]:
    axes = call.axes(0)
    places = {place % len(axes) for place in call.get(1)}
    return [[axis.at(slice(None, None, -1)) if place in places else axis for place, axis in enumerate(axes)]]


def _picked(call: Call) -> list[Axes]:
    """index_select, gather: positions by number; where these are channels, their numbers must not change."""
    axes, place = list(call.axes(0)), _dim(call, 1)
    if axes[place].kind is Kind.OPEN:
        call.ledger.fix(axes[place], "its channels are picked by number")
    axes[place] = call.places(call.outputs[0].shape[place])
    return [axes]


def _indexed(call: Call) -> list[Axes]:
    axes, shape = call.axes(0), call.outputs[0].shape
    indices: list[Tensor | None] = []
    for index in call.get(1):  # a mask counts for as many axes as it has
        is_mask = index is not None and index.dtype in (torch.bool, torch.uint8)
        indices += [index] * (index.ndim if is_mask else 1)
    indices += [None] * (len(axes) - len(indices))
    for axis, index in zip(axes, indices, strict=True):
        if index is not None and axis.kind is Kind.OPEN:
            call.ledger.fix(axis, "its channels are picked by number")
    kept = [axis for axis, index in zip(axes, indices, strict=True) if index is None]
    places = [place for place, index in enumerate(indices) if index is not None]
    adjacent = places == list(range(places[0], places[0] + len(places)))
    start = places[0] if adjacent else 0
    new = len(shape) - len(kept)
    return [kept[:start] + [call.places(size) for size in shape[start : start + new]] + kept[start:]]


def _padded(call: Call) -> list[Axes]:
    found = []
    for axis, size in zip(call.axes(0), call.outputs[0].shape, strict=True):
        if len(axis) != size and axis.kind is Kind.OPEN:
            call.ledger.fix(axis, "its channels are padded")
        found.append(axis if len(axis) == size else call.places(size))
    return [found]


def _repeated(call: Call) -> list[Axes]:
    """What is one long and repeated is as an expanded one: it may follow what it meets."""
    axes, shape = call.axes(0), call.outputs[0].shape
    if len(axes) != len(shape):
        return _unknown(call)
    spread = [len(axis) == 1 and size != 1 for axis, size in zip(axes, shape, strict=True)]
    return [[call.ledger.fresh(size, Kind.FREE) if is_spread else axis
             for axis, size, is_spread in zip(_padded(call)[0], shape, spread, strict=True)]]


def _put(call: Call) -> list[Axes]:
    """index_put: a mask has the axes of what it covers."""
    axes, place = list(call.axes(0)), 0
    for index in call.get(1):
        is_mask = index is not None and index.dtype in (torch.bool, torch.uint8)
        for along in call.axes_of(index) if is_mask else ():
            axes[place] = call.ledger.tie(axes[place], along)
            place += 1
        place += not is_mask
    return [axes]


def _reduced(call: Call) -> list[Axes]:
    """sum, mean, amax, var, ...: the axes that are gone, or 1 long where they are kept."""
    axes, found = call.axes(0), []
    wanted = call.get(1)
    places = range(len(axes)) if wanted is None or wanted == [] else [wanted] if isinstance(wanted, int) else wanted
    gone = {place % max(1, len(axes)) for place in places} if not isinstance(wanted, float | bool) else set()
    for out in call.outputs:
        is_kept = out.ndim == len(axes)
        found.append([call.places(1) if place in gone else axis for place, axis in enumerate(axes)
                      if is_kept or place not in gone])
    return found


def _product(call: Call) -> list[Axes]:
    """mm, bmm, addmm, baddbmm: (.., rows, inner) times (.., inner, columns)."""
    first = 1 if call.name.startswith(("addmm", "baddbmm", "addbmm", "addmv")) else 0
    left, right = call.axes(first), call.axes(first + 1)
    inner = call.ledger.tie(left[-1], right[-2])
    batch = [call.ledger.tie(mine, theirs) for mine, theirs in zip(left[:-2], right[:-2], strict=True)]
    axes = [*batch, left[-2], right[-1]]
    call.paid(1, [*batch, left[-2], inner, right[-1]])
    return [_together(call, [axes, call.axes(0)], len(axes)) if first else axes]


def _convolved(call: Call) -> list[Axes]:
    x, weight, bias = call.axes(0), call.axes(1), call.axes(2)
    transposed, groups = bool(call.get(6)), int(call.get(8, 1))
    inputs, outputs = (weight[0], weight[1]) if transposed else (weight[1], weight[0])
    ledger = call.ledger
    if transposed and groups > 1:
        for axis in (*weight[:2], x[1]):
            ledger.fix(axis, "it is a transposed convolution in groups")
        out = call.places(call.outputs[0].shape[1])
    elif groups == 1:
        ledger.tie(x[1], inputs)
        out = outputs
    elif groups == len(x[1]) and len(inputs) == 1:
        repeated = x[1].at(sorted(list(range(groups)) * (len(outputs) // groups)))
        out = ledger.tie(outputs, Axis(repeated.units, outputs.kind))
    else:
        out = _grouped(call, x[1], inputs, outputs, groups)
    for axis in bias:
        ledger.tie(axis, out)
    for axis in weight[2:]:
        ledger.fix(axis, "it is a place in a window")
    spatial = [call.places(size) for size in call.outputs[0].shape[2:]]
    window = math.prod(len(axis) for axis in weight[2:])
    call.paid(window, [x[0], out, inputs, *(x[2:] if transposed else spatial)])
    return [[x[0], out, *spatial]]


def _grouped(call: Call, x: Axis, inputs: Axis, outputs: Axis, groups: int) -> Axis:
    """Every group loses as much as the others: its first channel goes with the first of each other one."""
    call.ledger.tie(x, Axis(np.tile(inputs.units, groups), inputs.kind))
    each = len(outputs) // groups
    call.ledger.tie(outputs, Axis(np.tile(outputs.units[:each], groups), outputs.kind))
    return outputs


def _batch_normalised(call: Call) -> list[Axes]:
    axes = list(call.axes(0))
    for place in (1, 2, 3, 4):
        for axis in call.axes(place):
            axes[1] = call.ledger.tie(axes[1], axis)
    return [axes, *([call.places(size) for size in out.shape] for out in call.outputs[1:])]


def _layer_normalised(call: Call) -> list[Axes]:
    axes = call.axes(0)
    for place in (2, 3):
        if call.axes(place):
            axes = _together(call, [axes, call.axes(place)], len(axes))
    return [axes, *([call.places(size) for size in out.shape] for out in call.outputs[1:])]


def _group_normalised(call: Call) -> list[Axes]:
    axes, groups = list(call.axes(0)), int(call.get(6))
    for place in (1, 2):
        for axis in call.axes(place):
            axes[1] = call.ledger.tie(axes[1], axis)
    if 1 < groups < len(axes[1]):
        each = len(axes[1]) // groups
        call.ledger.tie(axes[1], Axis(np.tile(axes[1].units[:each], groups), axes[1].kind))
    if groups == len(axes[1]):
        return [axes, *([axes[:2]] * (len(call.outputs) - 1))]
    return [axes, *([call.places(size) for size in out.shape] for out in call.outputs[1:])]


def _embedded(call: Call) -> list[Axes]:
    table, indices = call.axes(0), call.axes(1)
    call.ledger.fix(table[0], "it is a vocabulary")
    return [[*indices, table[1]]]


def _spatial(call: Call) -> list[Axes]:
    """Pools and resampling: samples and channels stay, places change."""
    kept = 2 if call.outputs[0].ndim > 3 or call.axes(0)[0].kind is Kind.FIXED else 1
    axes = call.axes(0)[:kept]
    return [[*axes, *(call.places(size) for size in out.shape[kept:])] for out in call.outputs]


def _weight_normed(call: Call) -> list[Axes]:
    axes = call.axes(0)
    merged = _together(call, [axes, call.axes(1)], len(axes))
    return [merged, *([call.places(size) for size in out.shape] for out in call.outputs[1:])]


def _packed(call: Call) -> list[Axes]:
    values = [call.places(call.outputs[0].shape[0]), *call.axes(0)[2:]]
    return [values, *([call.places(size) for size in out.shape] for out in call.outputs[1:])]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("clone", "_to_copy", "detach", "alias", "lift_fresh", "_softmax", "_log_softmax", "cumsum", "sort",
                     "scatter", "scatter_", "index_fill", "masked_scatter", "index_copy",
                     "index_copy_", "native_dropout", "dropout", "contiguous", "bernoulli",
                     "_safe_softmax"), _same),
    **dict.fromkeys(("as_strided", "as_strided_"), _strided),
    **dict.fromkeys(("copy", "copy_", "where", "masked_fill", "masked_fill_", "zeros_like", "ones_like", "empty_like",
                     "full_like", "rand_like", "randn_like"), _pointwise),
    "permute": _moved(lambda call, ndim: [place % ndim for place in call.get(1)]),
    "t": _moved(lambda _, ndim: list(range(ndim))[::-1]),
    "transpose": _moved(_swapped),
    "unsqueeze": _unsqueeze, "squeeze": _squeeze, "expand": _expand, "select": _select, "slice": _slice,
    "split": _parts, "unsafe_split": _parts, "split_with_sizes": _parts, "unsafe_split_with_sizes": _parts,
    "chunk": _parts, "unbind": _unbind, "cat": _cat, "stack": _stack,
    "view": _view, "_unsafe_view": _view, "reshape": _view, "_reshape_alias": _view, "flip": _flip,
    "index_put": _put, "index_put_": _put,
    "index_select": _picked, "index": _indexed, "constant_pad_nd": _padded, "repeat": _repeated,
    **dict.fromkeys(("reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d"), _padded),
    **dict.fromkeys(("sum", "mean", "amax", "amin", "prod", "var", "std", "var_mean", "std_mean", "max", "min",
                     "argmax", "argmin", "any", "all", "logsumexp", "norm", "linalg_vector_norm"), _reduced),
    **dict.fromkeys(("mm", "bmm", "addmm", "addmm_", "baddbmm"), _product),
    "convolution": _convolved,
    **dict.fromkeys(("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
                    _batch_normalised),
    "native_layer_norm": _layer_normalised, "native_group_norm": _group_normalised, "embedding": _embedded,
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "max_pool2d_with_indices", "_adaptive_avg_pool2d", "max_pool1d",
                     "adaptive_max_pool2d", "upsample_nearest2d", "upsample_bilinear2d", "upsample_nearest1d"),
                    _spatial),
    "_weight_norm_interface": _weight_normed, "_pack_padded_sequence": _packed,
}
"""By ATen name; what is computed value by value, and what is made from nothing, needs no entry."""
