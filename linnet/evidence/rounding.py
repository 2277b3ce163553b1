"""Numbers for sentences, rounded against the claim: it never promises more than what was shown."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal

MOST_DECIMALS = 9


def shift(value: float, places: int) -> Decimal:
    """A float as the decimal number that it prints as, times ten to the power of `places`."""
    return Decimal(repr(float(value))).scaleb(places)


def decimals(value: Decimal) -> int:
    """How many digits after the point a number needs."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(value: Decimal) -> str:
    """Without trailing zeros or an exponent.

    >>> plain(Decimal("95.00"))
    '95'
    """
    return f"{value.normalize():f}"


def down(value: Decimal, bound: Decimal, places: int) -> Decimal:
    """Rounded down, with as many digits as it takes to stay on the same side of the bound.

    >>> down(Decimal("89.59"), Decimal("80"), 1), down(Decimal("5.004"), Decimal("5"), 1)
    (Decimal('89.5'), Decimal('5.004'))
    """
    return -up(-value, -bound, places) + 0


def up(value: Decimal, bound: Decimal, places: int) -> Decimal:
    """Rounded up, with as many digits as it takes to stay on the same side of the bound.

    >>> up(Decimal("79.97"), Decimal("80"), 1), up(Decimal("78.91"), Decimal("80"), 1)
    (Decimal('79.97'), Decimal('79.0'))
    """
    for more in range(places, MOST_DECIMALS):
        rounded = value.quantize(Decimal(1).scaleb(-more), ROUND_CEILING) + 0
        if value.compare(bound) == rounded.compare(bound):
            return rounded
    return value


def about(count: int) -> str:
    """A count rounded up to two digits, for a sentence: it rests on an estimate that will move.

    >>> about(1234), about(37)
    ('1,300', '37')
    """
    digits = max(len(str(count)) - 2, 0)
    return f"{math.ceil(count / 10**digits) * 10**digits:,}"
