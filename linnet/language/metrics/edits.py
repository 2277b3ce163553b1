"""The edits between what was said and what was answered, one token each, and texts made comparable."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RIGHT: Literal["right"] = "right"
Kind = Literal["right", "substitution", "deletion", "insertion"]
APOSTROPHES = "'\u2019"


@dataclass(frozen=True)
class Edit:
    """One step from what was expected to what was answered; None where a side has no token."""

    kind: Kind
    expected: Hashable | None
    answered: Hashable | None


def align(answer: Sequence[Hashable], expected: Sequence[Hashable]) -> tuple[Edit, ...]:
    """The fewest edits that make `answer` of `expected`; of several such ways, one that leaves the most tokens right.

    Takes 8 bytes for each pair of tokens. Source: Levenshtein 1966; Wagner and Fischer, The string-to-string
    correction problem, J. ACM 21, 1974.

    >>> [edit.kind for edit in align("turn on lights please".split(), "turn the lights on".split())]
    ['right', 'substitution', 'right', 'substitution']
    >>> [edit.kind for edit in align(["b", "c"], ["a", "b"])]
    ['deletion', 'right', 'insertion']
    """
    costs, price = _costs(answer, expected)
    row, column = len(expected), len(answer)
    edits: list[Edit] = []
    while row or column:
        is_right = row > 0 and column > 0 and expected[row - 1] == answer[column - 1]
        if row and column and costs[row, column] == costs[row - 1, column - 1] + (-1 if is_right else price):
            row, column = row - 1, column - 1
            edits.append(Edit(RIGHT if is_right else "substitution", expected[row], answer[column]))
        elif row and costs[row, column] == costs[row - 1, column] + price:
            row -= 1
            edits.append(Edit("deletion", expected[row], None))
        else:
            column -= 1
            edits.append(Edit("insertion", None, answer[column]))
    return tuple(reversed(edits))


def _costs(answer: Sequence[Hashable], expected: Sequence[Hashable]) -> tuple[NDArray[np.int64], int]:
    """The least cost up to each pair of places, (expected + 1, answer + 1), and what an edit costs.

    An edit costs more than all that right tokens can earn, 1 each.
    """
    price = len(answer) + len(expected) + 1
    names = {name: number for number, name in enumerate(dict.fromkeys([*answer, *expected]))}
    columns = np.array([names[name] for name in answer], np.int64)
    steps = price * np.arange(len(answer) + 1)
    costs = np.empty((len(expected) + 1, len(answer) + 1), np.int64)
    costs[0] = steps
    for number, name in enumerate(expected, 1):
        above = costs[number - 1]
        best = above + price
        best[1:] = np.minimum(best[1:], above[:-1] + np.where(columns == names[name], -1, price))
        costs[number] = np.minimum.accumulate(best - steps) + steps
    return costs, price


def plain(text: str) -> str:
    """A text as it is compared: one case, no punctuation but apostrophes within words, single spaces.

    Letters of any script, their marks and digits stay. What is written otherwise ("20" and "twenty") stays different.

    >>> plain("Don't  turn ON the lights, please!")
    "don't turn on the lights please"
    """
    kept = unicodedata.normalize("NFKC", text).casefold()
    for sign in APOSTROPHES[1:]:
        kept = kept.replace(sign, APOSTROPHES[0])
    letters = [sign if unicodedata.category(sign)[0] in "LMN" or sign == APOSTROPHES[0] else " " for sign in kept]
    return " ".join(word.strip(APOSTROPHES) for word in "".join(letters).split() if word.strip(APOSTROPHES))
