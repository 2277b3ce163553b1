"""How much more would be needed to decide, if what was seen stayed as it is."""

from __future__ import annotations

from collections.abc import Callable

_LIMIT = 100_000_000


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
