"""Training a word model from texts: Kneser-Ney smoothing, modified and interpolated."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from linnet.errors import LinnetError
from linnet.language.ngram.model import END, START, UNKNOWN, NGram, Words

_NEVER = -99.0 * math.log(10)
"""The probability of the start, which nobody says (as ARPA files write it)."""


def train(texts: Iterable[str], *, order: int = 3, words: Iterable[str] = ()) -> NGram:
    """A model of the words of `texts`, parted by spaces; `words` are known too, though no text has them.

    Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998, section 3): three discounts an order, taken from
    how many sequences occur once to four times; lower orders count the words before, not the occurrences. What
    remains of the single words goes to all words alike, <unk> among them.

    >>> model = train(["a b", "a c"], order=2)
    >>> round(sum(math.exp(model.log_probability(w, ["a"])) for w in ("a", "b", "c", "</s>", "<unk>")), 6)
    1.0
    """
    rows = [text.split() for text in texts]
    if not isinstance(order, int) or order < 1:
        raise LinnetError(f"order is of how many words sequences are counted, at least 1; got {order!r}.")
    if not any(rows):
        raise LinnetError("there is nothing to count: give texts with words.")
    counts = _counts(rows, order)
    vocabulary = {word for (word,) in counts[0] if word != START} | set(words) | {UNKNOWN, END}
    probabilities: dict[Words, float] = dict.fromkeys(((word,) for word in vocabulary), 1 / len(vocabulary))
    weights: dict[Words, float] = {}
    for each in counts:
        _level(each, probabilities, weights)
    entries = {words_: (math.log(value), math.log(weights.get(words_, 1.0))) for words_, value in probabilities.items()}
    entries[START,] = (_NEVER, math.log(weights.get((START,), 1.0)))
    return NGram(order, entries)


def _counts(rows: list[list[str]], order: int) -> list[Counter[Words]]:
    """Of each order: occurrences of the highest, and of what begins a sentence; else how many words stand before."""
    raw = [Counter[Words]() for _ in range(order)]
    for row in rows:
        said = [START, *row, END]
        for size in range(1, order + 1):
            raw[size - 1].update(tuple(said[place : place + size]) for place in range(len(said) - size + 1))
    found = []
    for size in range(1, order):
        before = Counter(words[1:] for words in raw[size])
        found.append(Counter({words: raw[size - 1][words] if words[0] == START else before[words]
                              for words in raw[size - 1]}))
    found.append(raw[order - 1])
    return found


def _level(counts: Counter[Words], probabilities: dict[Words, float], weights: dict[Words, float]) -> None:
    """The probabilities of one order, from those of the order below, which are there already."""
    of: Mapping[Words, list[tuple[Words, int]]] = _by_context(counts)
    discounts = _discounts(counts)
    fresh: dict[Words, float] = {}
    for context, several in of.items():
        total = sum(count for _, count in several)
        taken = sum(discounts[min(count, 3) - 1] for _, count in several)
        weights[context] = taken / total
        for words, count in several:
            fresh[words] = (count - discounts[min(count, 3) - 1]) / total
    for words, value in fresh.items():
        probabilities[words] = value + weights[words[:-1]] * (probabilities[words[1:] or words])
    if () in of:  # single words that never occur get their share of what remains
        for words in [key for key in probabilities if key not in fresh]:
            probabilities[words] *= weights[()]


def _by_context(counts: Counter[Words]) -> Mapping[Words, list[tuple[Words, int]]]:
    found: dict[Words, list[tuple[Words, int]]] = defaultdict(list)
    for words, count in counts.items():
        if words != (START,):
            found[words[:-1]].append((words, count))
    return found


def _discounts(counts: Counter[Words]) -> tuple[float, float, float]:
    """Chen and Goodman's equation 26; one half where the counts are too few to say."""
    of = Counter(count for words, count in counts.items() if words != (START,))
    if not all(of[times] for times in (1, 2, 3, 4)):
        return 0.5, 0.5, 0.5
    share = of[1] / (of[1] + 2 * of[2])
    first, second, third = (times - (times + 1) * share * of[times + 1] / of[times] for times in (1, 2, 3))
    return max(first, 0.05), max(second, 0.05), max(third, 0.05)
