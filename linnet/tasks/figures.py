"""The field's figures over all answers: F1 of label sets, edit distance, and distances between numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def f1_scores(answers: Sequence[Sequence[str]], expected: Sequence[Sequence[str]],
              labels: Sequence[str]) -> tuple[float, float]:
    """Micro F1 over all decisions, and macro F1: the mean of the labels' own, of those that occur on either side.

    >>> f1_scores([["a"], ["a", "b"]], [["a"], ["b"]], ["a", "b"])
    (0.8, 0.8333333333333333)
    """
    right, given, wanted = Counter[str](), Counter[str](), Counter[str]()
    for answer, truth in zip(answers, expected, strict=True):
        right.update(set(answer) & set(truth))
        given.update(answer)
        wanted.update(truth)
    each = [_f1(right[label], given[label], wanted[label]) for label in labels if given[label] + wanted[label]]
    return _f1(right.total(), given.total(), wanted.total()), float(np.mean(each)) if each else 1.0


def span_scores(answers: Sequence[Sequence[Sequence[Hashable]]],
                expected: Sequence[Sequence[Sequence[Hashable]]]) -> tuple[float, float, float]:
    """F1, precision and recall of spans; a span is right where its label, start and end are.

    >>> span_scores([[["city", 0, 4]]], [[["city", 0, 4], ["day", 5, 8]]])
    (0.6666666666666666, 1.0, 0.5)
    """
    right = given = wanted = 0
    for answer, truth in zip(answers, expected, strict=True):
        said, true = {tuple(span) for span in answer}, {tuple(span) for span in truth}
        right, given, wanted = right + len(said & true), given + len(said), wanted + len(true)
    return _f1(right, given, wanted), right / given if given else 1.0, right / wanted if wanted else 1.0


def _f1(right: int, given: int, wanted: int) -> float:
    return 2 * right / (given + wanted) if given + wanted else 1.0


def error_rate(answers: Sequence[Sequence[Hashable]], expected: Sequence[Sequence[Hashable]]) -> float:
    """Edits that turn the answers into what was expected, over the length of what was expected; may exceed 1.

    >>> error_rate(["kitten"], ["sitting"])
    0.42857142857142855
    """
    length = sum(map(len, expected))
    edits = sum(edit_distance(answer, truth) for answer, truth in zip(answers, expected, strict=True))
    return edits / length if length else float(edits > 0)


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The fewest insertions, deletions and substitutions between two sequences (Levenshtein 1966).

    >>> edit_distance("kitten", "sitting")
    3
    """
    names = {name: number for number, name in enumerate(dict.fromkeys([*one, *other]))}
    columns: NDArray[np.int64] = np.array([names[name] for name in other], np.int64)
    steps = np.arange(len(columns) + 1)
    row = steps.copy()
    for number, name in enumerate(one, 1):
        best = np.concatenate([[number], np.minimum(row[1:] + 1, row[:-1] + (columns != names[name]))])
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])
