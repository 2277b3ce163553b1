"""The mean of numbers between 0 and 1, whatever their distribution: by betting, or in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError, unknown
from linnet.evidence.sequences.betting import Betting
from linnet.evidence.sequences.empirical_bernstein import EmpiricalBernstein
from linnet.evidence.sequences.looks import Floats, Looks
from linnet.evidence.settings import check_between, check_count, check_finite, check_level

Method = Literal["betting", "empirical_bernstein"]

POINTS = 1000
"""Candidate means at which the betting method keeps its capital."""


def bounded_mean(
    x: ArrayLike, *, level: float = 0.95, method: Method = "betting", null: float | None = None, points: int = POINTS
) -> Looks:
    """The mean of a stream of numbers from 0 to 1, a look after each number, time on the last axis.

    Each look's interval is cut down to what no look before it excluded (running intersection). Exact, from the first
    number. "betting" is the narrower while numbers are few (by a third after 25) or skewed, and takes time in
    proportion to `points`, the candidate means it keeps (the ends are rounded outwards to them). "empirical_bernstein"
    is a closed form, some hundred times faster and about as narrow after a thousand numbers. For other known
    bounds, scale the numbers first.

    `log_e` is against the mean `null`, and 0 where none is given. It halves the capital between a bettor on either
    side and adds the two up, while an end of the interval needs one of them to reach 2 / alpha alone: log_e may reach
    log(1 / alpha) a few numbers earlier, and the interval does not fall back. Each errs with a chance of at most alpha
    by itself: say beforehand which decides; for an interval that is reported, the interval does.

    Assumes: every number has the same mean given those before it; their distribution may change otherwise.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
        Statistical Society B, 2024 (sections 3.2, predictable plug-in empirical Bernstein, and 4.1, hedged capital).
    Not for: successes and failures (`proportion` is as narrow and faster); numbers without a bound known beforehand
        (`asymptotic`): the greatest seen so far is no bound; samples in clusters, unless x is the clusters' means.

    >>> looks = bounded_mean(np.random.default_rng(0).beta(2, 8, 1000))
    >>> looks.low[[9, 99, 999]].round(3).tolist(), looks.high[[9, 99, 999]].round(3).tolist()
    ([0.019, 0.155, 0.181], [0.551, 0.25, 0.204])
    """
    numbers = check_unit(x)
    if numbers.ndim == 0:
        raise LinnetError("x is a single number; expected a stream of them, time on the last axis.")
    if not numbers.size:
        raise LinnetError(f"x is empty, of shape {numbers.shape}; expected at least one number.")
    engine = _engine(method, numbers[..., :1].size, check_level(level), null, points)
    looks = engine.update(numbers.reshape(-1, numbers.shape[-1]))
    return Looks(*(values.reshape(numbers.shape) for values in (looks.estimate, looks.low, looks.high, looks.log_e)))


class BoundedMean:
    """`bounded_mean` as numbers come: `update` gives a look after each of the new ones.

    Assumes: as `bounded_mean`.
    Source: as `bounded_mean`.
    Not for: many streams at once, which `bounded_mean` takes as rows.

    >>> watched = BoundedMean()
    >>> for _ in range(3):
    ...     looks = watched.update([0.2, 0.3, 0.1] * 30)
    >>> round(float(looks.low[-1]), 3), round(float(looks.high[-1]), 3)
    (0.185, 0.224)
    """

    def __init__(self, *, level: float = 0.95, method: Method = "betting", null: float | None = None,
                 points: int = POINTS) -> None:
        self.level, self.method, self.null, self.points = check_level(level), method, null, points
        self.reset()

    def reset(self) -> None:
        """Forget every number."""
        self.engine = _engine(self.method, 1, self.level, self.null, self.points)

    def update(self, x: ArrayLike) -> Looks:
        """New numbers; a look after each."""
        looks = self.engine.update(np.atleast_1d(check_unit(x)).reshape(1, -1))
        return Looks(looks.estimate[0], looks.low[0], looks.high[0], looks.log_e[0])


def check_unit(x: ArrayLike) -> Floats:
    """Numbers from 0 to 1, of any shape; else LinnetError."""
    numbers = check_finite("x", x)
    if numbers.size and (numbers.min() < 0 or numbers.max() > 1):
        raise LinnetError(f"x holds numbers from {numbers.min():g} to {numbers.max():g}; expected from 0 to 1: scale "
                          "by the bounds that are known beforehand, never by those seen.")
    return numbers


class Engine(Protocol):
    def update(self, x: Floats) -> Looks:
        """New numbers, a row a stream; looks of the same shape."""


_METHODS: dict[str, Callable[[int, float, float | None, int], Engine]] = {
    "betting": Betting, "empirical_bernstein": EmpiricalBernstein}


def _engine(method: str, rows: int, level: float, null: float | None, points: int) -> Engine:
    if method not in _METHODS:
        raise unknown("method", str(method), _METHODS)
    kept = check_count("points (how many candidate means are kept)", points, least=10, most=1_000_000)
    return _METHODS[method](rows, level, None if null is None else check_between("null", null), kept)
