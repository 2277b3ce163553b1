"""Texts: token ids of one length, or raw strings for foreign models that split them themselves."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, odd
from linnet.data.tokenizer import KINDS, Tokenizer
from linnet.errors import LinnetError
from linnet.tasks.inputs.source import named
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")
_VOCABULARY = 2000


@dataclass(frozen=True)
class Tokens:
    """The first `length` tokens of each text: {"tokens": (batch, length) int64}, 0 is padding, 1 unknown."""

    column: str
    length: int
    tokenizer: Tokenizer

    kind: ClassVar[str] = "tokens"
    noun: ClassVar[str] = "texts"
    takes: ClassVar[tuple[str, ...]] = ("length", "vocabulary", "tokenizer")

    @classmethod
    def choose(cls, parts: Sequence[Dataset], column: str, *, length: int | None = None,
               vocabulary: int | None = None, tokenizer: Tokenizer | Path | str = "bpe", whole: bool = False) -> Self:
        """A tokenizer trained on the training part alone, and room for 99 of 100 of its texts; what is cut is said.

        `whole`: room for all of them, up to twice as much, where an end that is cut off is an answer lost.
        """
        chosen = _tokenizer(parts[0].values(column), tokenizer, vocabulary)
        counts = [chosen.counts(part.values(column)) for part in parts]
        room = _room(counts[0], whole=whole) if length is None else length
        if isinstance(room, bool) or not isinstance(room, int) or room < 1:
            raise LinnetError(f"length is the number of tokens that the network reads, at least 1; got {length!r}.")
        for part, found in zip(parts, counts, strict=True):
            _say_odd(part, column, found, room)
        _say_unknown(chosen, parts[0].values(column))
        return cls(column, room, chosen)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of texts."""
        return (self.column,)

    @property
    def vocabulary(self) -> int:
        """How many different ids there are, padding (0) and unknown (1) included."""
        return self.tokenizer.size

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """One array of ids."""
        return {"tokens": ("int64", (self.length,))}

    def read(self, dataset: Dataset) -> list[str]:
        """Every text."""
        return list(map(str, dataset.values(self.column)))

    def prepare(self, samples: Sequence[str]) -> Arrays:
        """Longer texts are cut at the end, shorter ones padded there."""
        ids = self.tokenizer.encode(_texts(samples), self.length + 1)
        odd.note(f"texts are longer than the {self.length} tokens that are read: their ends are cut off",
                 int((ids[:, -1] != 0).sum()), of=len(ids))
        return {"tokens": np.ascontiguousarray(ids[:, :-1])}

    def to_json(self) -> dict[str, Any]:
        """Column, length, and the tokenizer with its vocabulary."""
        return {"kind": self.kind, "column": self.column, "length": self.length,
                "tokenizer": self.tokenizer.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(str(value["column"]), int(value["length"]), Tokenizer.from_json(value["tokenizer"]))


@dataclass(frozen=True)
class RawText:
    """Texts as they are: {"text": (batch,) object array of str}; for foreign models only."""

    column: str

    kind: ClassVar[str] = "raw_text"
    noun: ClassVar[str] = "texts"
    takes: ClassVar[tuple[str, ...]] = ("tokenizer",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of texts."""
        return (self.column,)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """One string a sample."""
        return {"text": ("string", ())}

    def read(self, dataset: Dataset) -> list[str]:
        """Every text."""
        return list(map(str, dataset.values(self.column)))

    def prepare(self, samples: Sequence[str]) -> Arrays:
        """The texts in one array."""
        return {"text": np.array(_texts(samples), object)}

    def to_json(self) -> dict[str, Any]:
        """The column."""
        return {"kind": self.kind, "column": self.column}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(str(value["column"]))


def _tokenizer(texts: Sequence[str], given: Tokenizer | Path | str, size: int | None) -> Tokenizer:
    if isinstance(given, str) and given in KINDS:
        return Tokenizer.train(texts, kind=given, size=_VOCABULARY if size is None else size)
    if size is not None:
        raise LinnetError(f"vocabulary={size} is the size of a tokenizer to be trained; the one given has its own.")
    if isinstance(given, Tokenizer):
        return given
    if Path(given).suffix != ".json":
        raise LinnetError(f"tokenizer is a Tokenizer, a JSON file, or one of {', '.join(sorted(KINDS))}; got {given}.")
    return Tokenizer.from_file(given)


def _room(counts: NDArray[np.int64], *, whole: bool) -> int:
    most = math.ceil(np.quantile(counts, 0.99))
    return max(1, min(int(counts.max()), 2 * most) if whole else most)


def _say_odd(part: Dataset, column: str, counts: NDArray[np.int64], room: int) -> None:
    longer, empty = int((counts > room).sum()), int((counts == 0).sum())
    if longer:
        log.warning("%s: %d of %d texts in '%s' are longer than the %d tokens that are read: their ends are cut off.",
                    named(part), longer, len(part), column, room)
    if empty:
        log.warning("%s: %d of %d texts in '%s' have no token at all: nothing is read of them.",
                    named(part), empty, len(part), column)


def _say_unknown(tokenizer: Tokenizer, texts: Sequence[str]) -> None:
    """A tokenizer of another language or script, which knows hardly any of these texts, is refused."""
    known, every = tokenizer.known(texts)
    if known < 0.5 * every:
        raise LinnetError(f"the tokenizer does not fit these texts: it knows {known} of their {every} tokens. "
                          "Train one on them (leave tokenizer out), or give one of their language.")
    if known < 0.9 * every:
        log.warning("the tokenizer does not know %d of the %d tokens of the training texts.", every - known, every)


def _texts(samples: Sequence[Any]) -> list[str]:
    for sample in samples:
        if not isinstance(sample, str):
            raise LinnetError(f"this task takes texts; it was given {type(sample).__name__}.")
    return list(samples)
