"""Whole numbers below some base, as many in a word as fit, and the same sum undone by three operators of the graph.

Three numbers below 5 need 7 bits, not 9: a word holds d0 + d1 * base + d2 * base ** 2 ..., which any base fills well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BASES = (2, 3, 4, 5, 6, 8, 16, 32, 64)
"""Larger ones take as much room as a byte; what lies between two of them takes hardly less than the next."""

_BYTE, _LONG = 256, 2**63
"""Words are bytes, or signed numbers of 64 bits, of which engines divide only those that are not negative."""


@dataclass(frozen=True)
class Words:
    """How numbers below `base` lie in words: so many a word."""

    base: int
    per_word: int
    dtype: type[np.uint8 | np.int64]

    @property
    def bits(self) -> float:
        """What one number takes."""
        return np.dtype(self.dtype).itemsize * 8 / self.per_word

    @property
    def powers(self) -> NDArray[np.int64]:
        """What each number of a word was multiplied by."""
        return np.array([self.base**place for place in range(self.per_word)], np.int64)

    def pack(self, digits: NDArray[np.integer]) -> NDArray[np.uint8 | np.int64]:
        """(count,) to (words, 1); the last word is filled up with zeros."""
        filled = np.zeros(-(-len(digits) // self.per_word) * self.per_word, np.int64)
        filled[: len(digits)] = digits
        words = (filled.reshape(-1, self.per_word) * self.powers).sum(axis=1, keepdims=True)
        return np.asarray(words, self.dtype)

    def unpack(self, words: NDArray[np.uint8 | np.int64]) -> NDArray[np.int64]:
        """(words, 1) to (words * per_word,), as the graph does it."""
        return (words.astype(np.int64) // self.powers % self.base).reshape(-1)


def words_for(base: int) -> Words:
    """Bytes where they hold as much: they unpack in less memory.

    >>> [(words_for(base).base, round(words_for(base).bits, 2)) for base in (2, 3, 8, 16)]
    [(2, 1.0), (3, 1.6), (8, 3.05), (16, 4.0)]
    """
    small, large = (Words(base, _fitting(base, limit), dtype)
                    for limit, dtype in ((_BYTE, np.uint8), (_LONG, np.int64)))
    return small if small.bits <= large.bits else large


def _fitting(base: int, limit: int) -> int:
    count = 0
    while base ** (count + 1) <= limit:
        count += 1
    return count


def base_for(count: int, bases: Sequence[int] = BASES) -> int | None:
    """The smallest base whose numbers tell `count` things apart; None where they are too many."""
    return next((base for base in bases if base >= count), None)
