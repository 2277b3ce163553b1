"""SSML: how a text is to be said. A part of W3C's SSML 1.1, checked, and turned into pieces that any voice can say.

Understood: speak, p, s, break (time, strength), prosody (rate, pitch, volume), emphasis (level), say-as (characters,
digits, telephone), sub (alias). Anything else is refused with line and column, rather than passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.parsers import expat

from linnet.responses.reading import fault

LONGEST_BREAK_S = 10.0
LIMITS = {"rate": (0.5, 2.5), "pitch": (0.7, 1.6)}
"""Factors that a voice can follow, all that stands around a text together."""
RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "fast": 1.25, "x-fast": 1.75, "default": 1.0}
PITCHES = {"x-low": 0.7, "low": 0.85, "medium": 1.0, "high": 1.15, "x-high": 1.4, "default": 1.0}
VOLUMES_DB = {"silent": -100.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "loud": 4.0, "x-loud": 8.0,
              "default": 0.0}
BREAKS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
EMPHASES = {"none": (1.0, 0.0), "reduced": (1.1, -3.0), "moderate": (0.9, 2.0), "strong": (0.8, 4.0)}
"""Level to (rate, decibels): pitch stays, since not every voice can change it."""
_IS_SSML = re.compile(r"\s*<(\?xml|!DOCTYPE|speak[\s/>])")
_SENTENCE_S, _PARAGRAPH_S = 0.2, 0.5


@dataclass(frozen=True)
class Piece:
    """A stretch of text that is said in one manner, then silence; without text only the silence."""

    text: str
    rate: float = 1.0
    """As a factor of the voice's own: 2 is twice as fast."""
    pitch: float = 1.0
    """As a factor of the voice's own."""
    volume_db: float = 0.0
    pause_s: float = 0.0
    """Silence after it."""


def pieces(text: str) -> tuple[Piece, ...]:
    """What a voice is to say: SSML where the text begins with <speak, else the text itself.

    Raises LinnetError with line and column for SSML that is not well-formed or holds more than what is understood.

    >>> pieces("<speak>Wait<break time='300ms'/><prosody rate='slow'>here.</prosody></speak>")
    (Piece(text='Wait', rate=1.0, pitch=1.0, volume_db=0.0, pause_s=0.3), Piece(text='here.', rate=0.75, ...))
    >>> pieces("2 < 3")
    (Piece(text='2 < 3', rate=1.0, pitch=1.0, volume_db=0.0, pause_s=0.0),)
    """
    if not _IS_SSML.match(text):
        return (Piece(text.strip()),) if text.strip() else ()
    return _Reader(text).read()


@dataclass(frozen=True)
class _Open:
    """An element that is being read: how its text is said, and what is done to it."""

    name: str
    manner: Piece
    say: Callable[[str], str] | None = None
    """For say-as; sub takes its alias and drops what it holds."""
    alias: str | None = None


class _Reader:
    """Reads once; `found` grows by a piece wherever the manner changes."""

    def __init__(self, text: str) -> None:
        self.text, self.found, self.open = text, list[Piece](), list[_Open]()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.words
        self.parser.StartDoctypeDeclHandler = self.refuse_doctype

    def read(self) -> tuple[Piece, ...]:
        try:
            self.parser.Parse(self.text.encode(), True)
        except expat.ExpatError as error:
            lines = self.text.split("\n")
            position = sum(len(line) + 1 for line in lines[: error.lineno - 1])
            raise fault(self.text, position + error.offset, "SSML", expat.errors.messages[error.code]) from None
        return tuple(piece for piece in _together(self.found) if piece.text or piece.pause_s)

    def wrong(self, said: str) -> Exception:
        position = len(self.text.encode()[: self.parser.CurrentByteIndex].decode(errors="ignore"))
        return fault(self.text, position, "SSML", said)

    def refuse_doctype(self, *_: Any) -> None:
        raise self.wrong("a document type is not read here; begin with <speak>")

    def start(self, name: str, given: Mapping[str, str]) -> None:
        inner = name if "}" not in name else name.split("}")[1]
        if inner not in _ATTRIBUTES:
            raise self.wrong(f"<{name}> is not understood; known: {', '.join(_ATTRIBUTES)}")
        if (inner == "speak") is bool(self.open):
            raise self.wrong("<speak> stands around everything, and nowhere else")
        if self.open and self.open[-1].name in ("sub", "say-as", "break"):
            raise self.wrong(f"<{self.open[-1].name}> holds text only, no <{name}>")
        for key in given:
            if key not in _ATTRIBUTES[inner] and not (inner == "speak" and key.startswith(("xml", "version"))):
                raise self.wrong(f"<{name}> has no attribute '{key}' here; known: "
                                 f"{', '.join(_ATTRIBUTES[inner]) or 'none'}")
        outer = self.open[-1].manner if self.open else Piece("")
        self.open.append(self.opened(inner, given, outer))

    def opened(self, name: str, given: Mapping[str, str], outer: Piece) -> _Open:
        if name == "break":
            self.pause(self.break_s(given))
        elif name == "prosody":
            return _Open(name, self.followed(replace(
                outer, rate=outer.rate * self.factor("rate", given, RATES),
                pitch=outer.pitch * self.factor("pitch", given, PITCHES),
                volume_db=outer.volume_db + self.decibels(given))))
        elif name == "emphasis":
            rate, decibels = self.named("level", given.get("level", "moderate"), EMPHASES)
            return _Open(name, self.followed(replace(outer, rate=outer.rate * rate,
                                                     volume_db=outer.volume_db + decibels)))
        elif name == "say-as":
            how = self.named("interpret-as", self.required(name, "interpret-as", given), _SAID_AS)
            return _Open(name, outer, say=how)
        elif name == "sub":
            return _Open(name, outer, alias=self.required(name, "alias", given))
        return _Open(name, outer)

    def end(self, _: str) -> None:
        closed = self.open.pop()
        if closed.alias is not None:
            self.found.append(replace(closed.manner, text=closed.alias))
        if closed.name in ("s", "p"):
            self.pause(_SENTENCE_S if closed.name == "s" else _PARAGRAPH_S)

    def words(self, text: str) -> None:
        inner = self.open[-1]
        if inner.name == "break" and text.strip():
            raise self.wrong("<break> holds no text; write <break/>")
        if inner.alias is None:
            self.found.append(replace(inner.manner, text=text if inner.say is None else inner.say(text)))

    def pause(self, seconds: float) -> None:
        self.found.append(Piece("", pause_s=seconds))

    def required(self, name: str, key: str, given: Mapping[str, str]) -> str:
        if key not in given:
            raise self.wrong(f"<{name}> needs the attribute '{key}'")
        return given[key]

    def named(self, key: str, value: str, known: Mapping[str, Any]) -> Any:
        if value not in known:
            raise self.wrong(f"{key} '{value}' is not understood; known: {', '.join(known)}")
        return known[value]

    def break_s(self, given: Mapping[str, str]) -> float:
        if "time" not in given:
            return float(self.named("strength", given.get("strength", "medium"), BREAKS_S))
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", given["time"])
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
        if not 0 <= seconds <= LONGEST_BREAK_S:
            raise self.wrong(f"time '{given['time']}' is not understood: a number with ms or s, such as 500ms, up to "
                             f"{LONGEST_BREAK_S:g}s")
        return seconds

    def factor(self, key: str, given: Mapping[str, str], known: Mapping[str, float]) -> float:
        """80% is 0.8, +10% is 1.1, and names."""
        value = given.get(key, "default")
        found = re.fullmatch(r"([+-]?)(\d+(?:\.\d+)?)%", value)
        if found is None:
            return float(self.named(f"{key} (a percentage, or a name):", value, known))
        return float(found[2]) / 100 if not found[1] else 1 + float(found[1] + found[2]) / 100

    def followed(self, manner: Piece) -> Piece:
        """The manner, if a voice can follow it."""
        for key, (least, most) in LIMITS.items():
            if not least <= getattr(manner, key) <= most:
                raise self.wrong(f"{key} comes to a factor of {getattr(manner, key):g} here, with what stands around; "
                                 f"expected {least:g} to {most:g}")
        if not -100 <= manner.volume_db <= 20:
            raise self.wrong(f"volume comes to {manner.volume_db:+g}dB, with what stands around it; expected -100dB to "
                             "+20dB")
        return manner

    def decibels(self, given: Mapping[str, str]) -> float:
        value = given.get("volume", "default")
        found = re.fullmatch(r"([+-]\d+(?:\.\d+)?)dB", value)
        return float(found[1] if found else self.named("volume (such as +6dB):", value, VOLUMES_DB))


def _spelled(text: str) -> str:
    return " ".join(text.replace(" ", ""))


def _telephone(text: str) -> str:
    """Digit by digit, with a short halt wherever the number is grouped."""
    groups = re.findall(r"[\w+]+", text)
    return ", ".join(" ".join(group.replace("+", "+ ").split() if group == "+" else list(group)) for group in groups)


_SAID_AS: dict[str, Callable[[str], str]] = {"characters": _spelled, "spell-out": _spelled, "digits": _spelled,
                                             "telephone": _telephone}
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "speak": (), "p": (), "s": (), "break": ("time", "strength"), "prosody": ("rate", "pitch", "volume"),
    "emphasis": ("level",), "say-as": ("interpret-as",), "sub": ("alias",)}


def _together(found: list[Piece]) -> list[Piece]:
    """Neighbours in one manner are one piece, so that a voice says them in one breath; a pause ends a piece."""
    made: list[Piece] = []
    for piece in found:
        last = made[-1] if made else None
        if not piece.text and piece.pause_s and last is not None:
            made[-1] = replace(last, pause_s=last.pause_s + piece.pause_s)
        elif last is not None and not last.pause_s and _manner(last) == _manner(piece):
            made[-1] = replace(last, text=last.text + piece.text)
        else:
            made.append(piece)
    return [replace(piece, text=" ".join(piece.text.split())) for piece in made if piece.text.strip() or piece.pause_s]


def _manner(piece: Piece) -> tuple[float, float, float]:
    return piece.rate, piece.pitch, piece.volume_db
