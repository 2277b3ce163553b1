"""Augmentation of texts: lists of strings in, as many strings out; none becomes empty.

Words are what spaces part, so that texts in languages without spaces keep theirs whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from linnet.data.augment.draws import check_chance
from linnet.errors import unknown

_LAYOUTS = {"qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"), "qwertz": ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
            "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn")}


@dataclass(frozen=True)
class WordDropout:
    """Each word is left out with the probability `share`; one word at least stays.

    With `in_place_of` a left-out word leaves that string in its place. After Iyyer et al. 2015, Deep Unordered
    Composition Rivals Syntactic Methods (word dropout).
    """

    name: ClassVar[str] = "word_dropout"
    share: float = 0.1
    in_place_of: str = ""
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_chance(self, self.share)
        check_chance(self, self.chance)

    def on_texts(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """The texts without some words."""
        words = [text.split() for text in texts]
        left_out, kept = _drawn(rng, [len(line) for line in words], self.share, self.chance)
        changed = []
        for text, line, out, stays in zip(texts, words, left_out, kept, strict=True):
            if not out.any():
                changed.append(text)
                continue
            if out.all():
                out[stays] = False
            given = [self.in_place_of if gone else word for word, gone in zip(line, out, strict=True)]
            changed.append(" ".join(filter(None, given)))
        return changed


@dataclass(frozen=True)
class WordSwap:
    """Each word changes places with the next one with the probability `share`."""

    name: ClassVar[str] = "word_swap"
    share: float = 0.05
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_chance(self, self.share)
        check_chance(self, self.chance)

    def on_texts(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """The texts with some words in another order."""
        words = [text.split() for text in texts]
        drawn, _ = _drawn(rng, [max(len(line) - 1, 0) for line in words], self.share, self.chance)
        return [" ".join(_exchanged(line, swaps)) if swaps.any() else text
                for text, line, swaps in zip(texts, words, drawn, strict=True)]


@dataclass(frozen=True)
class Typos:
    """Slips of the finger: each letter with the probability `share`.

    A slip is a neighbouring key (of the `keyboard` "qwerty", "qwertz" or "azerty"), two letters exchanged, one left
    out or one typed twice, each as likely. A word's last letter is neither exchanged nor left out, and a letter that
    the keyboard does not have is not mistaken for another: they are typed twice.
    """

    name: ClassVar[str] = "typos"
    share: float = 0.02
    keyboard: str = "qwerty"
    chance: float = 0.5

    def __post_init__(self) -> None:
        check_chance(self, self.share)
        check_chance(self, self.chance)
        if self.keyboard not in _LAYOUTS:
            raise unknown("keyboard", self.keyboard, _LAYOUTS)

    def on_texts(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """The texts with some letters mistyped."""
        drawn, _ = _drawn(rng, [len(text) for text in texts], self.share, self.chance)
        return [self._mistyped(text, np.flatnonzero(slips).tolist(), rng) if slips.any() else text
                for text, slips in zip(texts, drawn, strict=True)]

    def _mistyped(self, text: str, slips: list[int], rng: np.random.Generator) -> str:
        keys, letters = _neighbours(self.keyboard), list(text)
        for place, kind, which in zip(slips, rng.integers(0, 4, len(slips)).tolist(), rng.random(len(slips)).tolist(),
                                      strict=True):
            letter = text[place]
            near = keys.get(letter.lower(), "")
            is_last = not text[place + 1:place + 2].isalpha()
            if not letter.isalpha():
                continue
            if kind == 0 and not is_last:
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
            elif kind == 1 and not is_last:
                letters[place] = ""
            elif kind == 2 and near:
                typed = near[int(which * len(near))]
                letters[place] = typed.upper() if letter.isupper() else typed
            else:
                letters[place] = letter * 2
        return "".join(letters)


def _drawn(rng: np.random.Generator, lengths: Sequence[int], share: float,
           chance: float) -> tuple[list[np.ndarray[tuple[int], np.dtype[np.bool_]]], list[int]]:
    """For each text which of its places are hit, and one place of it (0 of an empty one), all from one draw."""
    ends = np.cumsum(lengths)
    hit = rng.random(int(ends[-1]) if len(ends) else 0) < share
    hit &= np.repeat(rng.random(len(lengths)) < chance, lengths)
    one = (rng.random(len(lengths)) * lengths).astype(int).tolist()
    return np.split(hit, ends[:-1]) if len(ends) else [], one


def _exchanged(words: list[str], swaps: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[str]:
    order = words.copy()
    for place in np.flatnonzero(swaps).tolist():
        order[place], order[place + 1] = order[place + 1], order[place]
    return order


@lru_cache(maxsize=4)
def _neighbours(keyboard: str) -> dict[str, str]:
    """For each letter those whose keys touch its key; rows are shifted by half a key."""
    rows = _LAYOUTS[keyboard]
    places = {letter: (column + 0.5 * row, row) for row, line in enumerate(rows) for column, letter in enumerate(line)}
    return {letter: "".join(other for other, (x, y) in places.items() if other != letter
                            and abs(y - places[letter][1]) <= 1 and abs(x - places[letter][0]) <= 1)
            for letter in places}
