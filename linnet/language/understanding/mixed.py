"""Code-mixed text: scripts, and how much of a sentence is not in its main language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from linnet.errors import LinnetError


def scripts(text: str) -> Counter[str]:
    """How many letters of each script, by the first word of their Unicode names.

    >>> scripts("mera बिल pay")
    Counter({'LATIN': 7, 'DEVANAGARI': 2})
    """
    return Counter(unicodedata.name(sign, "UNKNOWN").split()[0] for sign in unicodedata.normalize("NFC", text)
                   if sign.isalpha())


def mixing(text: str, languages: Mapping[str, Collection[str] | Callable[[str], bool]]) -> float:
    """The code-mixing index, 0 for one language, up to 1 - 1 / languages (Das and Gambaeck 2014, ICON, equation 1).

    `languages` are words of each, or functions that know them; a word that several or none of them know (a name, a
    number) counts for none. It tells in which share of the traffic a model of one language will be at a loss.

    >>> mixing("mera bill kab tak pay karna hai", {"hi": {"mera", "kab", "tak", "karna", "hai"}, "en": {"bill", "pay"}})
    0.2857142857142857
    """
    if len(languages) < 2:
        raise LinnetError(f"mixing needs at least two languages; got {', '.join(languages) or 'none'}.")
    counts: Counter[str] = Counter()
    for word in text.lower().split():
        known = [name for name, words in languages.items() if (words(word) if callable(words) else word in words)]
        if len(known) == 1:
            counts[known[0]] += 1
    return 1 - max(counts.values()) / counts.total() if counts else 0.0
