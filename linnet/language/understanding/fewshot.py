"""New intents from a few examples, beside a model that stays as it is."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

_BUCKETS = 1 << 15
_ORDERS = (3, 4, 5)


@dataclass(frozen=True, eq=False)
class NewIntents:
    """`answers(texts)` names a new intent where a text is like its examples, None where it is not.

    A text's likeness is the mean cosine to the two likest examples, over groups of characters and words, the rare ones
    counting more. `threshold` is the likeness that at most a share of `rate` of what the model knows already reaches.
    """

    examples: Mapping[str, Any] = field(repr=False)
    """Each new intent's examples as sparse vectors of length 1."""
    rarity: NDArray[np.float64] = field(repr=False)
    threshold: float
    rate: float

    def likeness(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(texts, new intents)."""
        rows = _vectors(texts, self.rarity)
        return np.stack([_two_likest((rows @ kept.T).toarray()) for kept in self.examples.values()], axis=1)

    def answers(self, texts: Sequence[str]) -> list[str | None]:
        """The likest new intent from the threshold on."""
        names, found = list(self.examples), self.likeness(texts)
        return [names[int(row.argmax())] if row.max() >= self.threshold else None for row in found]


def learn(examples: Mapping[str, Sequence[str]], others: Sequence[str], *, rate: float = 0.01) -> NewIntents:
    """New intents from a few examples each; `others` are texts of what is known already, and keep their answers.

    Half of `others` says which groups are rare, the other half at which likeness a text is taken from the model: at
    most a share of `rate` of such texts is, on average over draws of them (split conformal, Vovk et al. 2005). Raises
    LinnetError where fewer than two examples or too few others are given.
    """
    for name, texts in examples.items():
        if len(texts) < 2:
            raise LinnetError(f"the new intent '{name}' has {len(texts)} example(s); give at least two, better five.")
    if not examples:
        raise LinnetError("there is no new intent; give each one's examples.")
    if not 0 < rate < 1:
        raise LinnetError(f"rate is a share between 0 and 1; got {rate!r}.")
    first, second = list(others[::2]), list(others[1::2])
    place = int(np.ceil((1 - rate) * (len(second) + 1)))
    if place > len(second):
        raise LinnetError(f"{len(others)} other texts cannot promise a rate of {rate:g}: give at least "
                          f"{2 * int(np.ceil(1 / rate))}, or a larger rate.")
    counts = np.zeros(_BUCKETS)
    for text in first:
        counts[list(_groups(text))] += 1
    rarity = np.log((1 + len(first)) / (1 + counts))
    kept = {name: _vectors(texts, rarity) for name, texts in examples.items()}
    found = NewIntents(kept, rarity, 0.0, rate)
    taken = np.sort(found.likeness(second).max(axis=1))
    return NewIntents(kept, rarity, float(np.nextafter(taken[place - 1], 2.0)), rate)


def _two_likest(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sort(cosines, axis=1)[:, -2:].mean(axis=1))


def _vectors(texts: Sequence[str], rarity: NDArray[np.float64]) -> Any:
    from scipy.sparse import csr_array

    values, places, ends = [], [], [0]
    for text in texts:
        found = _groups(text)
        weights = np.array([(1 + np.log(count)) * rarity[place] for place, count in found.items()])
        values.append(weights / max(float(np.linalg.norm(weights)), 1e-12))
        places += list(found)
        ends.append(len(places))
    return csr_array((np.concatenate([np.zeros(0), *values]), np.array(places, np.int64), np.array(ends)),
                     shape=(len(texts), _BUCKETS))


def _groups(text: str) -> Counter[int]:
    """Buckets of words and of 3 to 5 characters within words."""
    words = text.lower().split()
    pieces = [f"#{word}" for word in words] + [f" {word} "[start : start + order] for word in words for order in _ORDERS
                                               for start in range(len(word) + 3 - order)]
    return Counter(zlib.crc32(piece.encode()) % _BUCKETS for piece in pieces)
