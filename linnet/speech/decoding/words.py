"""The words of a lexicon as a tree of labels, and what each word is worth after others."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from linnet.errors import LinnetError
from linnet.language.lexicon import Lexicon
from linnet.language.ngram import END, START, NGram

log = logging.getLogger("linnet")
_LEAST = -30.0
"""The log probability of a word that a model excludes."""


@dataclass
class Node:
    """A beginning of words: the label that led here, what may follow, and the words that end here."""

    label: int
    following: dict[int, Node] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    ahead: float = -math.inf
    """What the best word below is worth, whatever was said before: by this, beginnings are compared with words."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """All words that can be said, as a tree, and what they are worth."""

    root: Node
    worth: Worth


def vocabulary(lexicon: Lexicon, labels: Mapping[str, int], worth: Worth) -> Vocabulary:
    """All words of the lexicon; says which boosted words it lacks.

    Raises LinnetError for phones that the network does not answer with.
    """
    root = Node(-1)
    strange = sorted(set(lexicon.phones) - set(labels))
    if strange:
        raise LinnetError(f"the lexicon has phones that the network does not answer with: {', '.join(strange[:10])}. "
                          f"It knows: {', '.join(labels)}.")
    unheard = sorted(set(worth.boosts) - {word.casefold() for word in lexicon.entries})
    if unheard:
        log.warning("%d of %d boosted words are not in the lexicon, and cannot be heard: %s; add how they are said.",
                    len(unheard), len(worth.boosts), ", ".join(unheard[:10]))
    for word, ways in lexicon.entries.items():
        value = worth.alone(word)
        for way in ways:
            node = root
            for phone in way:
                node = node.following.setdefault(labels[phone], Node(labels[phone]))
                node.ahead = max(node.ahead, value)
            node.words.append(word)
    root.ahead = 0.0
    return Vocabulary(root, worth)


@dataclass(frozen=True)
class Worth:
    """What a word adds to the score of what came before it.

    `weight` times the word model's log probability (none: every word alike), `insertion` for each word, and for words
    given at run time (names, products) what `boosts` says, by word without case: 2 to 6 are usual.
    """

    model: NGram | None = None
    weight: float = 1.0
    insertion: float = 1.0
    boosts: Mapping[str, float] = field(default_factory=dict)
    _known: dict[tuple[tuple[str, ...], str], float] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "boosts", {word.casefold(): boost for word, boost in self.boosts.items()})

    def __call__(self, before: tuple[str, ...], word: str) -> float:
        """The weighted log probability of the word after those before it, with its boosts."""
        return self._likelihood(before, word) + self.insertion + self.boosts.get(word.casefold(), 0.0)

    def alone(self, word: str) -> float:
        """What it is worth wherever it stands, by how often it is said."""
        value = self.model.log_probability(word) if self.model else 0.0
        said = self.weight * (value if math.isfinite(value) else _LEAST)
        return said + self.insertion + self.boosts.get(word.casefold(), 0.0)

    def end(self, words: tuple[str, ...]) -> float:
        """What it is worth that nothing follows."""
        return self._likelihood(words, END)

    def _likelihood(self, before: tuple[str, ...], word: str) -> float:
        if self.model is None:
            return 0.0
        context = (START, *before)[-max(self.model.order - 1, 1):]
        if (context, word) not in self._known:
            value = self.model.log_probability(word, context)
            self._known[context, word] = self.weight * (value if math.isfinite(value) else _LEAST)
        return self._known[context, word]
