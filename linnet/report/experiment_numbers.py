"""Numbers of an experiment as text: rounded to the worse side, intervals outwards, yet never across what was asked."""

from __future__ import annotations

import math
from decimal import Decimal

from linnet.evidence.rounding import down, shift, up
from linnet.report.counting import percent
from linnet.watch.experiments import Outcome, Track

_ZERO = Decimal(0)
_MOST_PLACES = 6


def sure(level: float) -> str:
    """A level with two decimals at most, rounded down.

    >>> sure(0.95), sure(1 - 0.05 / 3)
    ('95 %', '98.33 %')
    """
    return percent(math.floor(round(1e4 * level, 6)) / 1e4)


def number(value: float, *, places: int, percentage: bool) -> str:
    """A metric's value.

    >>> number(0.0512, places=1, percentage=True), number(1234.5, places=0, percentage=False)
    ('5.1 %', '1,234')
    """
    if not math.isfinite(value):
        return ""
    return f"{100 * value:,.{places}f} %" if percentage else f"{value:,.{places}f}"


def change(value: float, *, places: int, scale: int, worse_is_up: bool) -> str:
    """A difference with its sign, times ten to the power of `scale`, rounded to its worse side.

    >>> change(0.01267, places=2, scale=2, worse_is_up=False), change(0.01267, places=2, scale=2, worse_is_up=True)
    ('+1.26', '+1.27')
    """
    if not math.isfinite(value):
        return ""
    rounded = (up if worse_is_up else down)(_exact(value, scale), _ZERO, places)
    return f"{rounded:+,f}"


def interval(low: float, high: float, *, places: int, scale: int, bound: float = 0.0) -> str:
    """An interval, rounded outwards, yet never across the bound that was asked about.

    >>> interval(0.00412, 0.0199, places=1, scale=2), interval(-math.inf, 3.0, places=0, scale=0)
    ('+0.4 to +2.0', 'at most +3')
    >>> interval(-math.inf, math.inf, places=0, scale=0)
    'nothing yet'
    """
    least = "" if not math.isfinite(low) else f"{down(_exact(low, scale), _exact(bound, scale), places):+,f}"
    most = "" if not math.isfinite(high) else f"{up(_exact(high, scale), _exact(bound, scale), places):+,f}"
    if least and most:
        return f"{least} to {most}"
    return f"at least {least}" if least else f"at most {most}" if most else "nothing yet"


def places_of(track: Track, scale: int) -> int:
    """Digits after the point, so that the width of the interval at the last look shows two."""
    return places_for(10**scale * float(track.high[-1] - track.low[-1]))


def places_for(amount: float) -> int:
    """Digits after the point that an amount needs to show two of its own.

    >>> places_for(0.0123), places_for(5.2), places_for(3800.0), places_for(math.inf)
    (3, 1, 0, 2)
    """
    if not math.isfinite(amount) or amount == 0:
        return 2
    return max(0, min(_MOST_PLACES, 1 - math.floor(math.log10(abs(amount)))))


def turned(outcome: Outcome, bound: float) -> float:
    """A bound, which is given so that more is better, in the direction of the figures."""
    return -bound if outcome.goal == "decrease" else bound


def _exact(value: float, scale: int) -> Decimal:
    """A number without the noise of its last bits, which rounding to one side would turn into a digit."""
    return shift(float(f"{value:.12g}"), scale)
