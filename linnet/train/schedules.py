"""The learning rate over a training: what share of its peak, step by step."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int, int], tuple[float, float | None]]
"""Of (step, steps of the whole training) to (share of the peak rate, momentum or None to leave it)."""


def one_cycle(step: int, steps: int) -> tuple[float, float | None]:
    """Up from 1/25 over three tenths, then down to nearly zero, the momentum the other way (Smith and Topin 2019).

    >>> [round(one_cycle(step, 100)[0], 3) for step in (0, 29, 100)]
    [0.04, 1.0, 0.0]
    """
    top = 0.3 * (steps + 1) - 1
    if step <= top:
        done = step / top
        return _between(1 / 25, 1, done), _between(0.95, 0.85, done)
    done = (step - top) / (steps - top)
    return _between(1, 1 / 25e4, done), _between(0.85, 0.95, done)


def cosine(step: int, steps: int) -> tuple[float, float | None]:
    """Straight up over a twentieth of the steps, then half a cosine down to zero (Loshchilov and Hutter 2017)."""
    warm = max(1, round(steps / 20))
    if step < warm:
        return (step + 1) / warm, None
    return _between(1, 0, (step - warm) / max(1, steps - warm)), None


def constant(step: int, steps: int) -> tuple[float, float | None]:
    """The peak all along."""
    del step, steps
    return 1.0, None


SCHEDULES: dict[str, Schedule] = {"one_cycle": one_cycle, "cosine": cosine, "constant": constant}


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * done))
