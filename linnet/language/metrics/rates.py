"""Error rates of words, characters and phones over many utterances, and whether two systems differ."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.comparisons import MatchedPairs, matched_pairs
from linnet.language.metrics.edits import Edit, align

Unit = Literal["word", "character", "phone"]
NAMES: dict[str, str] = {"word": "word_error_rate", "character": "character_error_rate", "phone": "phone_error_rate"}
Utterance = str | Sequence[Hashable]
SHORT = 2
"""An utterance of at most so many units is short: "yes", "next week"."""


@dataclass(frozen=True)
class ErrorRates:
    """The edits of every utterance; rates are edits over what was expected, and may exceed 1.

    A rate of nothing (no utterance, or none with a unit in it) is NaN.
    """

    unit: Unit
    edits: tuple[tuple[Edit, ...], ...]

    def __len__(self) -> int:
        return len(self.edits)

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """How many units were expected, an utterance each."""
        return self._count("right", "substitution", "deletion")

    @cached_property
    def errors(self) -> NDArray[np.int64]:
        """How many edits each utterance needs."""
        return self._count("substitution", "deletion", "insertion")

    @cached_property
    def answered(self) -> NDArray[np.int64]:
        """How many units were answered, an utterance each."""
        return self._count("right", "substitution", "insertion")

    def _count(self, *kinds: str) -> NDArray[np.int64]:
        return np.array([sum(edit.kind in kinds for edit in edits) for edits in self.edits], np.int64)

    def total(self, kind: Literal["right", "substitution", "deletion", "insertion"]) -> int:
        """How many edits of one kind there are."""
        return int(self._count(kind).sum())

    @property
    def rate(self) -> float:
        """Substitutions, deletions and insertions over the expected units: WER, CER or PER."""
        return _share(self.errors.sum(), self.units.sum())

    @property
    def sentence_error_rate(self) -> float:
        """The share of utterances with any error."""
        return _share((self.errors > 0).sum(), len(self))

    @property
    def false_positive_rate(self) -> float:
        """Of the utterances in which nothing was said, the share that was answered with something."""
        return _share(((self.units == 0) & (self.answered > 0)).sum(), (self.units == 0).sum())

    @property
    def false_negative_rate(self) -> float:
        """Of the utterances in which something was said, the share that was answered with nothing."""
        return _share(((self.units > 0) & (self.answered == 0)).sum(), (self.units > 0).sum())

    def take(self, is_taken: ArrayLike) -> ErrorRates:
        """The utterances of which `is_taken` is true."""
        return ErrorRates(self.unit, tuple(self.edits[place] for place in np.flatnonzero(np.asarray(is_taken))))

    def short(self, most: int = SHORT) -> ErrorRates:
        """The utterances in which 1 to `most` units were said."""
        return self.take((self.units > 0) & (self.units <= most))

    def long(self, most: int = SHORT) -> ErrorRates:
        """The utterances that `short` leaves out, without those in which nothing was said."""
        return self.take(self.units > most)

    def by(self, groups: Sequence[str]) -> dict[str, ErrorRates]:
        """The same for each group; `groups` names that of each utterance."""
        if len(groups) != len(self):
            raise LinnetError(f"groups names the group of each utterance: {len(self)} of them; got {len(groups)}.")
        return {name: self.take([group == name for group in groups]) for name in sorted(set(groups))}

    def interval(self, level: float = 0.95, *, clusters: ArrayLike | None = None) -> tuple[float, float]:
        """Of the rate: a ratio over utterances, or over `clusters` (a speaker each); (0, inf) with too few errors.

        Assumes: utterances (clusters) are independent, and enough of them have errors that the ratio is normal.
        Source: `evidence.comparisons.matched_pairs`, held against a system without errors.
        """
        low, high = matched_pairs(self.errors, np.zeros(len(self)), self.units, level=level,
                                  clusters=clusters).interval
        return max(0.0, low), high

    def frequent(self, most: int = 10) -> list[tuple[Edit, int]]:
        """The most frequent errors with their numbers."""
        counted = Counter(edit for edits in self.edits for edit in edits if edit.kind != "right")
        return counted.most_common(most)

    def to_json(self) -> dict[str, Any]:
        """Every rate with what it was counted over; NaN becomes None."""
        short, long = self.short(), self.long()
        rates = {NAMES[self.unit]: self.rate, "sentence_error_rate": self.sentence_error_rate,
                 "false_positive_rate": self.false_positive_rate, "false_negative_rate": self.false_negative_rate,
                 "short_rate": short.rate, "long_rate": long.rate}
        counts = {"utterances": len(self), "units": int(self.units.sum()), "short": len(short), "long": len(long),
                  **{f"{kind}s": self.total(kind) for kind in ("substitution", "deletion", "insertion")}}
        return {name: None if math.isnan(rate) else rate for name, rate in rates.items()} | counts


def error_rates(answers: Sequence[Utterance], expected: Sequence[Utterance], *, unit: Unit = "word") -> ErrorRates:
    """Align each answer with what was expected.

    Texts are cut into words (at spaces), characters (a space between words counts) or phones (at spaces); lists are
    taken as they are. Upper and lower case and punctuation count: use `plain` on both sides where they should not.

    >>> found = error_rates(["turn of the light", ""], ["turn off the light", "yes"])
    >>> found.rate, found.sentence_error_rate, found.false_negative_rate
    (0.4, 1.0, 0.5)
    """
    if unit not in NAMES:
        raise unknown("unit", str(unit), NAMES)
    _check(answers, expected)
    return ErrorRates(unit, tuple(align(_units(answer, unit), _units(truth, unit))
                                  for answer, truth in zip(answers, expected, strict=True)))


def oracle(nbest: Sequence[Sequence[Utterance]], expected: Sequence[Utterance], *,
           deepest: Sequence[int] = (1, 3, 10), unit: Unit = "word") -> dict[int, ErrorRates]:
    """The rates of whoever knew which of the first n answers is the best one, for each n: what a reranker may gain.

    An utterance without answers counts as answered with nothing.

    >>> found = oracle([["two bees", "to be"], ["yes"]], ["to be", "yes"], deepest=[1, 2])
    >>> [round(rates.rate, 3) for rates in found.values()]
    [0.667, 0.0]
    """
    _check(nbest, expected)
    if not deepest or min(deepest) < 1:
        raise LinnetError(f"deepest says how many answers are looked at, at least 1 each; got {list(deepest)}.")
    each = [error_rates(list(row) or [""], [truth] * max(1, len(row)), unit=unit).edits
            for row, truth in zip(nbest, expected, strict=True)]
    return {most: ErrorRates(unit, tuple(min(edits[:most], key=_errors) for edits in each)) for most in deepest}


def compare(after: ErrorRates, before: ErrorRates, *, level: float = 0.95,
            clusters: ArrayLike | None = None) -> MatchedPairs:
    """The matched-pairs test of two systems on the same utterances, and an interval of their difference.

    Utterances are the segments, or whole `clusters` of them (a speaker each), which repeat each other's errors.
    """
    if after.unit != before.unit or not np.array_equal(after.units, before.units):
        raise LinnetError("the two were not asked the same: give the error rates of both systems on the same "
                          f"utterances, in one order; got {len(after)} and {len(before)} utterances of "
                          f"{int(after.units.sum())} {after.unit}s and {int(before.units.sum())} {before.unit}s.")
    return matched_pairs(after.errors, before.errors, after.units, level=level, clusters=clusters)


def _errors(edits: tuple[Edit, ...]) -> int:
    return sum(edit.kind != "right" for edit in edits)


def _units(utterance: Utterance, unit: Unit) -> Sequence[Hashable]:
    if not isinstance(utterance, str):
        return utterance
    words = utterance.split()
    return " ".join(words) if unit == "character" else words


def _check(answers: Sequence[Any], expected: Sequence[Any]) -> None:
    if isinstance(answers, str) or isinstance(expected, str):
        raise LinnetError("answers and expected are lists, an utterance each; got one text.")
    if len(answers) != len(expected):
        raise LinnetError(f"every utterance has an answer and what was expected; got {len(answers)} answers and "
                          f"{len(expected)} expected ones.")


def _share(count: float, of: float) -> float:
    return float(count / of) if of else math.nan
