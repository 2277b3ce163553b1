"""ARPA files: the text format in which word models are exchanged; base 10 logarithms, backing off last."""

from __future__ import annotations

import math
import re
from collections import Counter

from linnet.errors import LinnetError
from linnet.language.ngram.model import NGram, Words

_LN10 = math.log(10)
_COUNT = re.compile(r"ngram (\d+)\s*=\s*(\d+)")
_SECTION = re.compile(r"\\(\d+)-grams:")


def to_arpa(model: NGram) -> str:
    """The text of an ARPA file.

    >>> from linnet.language.ngram import train
    >>> to_arpa(train(["a"], order=1)).splitlines()[1]
    'ngram 1=4'
    """
    sizes = Counter(map(len, model.entries))
    lines = ["\\data\\", *(f"ngram {size}={sizes[size]}" for size in range(1, model.order + 1))]
    for size in range(1, model.order + 1):
        lines += ["", f"\\{size}-grams:"]
        for words in sorted(key for key in model.entries if len(key) == size):
            value, weight = model.entries[words]
            back = f"\t{weight / _LN10:.7g}" if size < model.order and weight else ""
            lines.append(f"{value / _LN10:.7g}\t{' '.join(words)}{back}")
    return "\n".join([*lines, "", "\\end\\", ""])


def read_arpa(text: str) -> NGram:
    """The model of an ARPA file's text; raises LinnetError with the line of whatever is off."""
    said: dict[int, int] = {}
    entries: dict[Words, tuple[float, float]] = {}
    size, state = 0, "head"
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or state == "end" or (state == "head" and line != "\\data\\"):
            continue
        if line == "\\data\\":
            state = "data"
        elif line == "\\end\\":
            state = "end"
        elif state == "data" and (count := _COUNT.fullmatch(line)):
            said[int(count[1])] = int(count[2])
        elif section := _SECTION.fullmatch(line):
            size, state = int(section[1]), "words"
        elif state == "words":
            words, values = _entry(line, size, number)
            entries[words] = values
        else:
            raise LinnetError(f"line {number}: '{line}' is neither a count nor a section of an ARPA file.")
    if state != "end":
        raise LinnetError("the ARPA file is cut off: '\\end\\' is missing." if state != "head" else
                          "this is no ARPA file: '\\data\\' is missing.")
    for level, wanted in said.items():
        found = sum(len(words) == level for words in entries)
        if found != wanted:
            raise LinnetError(f"the ARPA file says {wanted} sequences of {level} words and holds {found}.")
    return NGram(max(said, default=1), entries)


def _entry(line: str, size: int, number: int) -> tuple[Words, tuple[float, float]]:
    pieces = line.split()
    if len(pieces) not in (size + 1, size + 2):
        raise LinnetError(f"line {number}: '{line}' is no number, {size} words, and at most one more number.")
    try:
        back = float(pieces[-1]) if len(pieces) == size + 2 else 0.0
        return tuple(pieces[1 : size + 1]), (float(pieces[0]) * _LN10, back * _LN10)
    except ValueError:
        raise LinnetError(f"line {number}: '{line}' has something else where a number is expected.") from None
