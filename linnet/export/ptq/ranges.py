"""Ranges: from the values of an activation to the lowest and highest number that 8 bits are to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from linnet.export.ptq.observe import Seen

LEVELS = 256
_BINS = 2048
_STEP = _BINS // LEVELS
"""Bins in a level of the whole range."""
_PEAK = 2.0
"""A bin with so many times its neighbours' counts is a value that repeats."""
_TAIL = 1e-4
"""Share of the values that a percentile range leaves outside, half of it on either side where both are there."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Histogram:
    """How often values fall between `edges` (bins + 1 of them), but for `zeros`, which every grid holds as they are."""

    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    zeros: int = 0

    @property
    def middles(self) -> NDArray[np.float64]:
        """The middle of each bin."""
        return (self.edges[:-1] + self.edges[1:]) / 2


def read_ranges(seen: Callable[[], Iterator[Seen]], calibration: str) -> dict[str, Range]:
    """By name the range of what `seen` yields, zero included; all but min-max look at everything twice."""
    whole = minmax(seen())
    if calibration == "minmax":
        return whole
    return {name: CLIPPED[calibration](found) for name, found in histograms(seen(), whole).items()}


def minmax(seen: Iterable[Seen]) -> dict[str, Range]:
    """From the smallest to the largest value that occurs."""
    found: dict[str, Range] = {}
    for values in seen:
        for name, value in values.items():
            low, high = found.get(name, (0.0, 0.0))
            found[name] = (min(low, float(value.min(initial=0))), max(high, float(value.max(initial=0))))
    return found


def histograms(seen: Iterable[Seen], whole: dict[str, Range]) -> dict[str, Histogram]:
    """2048 bins over the whole range of each."""
    edges = {name: np.linspace(low, high if high > low else low + 1e-8, _BINS + 1)
             for name, (low, high) in whole.items()}
    counts, zeros = {name: np.zeros(_BINS) for name in whole}, dict.fromkeys(whole, 0)
    for values in seen:
        for name, value in values.items():
            others = value[value != 0]
            zeros[name] += value.size - others.size
            counts[name] += np.histogram(others, edges[name])[0]
    return {name: Histogram(edges[name], counts[name], zeros[name]) for name in whole}


def percentile(found: Histogram) -> Range:
    """Without the outermost 0.01 % of the values: half of them on either side, all where values have one sign."""
    counts = found.counts.copy()
    counts[np.clip(np.searchsorted(found.edges, 0.0, side="right") - 1, 0, len(counts) - 1)] += found.zeros
    shares = np.cumsum(counts) / max(counts.sum(), 1)
    two_sided = found.edges[0] < 0 < found.edges[-1]
    tail = _TAIL / 2 if two_sided else _TAIL
    low = found.edges[np.searchsorted(shares, tail, side="right")] if found.edges[0] < 0 else 0.0
    high = found.edges[np.searchsorted(shares, 1 - tail) + 1] if found.edges[-1] > 0 else 0.0
    return min(0.0, float(low)), max(0.0, float(high))


def mse(found: Histogram) -> Range:
    """The range whose 256 levels have the least mean squared error, each end sought in turn."""
    return _search(found, squared_error)


def entropy(found: Histogram) -> Range:
    """The range that loses least information, in the sense of Kullback and Leibler.

    Migacz 2017, 8-bit inference with TensorRT (GTC): what lies outside counts as the outermost value; the levels are
    spread evenly over the bins that they stand for. Here for ranges that need not be symmetric, and without what would
    decide alone: zeros, of which a rectifier makes many, and other values that repeat (`without_peaks`).
    """
    return _search(without_peaks(found), information_lost)


def without_peaks(found: Histogram) -> Histogram:
    """No bin with more than twice the median of the filled ones within a step of the whole range on either side.

    Silence and padding make each channel answer one and the same number, at thousands of places. Spread evenly over a
    level of eight bins such a bin loses log(8) nats, clipped tails hardly any: the range would shrink until the bin has
    a level of its own. What a level does to a value does not grow with how often the value comes.
    """
    counts = np.pad(found.counts, _STEP)
    around = np.lib.stride_tricks.sliding_window_view(counts, 2 * _STEP + 1).copy()
    around[:, _STEP] = 0
    for row, count in enumerate(found.counts):
        others = around[row][around[row] > 0]
        counts[row + _STEP] = min(count, _PEAK * np.median(others)) if len(others) else count
    return Histogram(found.edges, counts[_STEP:-_STEP], found.zeros)


def squared_error(found: Histogram, low: float, high: float) -> float:
    """Mean squared difference between values and their nearest level; within a bin, values are its middle."""
    scale = (high - low) / (LEVELS - 1)
    values = found.middles
    levels = np.clip(np.round((values - low) / scale), 0, LEVELS - 1) * scale + low
    return float((found.counts * (values - levels) ** 2).sum() / found.counts.sum())


def information_lost(found: Histogram, low: float, high: float) -> float:
    """KL divergence, in nats, of the clipped distribution from the one that 256 levels give."""
    values, counts = found.middles, found.counts
    inside = (values >= low) & (values <= high)
    reference = np.where(inside, counts, 0.0)
    places = np.flatnonzero(inside)
    reference[places[0]] += counts[: places[0]].sum()
    reference[places[-1]] += counts[places[-1] + 1 :].sum()
    level = np.clip(np.round((values - low) / (high - low) * (LEVELS - 1)), 0, LEVELS - 1).astype(int)
    held = inside & (counts > 0)
    sums = np.bincount(level[inside], counts[inside], LEVELS)
    bins = np.bincount(level[held], minlength=LEVELS)
    spread = np.where(held, sums[level] / np.maximum(bins[level], 1), 0.0)
    p, q = reference / reference.sum(), spread / max(spread.sum(), 1e-300)
    real = p > 0
    return float((p[real] * np.log(p[real] / np.maximum(q[real], 1e-12))).sum())


def _search(found: Histogram, cost: Callable[[Histogram, float, float], float]) -> Range:
    """Both ends drawn in together, then each by itself; ends at zero stay there."""
    low, high = min(0.0, float(found.edges[0])), max(0.0, float(found.edges[-1]))
    if not found.counts.any() or high - low < 1e-7:
        return low, high
    shares = np.linspace(1.0, 0.1, 91)
    best = min(shares, key=lambda share: cost(found, low * share, high * share))
    bottom, top = low * best, high * best
    if low < 0:
        bottom = low * min(shares, key=lambda share: cost(found, low * share, top))
    if high > 0:
        top = high * min(shares, key=lambda share: cost(found, bottom, high * share))
    return float(bottom), float(top)


CLIPPED = MappingProxyType({"percentile": percentile, "mse": mse, "entropy": entropy})
"""The calibrations that leave values outside of the range."""
