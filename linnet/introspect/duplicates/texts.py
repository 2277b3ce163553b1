"""Texts: three letters at a time to find by, and the edits that lead from one to the other."""

from __future__ import annotations

import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.duplicates.gaps import Doubles, Rows

_WIDTH = 256


class Texts:
    """Texts as `plain` writes them: case, punctuation and spaces are no difference."""

    limit, learns = 0.1, False

    def __init__(self, texts: Sequence[str]) -> None:
        self._plain = [plain(text) for text in texts]
        self._set_aside = Counter[str]()

    def views(self) -> tuple[NDArray[np.floating], Rows]:
        """Counts of letters by threes, hashed into 256 numbers, of length 1: (n, 256)."""
        return np.stack([_hashed(text) for text in self._plain]), np.arange(len(self._plain))

    def residuals(self, pairs: Rows, step: Callable[[int], None] | None) -> Doubles:
        """Edits (a letter in, out, or another one) by the length of the longer text; 1 for another word or number."""
        shares = np.empty(len(pairs))
        for at, (one, other) in enumerate(pairs):
            a, b = self._plain[one], self._plain[other]
            shares[at] = edits(a, b) / max(len(a), len(b), 1)
            change = _another(a, b) if shares[at] <= self.limit else None
            if change:
                self._set_aside[change] += 1
                shares[at] = 1.0
            if step and not at % 1000:
                step(at)
        return shares

    def facts(self) -> dict[str, Any]:
        """How many pairs are as near, but by another word or number."""
        return {"set_aside": dict(self._set_aside)}

    def explain(self, one: int, other: int) -> dict[str, Any]:
        """How many edits, and the words that are only in one of the two."""
        a, b = self._plain[one], self._plain[other]
        ours, theirs = _only(a, b)
        return {"edits": edits(a, b), "only_in_first": sorted(ours), "only_in_second": sorted(theirs),
                "likely": ["small edit"]}


def plain(text: str) -> str:
    """Without case, accents of width, punctuation and runs of spaces; the text itself where nothing else is left.

    >>> plain("Don't  STOP -- now!")
    'dont stop now'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " if c.isspace() or c in "-_/" else ""
               for c in folded)
    return " ".join("".join(letters).split()) or folded


def edits(one: str, other: str) -> int:
    """Levenshtein's distance, all of a column of its table at once in the bits of integers (Myers 1999).

    >>> edits("kitten", "sitting")
    3
    """
    if not one or not other:
        return max(len(one), len(other))
    places: dict[str, int] = {}
    for at, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << at
    last, full = 1 << (len(one) - 1), (1 << len(one)) - 1
    distance, up, down = len(one), full, 0
    for letter in other:
        same = places.get(letter, 0) | down
        diagonal = ((up + (same & up)) ^ up) | same
        right, left = down | ~(diagonal | up), diagonal & up
        distance += bool(right & last) - bool(left & last)
        right = right << 1 | 1
        up, down = (left << 1 | ~(diagonal | right)) & full, right & diagonal & full
    return distance


def _only(one: str, other: str) -> tuple[set[str], set[str]]:
    return set(one.split()) - set(other.split()), set(other.split()) - set(one.split())


def _another(one: str, other: str) -> str | None:
    """"another number", "another word", or None where each changed word is like one on the other side."""
    ours, theirs = _only(one, other)
    if any(word.isdigit() for word in ours | theirs):
        return "another number"
    if edits(one.replace(" ", ""), other.replace(" ", "")) <= 1:
        return None
    alike = all(any(3 * edits(word, found) <= len(word) + 2 for found in others)
                for words, others in ((ours, theirs), (theirs, ours)) for word in words)
    return None if alike else "another word"


def _hashed(text: str) -> NDArray[np.float32]:
    padded = f" {text} "
    hashes = np.array([zlib.crc32(padded[at : at + 3].encode()) for at in range(max(len(padded) - 2, 1))])
    counts = np.bincount(hashes % _WIDTH, 1 - 2.0 * (hashes >> 16 & 1), _WIDTH)
    return np.asarray(counts / max(float(np.linalg.norm(counts)), 1e-30), np.float32)
