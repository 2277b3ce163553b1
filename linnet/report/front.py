"""The front: which of several things no other one beats in both what it costs and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def front(rows: Sequence[Mapping[str, Any]], *, cost: str, worth: str) -> list[dict[str, Any]]:
    """The rows than which no other one both costs at most as much and is worth more, the cheapest first.

    >>> front([{"ms": 2, "right": 0.9}, {"ms": 1, "right": 0.8}, {"ms": 3, "right": 0.85}], cost="ms", worth="right")
    [{'ms': 1, 'right': 0.8}, {'ms': 2, 'right': 0.9}]
    """
    best: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda one: (one[cost], -one[worth])):
        if not best or row[worth] > best[-1][worth]:
            best.append(dict(row))
    return best
