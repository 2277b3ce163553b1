"""Graph: every way of saying what a grammar holds, as states that each stand for one label of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.language.grammar import Acceptor
from linnet.language.lexicon import Lexicon

_MOST_ARCS = 5_000_000
NO_WORD = -1


@dataclass(frozen=True, eq=False)
class Graph:
    """States, each a label; arcs into a state lie together. Words that begin alike share their first states.

    The start has the number len(labels). The last state of a word is its own, so that a path says its words.
    """

    labels: NDArray[np.int64]
    """(states,) column of the network's output."""
    sources: NDArray[np.int64]
    """(arcs,) where each comes from, by the state that it leads to."""
    first: NDArray[np.int64]
    """(states,) the first arc into each."""
    words: NDArray[np.int64]
    """(states,) the word that ends there, an index into `vocabulary`, or -1."""
    finals: NDArray[np.int64]
    """States in which a text may end."""
    vocabulary: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def into(self, state: int) -> NDArray[np.int64]:
        """The states from which an arc leads to this one."""
        end = self.first[state + 1] if state + 1 < len(self) else len(self.sources)
        return self.sources[self.first[state] : end]


def compile_graph(acceptor: Acceptor, lexicon: Lexicon | None, labels: Mapping[str, int], *,
                  between: str | None = None) -> Graph:
    """The acceptor's words, said as the lexicon says (None: letter by letter); `labels` are columns of the output.

    `between` is the label that stands between words, where the network has one (characters have a space). Raises
    LinnetError for words that are not in the lexicon and phones that the network does not know.
    """
    return _Compiler(lexicon, labels, between).compiled(acceptor)


@dataclass
class _Compiler:
    """Grows one tree of phones a state of the acceptor, then joins words to what may follow them."""

    lexicon: Lexicon | None
    known: Mapping[str, int]
    between: str | None
    labels: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    leads: list[list[int]] = field(default_factory=list)
    """For each state the states before it in the same tree."""
    leaves: list[tuple[int, int]] = field(default_factory=list)
    """Last states of words, with the acceptor's state that follows."""

    def compiled(self, acceptor: Acceptor) -> Graph:
        vocabulary = {word: number for number, word in enumerate(sorted({w for arcs in acceptor.arcs for w in arcs}))}
        roots = [self._tree(arcs, vocabulary, is_start=number == 0) for number, arcs in enumerate(acceptor.arcs)]
        start = len(self.labels)
        for state in roots[0]:
            self.leads[state].append(start)
        if sum(len(roots[following]) for _, following in self.leaves) > _MOST_ARCS:
            raise LinnetError(f"the grammar has more than {_MOST_ARCS:,} ways from word to word: too many alternatives "
                              "follow one another. Give fewer, or recognize with a word model (n-gram).")
        for leaf, following in self.leaves:
            for state in roots[following]:
                self.leads[state].append(leaf)
        counts = np.array([len(before) for before in self.leads], np.int64)
        sources = np.array([one for before in self.leads for one in before], np.int64)
        return Graph(np.array(self.labels, np.int64), sources,
                     np.concatenate([[0], np.cumsum(counts)[:-1]]), np.array(self.words, np.int64),
                     np.array([leaf for leaf, following in self.leaves if following in acceptor.finals], np.int64),
                     tuple(vocabulary))

    def _tree(self, arcs: Mapping[str, int], vocabulary: Mapping[str, int], *, is_start: bool) -> list[int]:
        """The states with which the words of one state of the acceptor begin."""
        roots: list[int] = []
        inner: dict[tuple[int, ...], int] = {}
        for word, following in arcs.items():
            for way in [tuple(word)] if self.lexicon is None else self.lexicon[word]:
                phones = self._columns(way if is_start or self.between is None else (self.between, *way), word)
                before: int | None = None
                for length in range(1, len(phones)):
                    prefix = phones[:length]
                    if prefix not in inner:
                        inner[prefix] = self._state(prefix[-1], NO_WORD, before, roots)
                    before = inner[prefix]
                self.leaves.append((self._state(phones[-1], vocabulary[word], before, roots), following))
        return roots

    def _state(self, label: int, word: int, before: int | None, roots: list[int]) -> int:
        self.labels.append(label)
        self.words.append(word)
        self.leads.append([] if before is None else [before])
        if before is None:
            roots.append(len(self.labels) - 1)
        return len(self.labels) - 1

    def _columns(self, way: Sequence[str], word: str) -> tuple[int, ...]:
        strange = sorted(set(way) - set(self.known))
        if strange:
            raise LinnetError(f"'{word}' is said with {', '.join(map(repr, strange))}, which the network does not "
                              f"answer with. It knows: {', '.join(self.known)}.")
        return tuple(self.known[phone] for phone in way)
