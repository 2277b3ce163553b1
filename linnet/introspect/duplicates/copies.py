"""Pairs that were compared directly: which are nearer than any two different things of this collection come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.duplicates.candidates import ranked
from linnet.introspect.duplicates.pairs import Pairs
from linnet.progress import Progress

Rows = NDArray[np.int64]
Doubles = NDArray[np.float64]
CANDIDATES = 10
_HIGH, _LOW = 0.2, 0.005  # quantiles between which the accidents are counted
_FEW = 1000  # so many distant pairs at least (200 things), or their lower tail is not known
_FARTHEST = 0.5  # what shares less than three quarters of its energy is no copy, however rare
_RISK, _DEVIATIONS = 0.05, 1.645  # both 95 %, one-sided


class Kind(Protocol):
    """What a kind of thing (sounds, images, texts) brings: descriptors to find by, and a direct comparison."""

    limit: float
    """The residual that counts as a copy where it is not learned."""
    learns: bool
    """Whether different things are so far from copies that where they begin can be learned from the collection."""

    def views(self) -> tuple[NDArray[np.floating], Rows]:
        """Descriptors (n, d), and which thing each is a view of."""
        ...

    def residuals(self, pairs: Rows, step: Callable[[int], None] | None) -> Doubles:
        """For pairs (n, 2), what of one cannot be explained by the other: 0 the same, 1 nothing in common."""
        ...

    def facts(self) -> dict[str, Any]:
        """What there is to say after all pairs were compared."""
        ...

    def explain(self, one: int, other: int) -> dict[str, Any]:
        """How the two differ, as plain JSON."""
        ...


@dataclass(frozen=True)
class _Tail:
    """How many pairs of different things have a residual below x: `amount` * x ** `power`."""

    amount: float
    power: float

    def below(self, residuals: Doubles) -> Doubles:
        return np.asarray(self.amount * residuals**self.power)


def verified(kind: Kind, rate: float, seed: int, progress: Progress | None = None) -> Pairs:
    """Pairs whose residual is smaller than accidents explain.

    The nearest things by descriptor are compared directly. Those of rank 6 to 10 are hardly ever copies, yet nearly as
    alike as different things of this collection get: between the 0.5 % and the 20 % quantile of their residuals lie the
    most alike of different pairs, above most copies. There a power law is fitted to the residuals of all pairs (a
    regular tail, as in Hill 1975), at the lower end of its exponent's interval. Extended to zero it says how many pairs
    of different things to expect below any residual; the limit is the largest at which, with 95 % confidence (Poisson),
    at most `rate` of the pairs found are such, and never above 0.5.
    """
    views, owners = kind.views()
    things = int(owners.max()) + 1 if len(owners) else 0
    if things < 2:
        return Pairs(np.empty((0, 2), np.int64), [], {"compared": 0, "not_judged": "fewer than two different samples"})
    found = ranked(views, owners, min(CANDIDATES, things - 1), seed, progress)
    pairs, where = _unordered(found)
    step = (lambda done: progress(done, len(pairs), "verifying")) if progress else None
    residuals = kind.residuals(pairs, step)
    far = residuals[where[:, found.shape[1] // 2 :]][found[:, found.shape[1] // 2 :] >= 0]
    tail = _tail(residuals, far) if kind.learns else None
    limit = min(_limit(residuals, tail, rate), _FARTHEST) if tail else kind.limit
    order = np.argsort(residuals, kind="stable")
    order = order[residuals[order] <= limit]
    expected = float(tail.below(np.array([limit]))[0]) if tail and len(order) else None
    fixed = "a fixed limit" + (": too few samples" if kind.learns else "")
    facts = {"compared": len(pairs), "limit": limit if limit >= 0 else None, "false_pairs_expected": expected,
             "null": f"residual^{tail.power:.1f}" if tail else fixed}
    facts |= kind.facts()
    evidence = [_similarity(residuals[at]) | kind.explain(int(pairs[at, 0]), int(pairs[at, 1])) for at in order]
    return Pairs(pairs[order], evidence, facts)


def _similarity(residual: float) -> dict[str, Any]:
    return {"similarity": float(1 - residual), "residual": float(residual)}


def _unordered(found: Rows) -> tuple[Rows, Rows]:
    """Each pair once (n, 2), and where each cell of `found` is among them."""
    one = np.repeat(np.arange(len(found)), found.shape[1])
    both = np.sort(np.stack([one, np.maximum(found.ravel(), 0)], axis=1), axis=1)
    known = found.ravel() >= 0
    pairs, where = np.unique(both[known], axis=0, return_inverse=True)
    cells = np.zeros(found.size, np.int64)
    cells[known] = where.ravel()
    return pairs, cells.reshape(found.shape)


def _tail(residuals: Doubles, far: Doubles) -> _Tail | None:
    if len(far) < _FEW:
        return None
    low, high = np.quantile(far, [_LOW, _HIGH])
    between = residuals[(residuals > low) & (residuals <= high)]
    if low <= 0 or len(between) < 2:
        return None
    power = _power(np.log(high / between), float(np.log(high / low)))
    return _Tail(len(between) / (high**power - low**power), power)


def _power(falls: Doubles, width: float) -> float:
    """The rate of an exponential law that is cut off at `width`: maximum likelihood, less 1.64 standard errors."""
    from scipy.optimize import brentq

    def surplus(rate: float) -> float:
        return float(1 / rate - width / np.expm1(rate * width) - falls.mean())

    least, most = 1e-3 / width, 500 / width
    if surplus(least) <= 0:
        return least
    rate = float(brentq(surplus, least, most)) if surplus(most) < 0 else most
    information = len(falls) * (1 / rate**2 - (width / (2 * np.sinh(rate * width / 2))) ** 2)
    return max(rate - _DEVIATIONS / float(np.sqrt(information)), least)


def _limit(residuals: Doubles, tail: _Tail, rate: float) -> float:
    from scipy.special import gammainc

    ordered = np.sort(residuals)
    allowed = np.floor(rate * np.arange(1, len(ordered) + 1) + 1e-9)
    more_than_allowed = gammainc(allowed + 1, tail.below(ordered))
    kept = np.flatnonzero(more_than_allowed <= _RISK)
    return float(ordered[kept[-1]]) if len(kept) else -1.0
