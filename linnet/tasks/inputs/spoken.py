"""Recordings with the phones that were to be said: what an acoustic model makes of each phone, as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, SequenceColumn, describe_audio_parts
from linnet.errors import LinnetError
from linnet.language.espeak import guessed
from linnet.language.lexicon import Lexicon
from linnet.speech.pronunciation import PHONE, UTTERANCE, judge
from linnet.tasks.inputs.audio import AudioSequence
from linnet.tasks.inputs.source import named
from linnet.tasks.task import Arrays, Predictor, Shape

WHOLE = 1
"""The id of the position that stands for the whole utterance; 0 is padding, the phones follow."""
_PROBED = 200
"""So many training recordings set the scale of the features."""
_ROOM = 1.5
"""A text may have so many times the phones of the longest in training."""


@dataclass(frozen=True)
class Acoustic:
    """Who says which phone is heard in each frame: labels after the blank, and a predictor of their logits.

    A shipped file of the task Transcribe is one as it is (`Acoustic.of`); so is any other network of any size, given
    with its labels. It is named by its identity; a task that was read from a card has none until one is given.
    """

    labels: tuple[str, ...]
    sample_rate_hz: int
    identity: str
    file: str = ""
    """Under which name it lies beside the scorer's file."""
    predictor: Predictor | None = field(default=None, repr=False, compare=False)
    """Takes {"audio": (1, samples), "lengths": (1,)}, answers {"logits": (1, frames, 1 + labels)}."""

    @classmethod
    def of(cls, given: Any) -> Acoustic:
        """Of a shipped file or a model with its task; raises LinnetError for what does not answer with labels."""
        if isinstance(given, Acoustic):
            return given
        task = getattr(given, "task", None)
        if task is None or task.kind != "transcribe" or task.is_text:
            raise LinnetError("acoustic is a shipped file that transcribes recordings to phones, or an Acoustic("
                              f"labels, sample_rate_hz, identity, predictor=...); got {type(given).__name__}.")
        return cls(task.labels, task.sample_rate_hz, given.identity, getattr(given, "path", given).name, given)

    def hear(self, sound: Audio) -> NDArray[np.float32]:
        """Logits (frames, 1 + labels) of one recording; raises LinnetError where no predictor was given."""
        if self.predictor is None:
            raise LinnetError(f"the acoustic model '{self.file}' ({self.identity[:12]}) is needed to hear a recording, "
                              "and was not found beside the scorer's file. Put it there.")
        sounds = AudioSequence("audio", self.sample_rate_hz).prepare([sound])
        (frames,) = self.predictor(sounds)["logits"]
        if frames.ndim != 2 or frames.shape[1] != 1 + len(self.labels):
            raise LinnetError(f"the acoustic model answered with {frames.shape}; {1 + len(self.labels)} numbers a "
                              "frame were expected, the blank's first.")
        return np.asarray(frames, np.float32)

    def to_json(self) -> dict[str, Any]:
        """All but the predictor."""
        return {"labels": list(self.labels), "sample_rate_hz": self.sample_rate_hz, "identity": self.identity,
                "file": self.file}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Acoustic:
        """Read what `to_json` wrote."""
        return cls(tuple(map(str, value["labels"])), int(value["sample_rate_hz"]), str(value["identity"]),
                   str(value["file"]))


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording after it was heard: its text as phones by word, and what the acoustic model makes of each phone."""

    words: tuple[tuple[str, ...], ...]
    phones: NDArray[np.float64]
    """(n, features), as `speech.pronunciation.judge` gives them."""
    utterance: NDArray[np.float64]
    times: NDArray[np.float64]
    """(n,): seconds."""

    def __len__(self) -> int:
        return len(self.phones)


@dataclass(frozen=True)
class Spoken:
    """What is heard of each phone: {"heard": (batch, 1 + length, features) float32, "phones": (batch, 1 + length)}.

    The first position stands for the whole utterance. A sample is {"audio": Audio, "words": [["W", "IY"], ...]}, or
    with "text" in place of "words" (`said_as`), or a `Heard` one, which costs nothing more.
    """

    column: str
    phones: str
    lengths: str
    length: int
    acoustic: Acoustic
    centre: tuple[float, ...]
    """Of each phone's features, then of the utterance's; what is subtracted."""
    scale: tuple[float, ...]
    """By what is divided then."""

    kind: ClassVar[str] = "spoken"
    noun: ClassVar[str] = "recordings"
    takes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def choose(cls, parts: Sequence[Dataset], columns: tuple[str, str, str], acoustic: Acoustic) -> Self:
        """The scale of the features from some training recordings, and room for every text and half as long again."""
        _check(parts, columns, acoustic)
        most = max(len(row) for part in parts for row in part.values(columns[1]))
        made = cls(*columns, int(_ROOM * most), acoustic, (), ())
        rows = np.unique(np.linspace(0, len(parts[0]) - 1, min(_PROBED, len(parts[0]))).astype(int))
        heard = made.read(parts[0].take(rows.tolist()))
        both = [np.concatenate([one.phones for one in heard]), np.stack([one.utterance for one in heard])]
        centre, scale = (np.concatenate([getattr(values, name)(axis=0) for values in both]) for name in ("mean", "std"))
        return replace(made, centre=tuple(centre.round(4).tolist()),
                       scale=tuple(np.maximum(scale, 0.01).round(4).tolist()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Recordings, phones, and how many of them each word has."""
        return (self.column, self.phones, self.lengths)

    @property
    def width(self) -> int:
        """How many numbers there are at each position."""
        return len(PHONE) + 1 + len(self.acoustic.labels)

    @property
    def vocabulary(self) -> int:
        """How many ids there are: padding, the whole, each phone."""
        return 2 + len(self.acoustic.labels)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Numbers and ids, of as many positions as the longest text may need."""
        return {"heard": ("float32", (1 + self.length, self.width)), "phones": ("int64", (1 + self.length,))}

    def read(self, dataset: Dataset) -> list[Heard]:
        """Every recording, heard."""
        texts = zip(dataset.values(self.phones), dataset.values(self.lengths), strict=True)
        return [self.hear({"audio": sound, "words": by_word(phones, lengths)})
                for sound, (phones, lengths) in zip(dataset.decode(self.column), texts, strict=True)]

    def hear(self, sample: Any) -> Heard:
        """One sample; raises LinnetError for a text without phones, with unknown ones, or with too many."""
        if isinstance(sample, Heard):
            return sample
        sound, words = _sample(sample)
        said = [phone for word in words for phone in word]
        index = {label: number for number, label in enumerate(self.acoustic.labels, 1)}
        if strange := sorted(set(said) - set(index)):
            raise LinnetError(f"the acoustic model does not know the phones {', '.join(map(repr, strange[:10]))}; it "
                              f"knows: {', '.join(index)}.")
        if len(said) > self.length:
            raise LinnetError(f"a text has {len(said)} phones; this scorer judges up to {self.length}. Cut recording "
                              "and text into sentences.")
        if not len(sound.samples):
            raise LinnetError("the recording is empty: there is nothing to judge. Give one with sound in it.")
        logits = self.acoustic.hear(sound)
        found = judge(logits, [index[phone] for phone in said], [len(word) for word in words],
                      frame_s=sound.seconds / len(logits))
        return Heard(words, found.phones, found.utterance, found.times)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """A row a sample: the utterance's numbers first, then each phone's."""
        heard = np.zeros((len(samples), 1 + self.length, self.width), np.float32)
        ids = np.zeros(heard.shape[:2], np.int64)
        index = {label: number for number, label in enumerate(self.acoustic.labels, WHOLE + 1)}
        centre, scale = np.array(self.centre), np.array(self.scale)
        for row, sample in enumerate(map(self.hear, samples)):
            heard[row, 0, : len(UTTERANCE)] = (sample.utterance - centre[self.width :]) / scale[self.width :]
            heard[row, 1 : 1 + len(sample)] = (sample.phones - centre[: self.width]) / scale[: self.width]
            ids[row, : 1 + len(sample)] = [WHOLE, *(index[phone] for word in sample.words for phone in word)]
        return {"heard": heard, "phones": ids}

    def to_json(self) -> dict[str, Any]:
        """Columns, room, scale, and who heard."""
        return {"kind": self.kind, "columns": list(self.columns), "length": self.length,
                "acoustic": self.acoustic.to_json(), "centre": list(self.centre), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        column, phones, lengths = map(str, value["columns"])
        return cls(column, phones, lengths, int(value["length"]), Acoustic.from_json(value["acoustic"]),
                   tuple(map(float, value["centre"])), tuple(map(float, value["scale"])))


def said_as(text: str, lexicon: Lexicon | None = None) -> tuple[tuple[str, ...], ...]:
    """The phones of each word of a text; how a word is said that the lexicon lacks is guessed, and that is logged."""
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text)
    if not words:
        raise LinnetError(f"there is nothing to judge: the text {text!r:.60} has no words. Give what was to be said.")
    known = (lexicon or Lexicon({})).of(words, guessed)
    return tuple(known[word][0] for word in words)


def by_word(phones: Sequence[str], lengths: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Phones in pieces of these lengths; raises LinnetError where these do not sum up.

    >>> by_word(["HH", "AY", "Y", "UW"], ["2", "2"])
    (('HH', 'AY'), ('Y', 'UW'))
    """
    ends = np.cumsum([int(length) for length in lengths]).tolist()
    if not ends or ends[-1] != len(phones):
        raise LinnetError(f"the words have {ends[-1] if ends else 0} phones together, the text {len(phones)}: give "
                          "each word's number of phones.")
    return tuple(tuple(phones[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True))


def _sample(sample: Any) -> tuple[Audio, tuple[tuple[str, ...], ...]]:
    if not isinstance(sample, Mapping) or not isinstance(sample.get("audio"), Audio) \
            or {"words", "text"}.isdisjoint(sample):
        raise LinnetError('this task takes {"audio": a sound, "words": [["HH", "AY"], ...]}, the phones of each word '
                          f'that was to be said, or "text" in place of "words"; it was given {type(sample).__name__}.')
    if "words" not in sample:
        if not isinstance(sample["text"], str):
            raise LinnetError(f"a text is what was to be said, such as 'we call it'; got {sample['text']!r:.60}")
        return sample["audio"], said_as(sample["text"])
    given = sample["words"]
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) or _are_phones(word) for word in given):
        raise LinnetError("words are a list with the phones of each, such as ['W IY', 'K AO L'] or [['W', 'IY']]; got "
                          f"{given!r:.60}")
    words = tuple(tuple(word.split() if isinstance(word, str) else word) for word in given)
    if not words or not all(words):
        raise LinnetError("there is nothing to judge: the text has no words, or a word no phones. Give what was to be "
                          "said.")
    return sample["audio"], words


def _are_phones(word: Any) -> bool:
    return isinstance(word, list | tuple) and all(isinstance(phone, str) for phone in word)


def _check(parts: Sequence[Dataset], columns: tuple[str, str, str], acoustic: Acoustic) -> None:
    audio, phones, _ = columns
    kind = parts[0].column(audio).kind
    if kind != "audio":
        raise LinnetError(f"what is judged is how a recording was said; '{audio}' holds {kind}.")
    column = parts[0].column(phones)
    if not isinstance(column, SequenceColumn):
        raise LinnetError(f"'{phones}' is to hold the phones of each text in order; it holds {column.kind}.")
    if strange := sorted(set(column.labels) - set(acoustic.labels)):
        raise LinnetError(f"'{phones}' holds phones that the acoustic model does not know: {', '.join(strange[:10])}. "
                          f"It knows: {', '.join(acoustic.labels)}.")
    for part, summary in zip(parts, describe_audio_parts(parts, audio), strict=True):
        if changes := summary.changes_to(acoustic.sample_rate_hz):
            raise LinnetError(f"{named(part)}: {changes}; give recordings at the {acoustic.sample_rate_hz} Hz that the "
                              "acoustic model hears.")
