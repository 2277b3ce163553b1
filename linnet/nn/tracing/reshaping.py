"""How units pass a change of shape: axes that are merged into one, and one that is split into several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from linnet.nn.tracing.units import Axes, Axis, Kind, Ledger

Noted = Callable[[Axis, int], None]
"""Told of each split of channels: (the axis of stretches, positions in one)."""


def reshaped(ledger: Ledger, axes: Axes, shape: Sequence[int], noted: Noted) -> Axes:
    """The axes of a tensor after `view(shape)`."""
    found: Axes = []
    for olds, news in _segments([len(axis) for axis in axes], list(shape)):
        before = [axes[place] for place in olds]
        if len(before) == 1 and news == [len(before[0])]:
            found.append(before[0])
        else:
            found.extend(_split(ledger, _merged(ledger, before), news, noted))
    return found


def _segments(old: list[int], new: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    """Runs of old axes and sizes of new ones with the same product, as short as can be."""
    left, right = 0, 0
    while left < len(old) or right < len(new):
        olds, news = [], []
        if left < len(old):
            olds.append(left)
            left += 1
        if right < len(new) and not (olds and old[olds[0]] == 1 and new[right] != 1):
            news.append(new[right])
            right += 1
        while math.prod(old[place] for place in olds) != math.prod(news):
            if math.prod(old[place] for place in olds) < math.prod(news):
                olds.append(left)
                left += 1
            else:
                news.append(new[right])
                right += 1
        yield olds, news


def _merged(ledger: Ledger, axes: Axes) -> Axis:
    """One axis of all pairs: a channel's where one of them is of channels and the others of places."""
    size = math.prod(len(axis) for axis in axes)
    is_open = [axis for axis in axes if axis.kind is Kind.OPEN and len(axis) > 1]
    if len(is_open) == 1:
        place = next(place for place, axis in enumerate(axes) if axis is is_open[0])
        lines = [-1 if other == place else 1 for other in range(len(axes))]
        full = np.broadcast_to(is_open[0].units.reshape(lines), [len(axis) for axis in axes])
        return Axis(full.reshape(-1), Kind.OPEN)
    for axis in is_open:
        ledger.fix(axis, "it is merged with another axis of channels")
    return ledger.fresh(size, Kind.FIXED)


def _split(ledger: Ledger, axis: Axis, shape: list[int], noted: Noted) -> Axes:
    """Where the positions along one new axis are channels, that one; otherwise stretches of channels go as a whole."""
    if len(shape) < 2:
        return [axis][: len(shape)]
    if axis.kind is not Kind.OPEN:
        return [ledger.fresh(size, Kind.FIXED) for size in shape]
    table = axis.units.reshape(shape)
    for place in range(len(shape)):
        line = np.moveaxis(table, place, 0).reshape(shape[place], -1)
        if shape[place] > 1 and (line == line[:, :1]).all():
            return _beside(ledger, shape, place, Axis(line[:, 0], Kind.OPEN))
    place = next((place for place, size in enumerate(shape) if size > 1), 0)
    if shape[place] in _TOGETHER and len(shape) - place > 2:
        place += 1
    rows = Axis(np.moveaxis(table, place, 0).reshape(-1), Kind.OPEN)
    stretches = ledger.tie_rows(rows, shape[place])
    noted(stretches, len(axis) // shape[place])
    return _beside(ledger, shape, place, stretches)


_TOGETHER = (2, 3)
"""Keys and values, or queries, keys and values, that one product makes side by side: (3, heads, channels)."""


def _beside(ledger: Ledger, shape: list[int], place: int, axis: Axis) -> Axes:
    return [axis if other == place else ledger.fresh(size, Kind.FIXED, "it lies inside of a head")
            for other, size in enumerate(shape)]
