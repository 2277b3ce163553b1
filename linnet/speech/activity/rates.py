"""How often something happens an hour, with an exact interval."""

from __future__ import annotations

from dataclasses import dataclass

from linnet.errors import LinnetError


@dataclass(frozen=True)
class Rate:
    """`count` times in `hours`: an hour's rate, with an interval at `level`, and an upper bound at the same level."""

    count: int
    hours: float
    level: float
    low: float
    high: float
    at_most: float

    @property
    def an_hour(self) -> float:
        """The rate itself."""
        return self.count / self.hours


def rate_an_hour(count: int, hours: float, *, level: float = 0.95) -> Rate:
    """The rate of events that come one by one, independently of each other (a Poisson process).

    The interval and the one-sided bound are exact: they cover at least at `level` (Garwood 1936, Fiducial limits for
    the Poisson distribution, Biometrika 28). Do not use it for events that come in bursts, such as each frame of one
    noise: count a burst once.

    >>> rate_an_hour(0, 3.0).at_most < 1
    True
    """
    from scipy.special import gammaincinv

    if count < 0 or not hours > 0 or not 0 < level < 1:
        raise LinnetError(f"a rate needs a count of 0 or more, hours above 0 and a level between 0 and 1; got {count}, "
                          f"{hours} and {level}.")
    tail = (1 - level) / 2
    low = float(gammaincinv(count, tail)) / hours if count else 0.0
    return Rate(count, hours, level, low, float(gammaincinv(count + 1, 1 - tail)) / hours,
                float(gammaincinv(count + 1, level)) / hours)
