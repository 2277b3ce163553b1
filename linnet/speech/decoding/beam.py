"""Prefix beam search: words of a lexicon under a word model, for speech that no grammar holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.speech.decoding.words import Node, Vocabulary, Worth

BLANK = 0
_LABELS = 12
"""So many labels of a frame are followed, and none less likely than the next."""
_LEAST_LABEL = -9.0


@dataclass(frozen=True)
class Found:
    """A text, with the log likelihood of the sound, summed over alignments, and what its words are worth."""

    words: tuple[str, ...]
    acoustic: float
    language: float

    @property
    def text(self) -> str:
        """The words, parted by spaces."""
        return " ".join(self.words)

    @property
    def score(self) -> float:
        """By which texts are ordered."""
        return self.acoustic + self.language


class _Prefix:
    """Words so far, the beginning of the next, and the likelihoods of having ended with a blank and a label."""

    __slots__ = ("blank", "label", "language", "last", "next_blank", "next_label", "node", "words")

    def __init__(self, words: tuple[str, ...], node: Node, last: int, language: float) -> None:
        self.words, self.node, self.last, self.language = words, node, last, language
        self.blank = self.label = self.next_blank = self.next_label = -math.inf

    @property
    def total(self) -> float:
        return _sum(self.blank, self.label) + self.language + self.node.ahead


Key = tuple[tuple[str, ...], int, int]


def beam_search(logs: NDArray[Any], vocabulary: Vocabulary, *, width: int = 32, count: int = 1) -> list[Found]:
    """Up to `count` texts, the best first; (frames, labels) log probabilities, the blank first.

    Of each beginning the likelihoods of all alignments are summed, and after each frame the `width` best beginnings
    are kept (Graves 2012, section 7.5.3; Hannun et al. 2014, arXiv:1408.2873, algorithm 1), here over the tree of a
    lexicon, whose words are weighed when they end. The empty text may be among them: nothing may have been said.
    Where the beam ends within words only, these are left out.
    """
    root, worth = vocabulary.root, vocabulary.worth
    start = _Prefix((), root, -1, 0.0)
    start.blank = 0.0
    beam: dict[Key, _Prefix] = {((), id(root), -1): start}
    for frame in np.asarray(logs, np.float64):
        likely = [int(label) for label in np.argsort(-frame)[: _LABELS + 1] if label != BLANK
                  and frame[label] > _LEAST_LABEL]
        values = frame.tolist()
        for prefix in list(beam.values()):
            _stay(prefix, values)
            _go_on(prefix, values, likely, beam, (root, worth))
        beam = _kept(beam, width)
    ends = [prefix for prefix in beam.values() if prefix.node is root]
    return _ranked(ends or list(beam.values()), worth)[:count]


def _stay(prefix: _Prefix, frame: list[float]) -> None:
    """A blank, or the last label again."""
    prefix.next_blank = _sum(prefix.next_blank, _sum(prefix.blank, prefix.label) + frame[BLANK])
    if prefix.last >= 0:
        prefix.next_label = _sum(prefix.next_label, prefix.label + frame[prefix.last])


def _go_on(prefix: _Prefix, frame: list[float], likely: list[int], beam: dict[Key, _Prefix],
           rest: tuple[Node, Worth]) -> None:
    """A label that continues the word; where words end with it, also their ends."""
    root, worth = rest
    total = _sum(prefix.blank, prefix.label)
    for label in likely:
        node = prefix.node.following.get(label)
        if node is None:
            continue
        value = (prefix.blank if label == prefix.last else total) + frame[label]
        if value == -math.inf:
            continue
        if node.following:
            _reach(beam, _Prefix(prefix.words, node, label, prefix.language), value)
        for word in node.words:
            language = prefix.language + worth(prefix.words, word)
            _reach(beam, _Prefix((*prefix.words, word), root, label, language), value)


def _reach(beam: dict[Key, _Prefix], fresh: _Prefix, value: float) -> None:
    """Another way to a beginning, which may be new."""
    prefix = beam.setdefault((fresh.words, id(fresh.node), fresh.last), fresh)
    prefix.next_label = _sum(prefix.next_label, value)


def _kept(beam: dict[Key, _Prefix], width: int) -> dict[Key, _Prefix]:
    for prefix in beam.values():
        prefix.blank, prefix.label = prefix.next_blank, prefix.next_label
        prefix.next_blank = prefix.next_label = -math.inf
    best = sorted(beam.items(), key=lambda item: -item[1].total)[:width]
    return dict(best)


def _ranked(ends: list[_Prefix], worth: Worth) -> list[Found]:
    """The same words, said in several ways, are one text."""
    acoustic: dict[tuple[str, ...], float] = {}
    language: dict[tuple[str, ...], float] = {}
    for prefix in ends:
        acoustic[prefix.words] = _sum(acoustic.get(prefix.words, -math.inf), _sum(prefix.blank, prefix.label))
        language[prefix.words] = prefix.language + worth.end(prefix.words)
    found = [Found(words, acoustic[words], language[words]) for words in acoustic]
    return sorted(found, key=lambda one: -one.score)


def _sum(one: float, other: float) -> float:
    """The log of a sum of likelihoods."""
    if one < other:
        one, other = other, one
    return one if other == -math.inf else one + math.log1p(math.exp(other - one))
