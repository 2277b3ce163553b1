"""NGram: log probabilities of words after up to order - 1 others, with weights for backing off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from linnet.errors import LinnetError

START, END, UNKNOWN = "<s>", "</s>", "<unk>"

Words = tuple[str, ...]


@dataclass(frozen=True)
class NGram:
    """`entries` holds for sequences of words (natural log probability of the last, log weight of backing off)."""

    order: int
    entries: Mapping[Words, tuple[float, float]]

    def __post_init__(self) -> None:
        if (END,) not in self.entries:
            raise LinnetError(f"a word model without {END} cannot end a sentence; train it, or repair its file.")

    def __contains__(self, word: str) -> bool:
        return (word,) in self.entries

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that it knows, sorted, without the marks of start, end and unknown."""
        return tuple(sorted(key[0] for key in self.entries if len(key) == 1 and key[0] not in (START, END, UNKNOWN)))

    def log_probability(self, word: str, before: Sequence[str] = ()) -> float:
        """Natural log of the probability of a word after others; minus infinity for what the model excludes.

        A word that it does not know counts as <unk>, where it has that.
        """
        known = word if word in self else UNKNOWN
        context = tuple(one if one in self or one == START else UNKNOWN for one in before)[-(self.order - 1):]
        context = context if self.order > 1 else ()
        weight = 0.0
        while (*context, known) not in self.entries:
            if not context:
                return -math.inf
            weight += self.entries.get(context, (0.0, 0.0))[1]
            context = context[1:]
        return weight + self.entries[*context, known][0]

    def score(self, words: Sequence[str]) -> float:
        """Natural log of the probability of a whole sentence, its end included."""
        said = [START, *words, END]
        return sum(self.log_probability(said[place], said[:place]) for place in range(1, len(said)))

    def perplexity(self, texts: Iterable[str]) -> float:
        """The geometric mean of 1 / probability over words and ends of sentences: how many words it wavers between."""
        rows = [text.split() for text in texts]
        count = sum(len(row) + 1 for row in rows)
        if not count:
            raise LinnetError("perplexity is a mean over words; give at least one text.")
        return math.exp(-sum(self.score(row) for row in rows) / count)
