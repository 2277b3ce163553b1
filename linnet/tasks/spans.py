"""Spans of a text as one tag a unit (outside, begin, continue), and back (Ramshaw and Marcus 1995, cmp-lg/9505040)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.data.tokenizer import Token

PADDED = -100
"""The target of a token that is not asked."""

Span = tuple[str, int, int]
"""(label, start, end) in characters; the end no longer belongs to it."""


class Unit(NamedTuple):
    """What gets one tag: a word, or a token. `position` is that of its first token."""

    position: int
    start: int
    end: int


def units(tokens: Sequence[Token], kind: str) -> list[Unit]:
    """Words, or tokens, in the order of the text.

    >>> units([Token(0, 4, 0), Token(4, 6, 0), Token(7, 9, 1)], "word")
    [Unit(position=0, start=0, end=6), Unit(position=2, start=7, end=9)]
    """
    found: list[Unit] = []
    last = -1
    for position, (start, end, word) in enumerate(tokens):
        if kind == "word" and found and word == last and word >= 0:
            found[-1] = found[-1]._replace(end=max(end, found[-1].end))
        else:
            found.append(Unit(position, start, end))
        last = word
    return found


def tags_of(found: Sequence[Unit], spans: Sequence[Span], labels: Sequence[str]) -> list[int]:
    """A tag a unit: 0 outside, 1 + 2k where a span of the k-th label begins, 2 + 2k where it goes on.

    A unit that two spans touch belongs to the earlier one. `spans` stand in the order of their starts.

    >>> tags_of([Unit(0, 0, 4), Unit(1, 4, 7), Unit(2, 8, 12)], [("verb", 0, 4), ("end", 4, 12)], ["verb", "end"])
    [1, 3, 4]
    >>> tags_of([Unit(0, 0, 4), Unit(1, 4, 7)], [("end", 4, 7)], ["end"])
    [0, 1]
    """
    number = {label: place for place, label in enumerate(labels)}
    tags = [0] * len(found)
    place = 0
    for label, start, end in spans:
        while place < len(found) and found[place].end <= start:
            place += 1
        tag = 2 * number[label] + 1
        while place < len(found) and found[place].start < end:
            tags[place], tag = tag, 2 * number[label] + 2
            place += 1
    return tags


def spans_of(found: Sequence[Unit], tags: Sequence[int], labels: Sequence[str]) -> list[Span]:
    """The spans that the units' tags say; a tag that continues another label's span begins one.

    >>> spans_of([Unit(0, 0, 4), Unit(1, 5, 8), Unit(2, 9, 12)], [2, 2, 4], ["city", "day"])
    [('city', 0, 8), ('day', 9, 12)]
    """
    spans: list[Span] = []
    last = 0
    for unit, tag in zip(found, tags, strict=True):
        if tag:
            label = labels[(tag - 1) // 2]
            if tag % 2 == 0 and (last - 1) // 2 == (tag - 1) // 2:
                start, end = spans[-1][1:]
                spans[-1] = (label, start, unit.end if unit.end > unit.start else end)
            else:
                spans.append((label, unit.start, unit.end))
        last = tag
    return [span for span in spans if span[2] > span[1]]


def likeliest(logits: NDArray[Any]) -> list[int]:
    """The tags (units,) with the largest sum of logits (units, tags); none of them continues what did not begin.

    Viterbi's algorithm (1967), with transitions that are allowed or not; units are asked together only where the best
    tag of each alone makes no sense.

    >>> likeliest(np.array([[0.0, 2.0, 0.0, 1.5, 0.0], [0.0, 0.0, 1.0, 0.0, 2.5]]))    # O B-a I-a B-b I-b
    [3, 4]
    """
    alone = np.argmax(logits, axis=1) if len(logits) else np.zeros(0, np.int64)
    before = np.append(0, alone[:-1])[: len(alone)]
    if ((alone % 2 == 1) | (alone == 0) | (before == alone) | (before == alone - 1)).all():
        return [int(tag) for tag in alone]
    scores = np.asarray(logits, np.float64)
    best, came = np.where(np.arange(scores.shape[1]) % 2 == 1, scores[0], -np.inf), []
    best[0] = scores[0, 0]
    for row in scores[1:]:
        source = np.full(len(row), int(best.argmax()))
        begun, inside = best[1::2], best[2::2]
        source[2::2] = np.arange(1, len(row), 2) + (inside > begun)
        best = best[source] + row
        came.append(source)
    tags = [int(best.argmax())]
    for source in reversed(came):
        tags.append(int(source[tags[-1]]))
    return tags[::-1]
