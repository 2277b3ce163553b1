"""How much it takes to decide: the answer of this room, and the search for the smallest size that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from linnet.evidence.rounding import plain, shift
from linnet.evidence.settings import check_between, check_level

_LIMIT = 100_000_000


@dataclass(frozen=True)
class Needed:
    """How many `unit` (samples, clusters, runs, segments) it takes to show something; None if no number does.

    Up to 100 million are tried, and up to 200,000 where it is simulated. `power` is the probability of success at
    `count`, from the very bound that the claim uses; `rows` are the samples in all those clusters. `str()` says it in a
    sentence.
    """

    count: int | None
    unit: str
    power: float
    level: float
    shows: str
    rows: int | None = None

    def __str__(self) -> str:
        """In plain words.

        >>> print(Needed(1234, "samples", 0.803, 0.95, "that 80 in 100 are right, if 83 in 100 are"))
        1,234 samples suffice in 80 of 100 tries to be 95 % sure that 80 in 100 are right, if 83 in 100 are.
        """
        sure = f"{plain(shift(self.level, 2))} % sure {self.shows}"
        if self.count is None:
            return f"No number of {self.unit} within reach suffices to be {sure}."
        of = f" ({self.rows:,} samples)" if self.rows is not None else ""
        return f"{self.count:,} {self.unit}{of} suffice in {int(self.power * 100 + 1e-9)} of 100 tries to be {sure}."


class Goal(NamedTuple):
    """How sure one wants to be, and how often one wants to be it, and for which file (None: no look paid)."""

    level: float
    power: float
    look: int | None = None

    def check(self) -> Goal:
        """Itself; LinnetError where it is none."""
        check_level(self.level)
        check_between("power", self.power)
        _ = self.tested  # checks the look
        return self

    @property
    def tested(self) -> float:
        """The level that the bound is computed at."""
        if self.look is None:
            return self.level
        # claims import this file; imported here, nothing goes in a circle
        from linnet.evidence.claims.spending import level_at

        return level_at(self.look, self.level)

    @property
    def words(self) -> str:
        """What a sentence adds."""
        return "" if self.look is None else f", as file {self.look} held against them"


def in_100(share: float) -> str:
    """A share as so many in 100.

    >>> in_100(0.805)
    '80.5 in 100'
    """
    return f"{plain(round(shift(share, 2), 4) + Decimal(0))} in 100"


def smallest(decides: Callable[[int], bool], start: int) -> int | None:
    """The smallest size from `start` on that decides, where more never decides less; None if none is small enough.

    >>> smallest(lambda n: n * n >= 200, 3)
    15
    """
    high = max(start, 1)
    while not decides(high):
        high *= 2
        if high > _LIMIT:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return max(high, start)
