"""Tokenizer: texts to whole numbers and back to places in the text; trained here, or somebody's JSON file."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra, unknown

PADDING, UNKNOWN = "[PAD]", "[UNK]"
_MARKS = ("\u2581", "\u0120")
"""How a space is written by Metaspace and by ByteLevel."""
_FIRST = 2
"""The id of the first token that is neither padding nor unknown."""
_MOST = 10_000_000
_PADDINGS = (PADDING, "<pad>", "<PAD>", "<|pad|>", "<|padding|>", "[pad]", "<blank>")
_UNKNOWNS = (UNKNOWN, "<unk>", "<UNK>", "<|unk|>", "[unk]")
_WORDS = r"\w+|[^\w\s]"


class Token(NamedTuple):
    """One token's place in its text, in characters, without spaces around it; `word` counts the words of the text.

    What is nothing but a space has no width: start and end are where it ends.
    """

    start: int
    end: int
    word: int


@dataclass(frozen=True)
class Tokenizer:
    """The JSON of a `tokenizers` tokenizer. Ids are its own, moved so that 0 is padding and 1 is unknown.

    What a tokenizer adds around a text ([CLS], [SEP]) is left out, and its own cutting and padding are turned off.
    """

    json: str

    def __post_init__(self) -> None:
        if not self._lookup.size:
            raise LinnetError("this tokenizer knows no token; train it on texts, or give another file.")

    @classmethod
    def train(cls, texts: Iterable[str], *, size: int = 2000, kind: str = "bpe", lower: bool = True) -> Tokenizer:
        """Learn a vocabulary of at most `size` tokens, padding and unknown included; the same texts give the same one.

        "bpe": pieces of words that occur often (Sennrich et al. 2016, arXiv:1508.07909); "word": the most frequent
        words; "character". `lower` forgets case. (Unigram tokenizers can be read, but the package learns another one
        from the same texts each time.)
        """
        given = list(texts)
        if kind not in KINDS:
            raise unknown("kind of tokenizer", kind, KINDS)
        if isinstance(size, bool) or not isinstance(size, int) or size <= _FIRST:
            raise LinnetError("size is a whole number that counts padding and unknown too, so it must be at least "
                              f"{_FIRST + 1}; got {size!r}.")
        if not any(text.strip() for text in given):
            raise LinnetError("a tokenizer needs texts to learn from; every one given is empty.")
        engine = KINDS[kind](given, size, _steps(kind, lower))
        value = json.loads(engine.to_str())
        # Padding and unknown stay in the vocabulary alone, so that a text that spells "[PAD]" does not become padding.
        return cls.from_json({**value, "added_tokens": [], "truncation": None, "padding": None})

    @classmethod
    def from_file(cls, file: Path | str) -> Tokenizer:
        """Read a tokenizer.json. Raises LinnetError for a file that is none."""
        try:
            return cls.from_json(json.loads(Path(file).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise LinnetError(f"{file} cannot be read as a tokenizer ({error}); expected the JSON that the package "
                              "`tokenizers` writes (tokenizer.json).") from error

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tokenizer:
        """The tokenizer that wrote `value` with `to_json`, or any JSON object of the package `tokenizers`."""
        if not isinstance(value, Mapping) or "model" not in value:
            raise LinnetError("this describes no tokenizer; expected the JSON object that the package `tokenizers` "
                              "writes (tokenizer.json), with a 'model' in it.")
        return cls(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the package `tokenizers`; its ids are not yet moved."""
        value: dict[str, Any] = json.loads(self.json)
        return value

    def __repr__(self) -> str:
        return f"Tokenizer({self._value['model'].get('type')}, {self.size} tokens)"

    @property
    def size(self) -> int:
        """How many ids there are; every id is below."""
        return int(self._lookup.max()) + 1

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Each id's text."""
        found = [PADDING, UNKNOWN, *[""] * (self.size - _FIRST)]
        for token, number in self._engine.get_vocab(with_added_tokens=True).items():
            if self._lookup[number] >= _FIRST:
                found[self._lookup[number]] = token
        return tuple(found)

    def encode(self, texts: Sequence[str], length: int) -> NDArray[np.int64]:
        """Ids (texts, length): longer texts are cut at the end, shorter ones padded there with 0."""
        ids = np.zeros((len(texts), length), np.int64)
        for row, encoding in zip(ids, self._encodings(texts), strict=True):
            found = np.array(encoding.ids[:length], np.int64)
            row[: len(found)] = self._lookup[found]
        return ids

    def places(self, texts: Sequence[str], length: int | None = None) -> list[list[Token]]:
        """Where each token of each text lies; the first `length` of them."""
        return [[_placed(text, start, end, word) for (start, end), word
                 in zip(encoding.offsets[:length], encoding.word_ids[:length], strict=True)]
                for text, encoding in zip(texts, self._encodings(texts), strict=True)]

    def counts(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many tokens each text has, uncut."""
        return np.array([len(encoding.ids) for encoding in self._encodings(texts)], np.int64)

    def known(self, texts: Sequence[str]) -> tuple[int, int]:
        """How many of the texts' tokens it knows, and how many there are; marks of a word's beginning do not count."""
        marks = [number for number, token in enumerate(self.tokens) if token in _MARKS]
        found = [number for encoding in self._encodings(texts) for number in encoding.ids]
        ids = self._lookup[np.array(found, np.int64)]
        real = (ids != 0) & ~np.isin(ids, marks)
        return int((real & (ids != 1)).sum()), int(real.sum())

    def _encodings(self, texts: Sequence[str]) -> list[Any]:
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise LinnetError(f"a tokenizer takes texts; got {wrong[0]!r:.60}.")
        try:
            found: list[Any] = self._engine.encode_batch(list(texts), add_special_tokens=False)
        except Exception as error:  # the package raises bare Exceptions
            raise LinnetError(f"this tokenizer cannot split these texts ({error}); it does not fit them.") from error
        return found

    @cached_property
    def _value(self) -> dict[str, Any]:
        return self.to_json()

    @cached_property
    def _engine(self) -> Any:
        try:
            engine = _package().Tokenizer.from_str(self.json)
        except LinnetError:
            raise
        except Exception as error:  # the package raises bare Exceptions
            raise LinnetError(f"this tokenizer cannot be read ({error}); expected the JSON that the package "
                              "`tokenizers` writes (tokenizer.json).") from error
        engine.no_truncation()
        engine.no_padding()
        return engine

    @cached_property
    def _lookup(self) -> NDArray[np.int64]:
        """Its own ids to ours: padding to 0 (were it found in a text: unknown), unknown to 1, the others in order."""
        vocabulary = self._engine.get_vocab(with_added_tokens=True)
        padding, unknown_id = _special_ids(self._value, vocabulary)
        numbers = sorted(set(vocabulary.values()))
        if numbers and numbers[-1] > _MOST:
            raise LinnetError(f"this tokenizer has a token with the id {numbers[-1]}; more than {_MOST} make no sense.")
        others = [number for number in numbers if number not in (padding, unknown_id)]
        lookup = np.full(numbers[-1] + 1 if others else 0, 1, np.int64)
        lookup[others] = np.arange(_FIRST, _FIRST + len(others))
        return lookup


def _special_ids(value: Mapping[str, Any], vocabulary: Mapping[str, int]) -> tuple[int | None, int | None]:
    padding = (value.get("padding") or {}).get("pad_token")
    model = value["model"]
    named = model.get("unk_token")
    unknown_id = model.get("unk_id") if model.get("unk_id") is not None else vocabulary.get(str(named))
    return (_first_known([padding, *_PADDINGS], vocabulary),
            _first_known(_UNKNOWNS, vocabulary) if unknown_id is None else int(unknown_id))


def _first_known(names: Iterable[str | None], vocabulary: Mapping[str, int]) -> int | None:
    return next((vocabulary[name] for name in names if name is not None and name in vocabulary), None)


def _placed(text: str, start: int, end: int, word: int | None) -> Token:
    """Some tokenizers count the space before a word to it, or make it a token; that one has no width."""
    piece = text[start:end]
    end, start = start + len(piece.rstrip()) if piece.strip() else end, start + len(piece) - len(piece.lstrip())
    return Token(start, end, -1 if word is None else word)


def _package() -> Any:
    """The package, without threads of its own: they would warn where a loader forks."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import tokenizers
    except ImportError as error:
        raise missing_extra("tokenizers", "text") from error
    return tokenizers


def _steps(kind: str, lower: bool) -> tuple[Any, Any]:
    """What happens before the vocabulary: one way of writing each character, and where words end."""
    package = _package()
    forms = [package.normalizers.NFC(), *([package.normalizers.Lowercase()] if lower else [])]
    pattern = r"[\s\S]" if kind == "character" else _WORDS
    return (package.normalizers.Sequence(forms),
            package.pre_tokenizers.Split(package.Regex(pattern), behavior="removed", invert=True))


def _train_bpe(texts: Sequence[str], size: int, steps: tuple[Any, Any]) -> Any:
    """Each word begins with a mark, and not its other pieces: those would be numbered in the order of a hash."""
    package = _package()
    normalizer, splitter = steps
    marker = package.pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    trainer = package.trainers.BpeTrainer(vocab_size=size, special_tokens=[PADDING, UNKNOWN], show_progress=False,
                                          min_frequency=2)
    engine = package.Tokenizer(package.models.BPE(unk_token=UNKNOWN))
    engine.normalizer = normalizer
    engine.pre_tokenizer = package.pre_tokenizers.Sequence([splitter, marker])
    engine.train_from_iterator(texts, trainer)
    return engine


def _train_counted(texts: Sequence[str], size: int, steps: tuple[Any, Any]) -> Any:
    """The most frequent pieces as they stand; among equals the first of the alphabet."""
    package = _package()
    normalizer, splitter = steps
    counts = Counter(piece for text in texts
                     for piece, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    ranked = sorted(counts, key=lambda piece: (-counts[piece], piece))
    pieces = [piece for piece in ranked if piece not in (PADDING, UNKNOWN)][: size - _FIRST]
    vocabulary = {piece: number for number, piece in enumerate([PADDING, UNKNOWN, *pieces])}
    engine = package.Tokenizer(package.models.WordLevel(vocabulary, unk_token=UNKNOWN))
    engine.normalizer, engine.pre_tokenizer = steps
    return engine


Train = Callable[[Sequence[str], int, "tuple[Any, Any]"], Any]
KINDS: dict[str, Train] = {"bpe": _train_bpe, "word": _train_counted, "character": _train_counted}
