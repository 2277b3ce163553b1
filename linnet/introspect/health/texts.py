"""One text in numbers: its length, what it is written with, and characters that hardly anybody typed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

TEXT_UNITS = {"characters": "", "words": "", "letters": "share", "capitals": "share", "odd": ""}
_ODD = ("Cc", "Cf", "Co", "Cn", "Cs")  # control, invisible, private, unassigned, half of a pair
_JOINERS = "\u200c\u200d"  # needed by Persian, Indic scripts and emoji
_GARBLED = re.compile("[ÃÂ][\u0080-\u00bf]|â€|ï»¿|\ufffd")  # UTF-8 read as Latin-1 or Windows-1252; what was lost


def measure_text(text: str) -> dict[str, float]:
    """Five numbers of a text (see TEXT_UNITS).

    `letters` is the share of letters among all but spaces, `capitals` that among the letters which have a case. `odd`
    counts control and invisible characters, those that no standard knows, and what is left of a wrong decoding.

    >>> measure_text("Hi you")["words"], measure_text("CafÃ© \\x07")["odd"]
    (2.0, 2.0)
    """
    written = "".join(text.split())
    letters = sum(character.isalpha() for character in written)
    capitals = sum(character.isupper() for character in written)
    cased = capitals + sum(character.islower() for character in written)
    odd = len(_GARBLED.findall(text)) + sum(_is_odd(character) for character in text if not character.isalnum())
    return {"characters": float(len(text)), "words": float(len(text.split())),
            "letters": letters / len(written) if written else 0.0, "capitals": capitals / cased if cased else 0.0,
            "odd": float(odd)}


def script(text: str) -> str:
    """The script that most of the letters belong to, after their Unicode names; "none" without letters.

    >>> script("linnet"), script("коноплянка"), script("17")
    ('Latin', 'Cyrillic', 'none')
    """
    counts = Counter(_script_of(character) for character in text if character.isalpha())
    return counts.most_common(1)[0][0] if counts else "none"


@lru_cache(maxsize=65536)
def _is_odd(character: str) -> bool:
    return (unicodedata.category(character) in _ODD and character not in _JOINERS
            and character not in "\n\t\r")


@lru_cache(maxsize=65536)
def _script_of(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0].capitalize()
