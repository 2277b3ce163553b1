"""Streams in which spoken digits are to be spotted: FSDD's between pauses and other speech, and hours without any."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from linnet.data import noises
from linnet.data.cells import cells_of, media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, SpansColumn
from linnet.data.dataset import Dataset
from linnet.data.media import Audio, encode, resample
from linnet.data.noises import Floats
from linnet.data.sources import fsdd, speechocean762
from linnet.data.sources.source import Source, card
from linnet.errors import LinnetError
from linnet.progress import BytesProgress

RATE_HZ = 8000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SPOKEN = re.compile(r"(ZERO|ONE|ONES|ONCE|SOMEONE|ANYONE|EVERYONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE|TO|TOO|FOR|"
                     r"WON|ATE|(FOUR|FIF|SIX|SEVEN|EIGH|NINE)(TEEN|TY|TH)S?)('S)?")
_SAID = Path(__file__).with_name("digits_said.csv")
"""Where speechocean762's training speakers say digits; bench/speech/digits_said.py made it."""
_STREAMS, _ELSEWHERE = 700, 0.4
"""How many streams are trained on, and the share of their digits that these speakers say."""
_HOURS = {"validation": (0.3, 0.1), "test": (1.0, 0.4)}
"""Of noise and of silence, beside the speech without digits."""
_NOISE_S = 30
_CALM_SNR_DB = 25.0


def sounds_like_a_digit(word: str) -> bool:
    """Whether a word is a digit, holds one, or sounds like one.

    >>> sounds_like_a_digit("SIXTY"), sounds_like_a_digit("TO"), sounds_like_a_digit("TOMORROW")
    (True, True, False)
    """
    return _SPOKEN.fullmatch(word) is not None


@dataclass(frozen=True)
class _Row:
    name: str
    wave: Floats
    spans: list[dict[str, Any]]
    kind: str
    speaker: str
    split: str


def load(*, folder: str | None = None, unseen: str = "lucas theo") -> Dataset:
    """Columns: audio, keywords (spans of audio), kind (digits, speech, noise, silence), speaker, split; 8 kHz.

    The speakers `unseen` say the digits of the test part, the others those of train; validation has recordings 0 to 4
    of the latter. What holds no digit: sentences of speechocean762 (each part its own speakers) in which no digit is
    said, nor a word that sounds like one (to, for, won, ate) or holds one (sixty, someone); noise that is made; and
    silence. `folder` is FSDD's.
    """
    digits, spoken = fsdd.load(folder=folder), speechocean762.load(validation=True)
    names = sorted(set(map(str, digits.values("speaker"))))
    if not set(unseen.split()) < set(names) or not unseen.split():
        raise LinnetError(f"unseen names some of the speakers {', '.join(names)}, not all; got '{unseen}'.")
    other = spoken.where(lambda row: not any(map(sounds_like_a_digit, row["text"].split())))
    rows = list(itertools.chain(
        _train(_heard(digits.where(lambda row: row["speaker"] not in unseen.split() and row["index"] > 4)),
               spoken.where(split="train"), other.where(split="train")),
        _judged(_heard(digits.where(lambda row: row["speaker"] not in unseen.split() and row["index"] <= 4)),
                other.where(split="validation"), "validation"),
        _judged(_heard(digits.where(speaker=unseen.split())), other.where(split="test"), "test")))
    return _dataset(rows, digits.root)


_Said = tuple[str, str, Floats]
"""A word, who said it, and the sound at 8 kHz."""


def _heard(digits: Dataset) -> list[_Said]:
    sounds = [resample(cast(Audio, sound), RATE_HZ).samples for sound in digits.decode("audio")]
    return [(WORDS[int(digit)], str(speaker), sound) for digit, speaker, sound in
            zip(digits.values("digit"), digits.values("speaker"), sounds, strict=True)]


def _sentences(spoken: Dataset) -> dict[str, Floats]:
    return {name: resample(cast(Audio, sound), RATE_HZ).samples
            for name, sound in zip(spoken.ids, spoken.decode("audio"), strict=True)}


def _spans_said() -> dict[str, list[dict[str, Any]]]:
    """The digits of speechocean762's training speakers by the sentence they stand in."""
    found: dict[str, list[dict[str, Any]]] = {}
    with _SAID.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            span = {"label": row["word"], "start": int(row["start_ms"]), "end": int(row["end_ms"])}
            found.setdefault(row["utterance"], []).append(span)
    return found


def _train(said: Sequence[_Said], spoken: Dataset, other: Dataset) -> Iterator[_Row]:
    """Streams in which digits, pieces of sentences and pauses take turns, in any noise; and sentences alone."""
    spans_of, without = _spans_said(), _sentences(other)
    with_digits = _sentences(spoken.where(lambda row: row["id"] in spans_of))
    by_word: dict[str, list[Floats]] = {word: [] for word in WORDS}
    for name, wave in with_digits.items():
        for span in spans_of[name]:
            by_word[span["label"]].append(wave[span["start"] * RATE_HZ // 1000 : span["end"] * RATE_HZ // 1000])
    sentences = list(without.values())
    for number in range(_STREAMS):
        rng = np.random.default_rng([23, number])
        pieces: list[tuple[str, Floats]] = []
        for _ in range(8):
            word, _, sound = said[int(rng.integers(len(said)))]
            if rng.random() < _ELSEWHERE:
                word = WORDS[rng.integers(len(WORDS))]
                sound = by_word[word][rng.integers(len(by_word[word]))]
            if rng.random() < 0.7:
                pieces.append((word, _faster(_level(sound, rng), float(rng.uniform(0.82, 1.25)))))
            else:
                sentence = sentences[rng.integers(len(sentences))]
                start = rng.integers(max(1, len(sentence) - RATE_HZ))
                pieces.append(("", _level(sentence[start : start + round(rng.uniform(0.3, 1) * RATE_HZ)], rng)))
        wave, spans = _strung(pieces, rng, (0.04, 0.7))
        yield _Row(f"train/stream{number}", _noisy(wave, rng, rng.uniform(3, 40)), spans, "digits", "seen", "train")
    for number, (name, sentence) in enumerate([*without.items(), *with_digits.items()]):
        rng = np.random.default_rng([29, number])
        spans = spans_of.get(name, [])
        wave = _noisy(_level(sentence, rng), rng, rng.uniform(3, 40))
        yield _Row(f"train/{name}", wave, spans, "digits" if spans else "speech", "other", "train")
    yield from _made(0.15, 0.05, "train", noises.TRAINING)


def _judged(said: Sequence[_Said], other: Dataset, split: str) -> Iterator[_Row]:
    """Each recording once, ten to a stream of one speaker, in a calm room; then all that holds no digit."""
    for speaker in sorted({who for _, who, _ in said}):
        rng = np.random.default_rng([31, len(speaker)])
        own = [(word, _level(sound, rng)) for word, who, sound in said if who == speaker]
        own = [own[place] for place in rng.permutation(len(own))]
        for first in range(0, len(own), 10):
            wave, spans = _strung(own[first : first + 10], rng, (0.3, 1.0))
            wave = _noisy(wave, rng, _CALM_SNR_DB)
            yield _Row(f"{split}/{speaker}{first // 10}", wave, spans, "digits", speaker, split)
    for (name, sentence), who in zip(_sentences(other).items(), other.values("speaker"), strict=True):
        yield _Row(f"{split}/{name}", sentence, [], "speech", str(who), split)
    kinds = noises.TRAINING if split == "validation" else {**noises.TRAINING, **noises.HELD_OUT}
    yield from _made(*_HOURS[split], split, kinds)


def _made(noise_hours: float, silent_hours: float, split: str, kinds: Any) -> Iterator[_Row]:
    """Noise of each kind in turn, from -60 to -10 dB of full scale; silence with a faint hiss."""
    for number in range(round(noise_hours * 3600 / _NOISE_S)):
        rng = np.random.default_rng([37, len(split), number])
        name = list(kinds)[number % len(kinds)]
        wave = kinds[name](_NOISE_S * RATE_HZ, RATE_HZ, rng) * np.float32(10 ** (rng.uniform(-60, -10) / 20))
        yield _Row(f"{split}/{name}{number}", np.clip(wave, -1, 1), [], "noise", "nobody", split)
    for number in range(round(silent_hours * 3600 / _NOISE_S)):
        rng = np.random.default_rng([41, len(split), number])
        is_hissing = number > 0 or split != "test"  # one recording of zeros in all: no two of a split are the same
        hiss = 10 ** rng.uniform(-4, -3) * rng.standard_normal(_NOISE_S * RATE_HZ) * is_hissing
        yield _Row(f"{split}/silence{number}", hiss.astype(np.float32), [], "silence", "nobody", split)


def _strung(pieces: Sequence[tuple[str, Floats]], rng: np.random.Generator,
            pause_s: tuple[float, float]) -> tuple[Floats, list[dict[str, Any]]]:
    """The pieces with pauses around them, and where those with a name are."""
    parts, spans, at = [], [], 0
    for word, sound in pieces:
        pause = np.zeros(round(rng.uniform(*pause_s) * RATE_HZ), np.float32)
        at += len(pause)
        if word:
            spans.append({"label": word, "start": at * 1000 // RATE_HZ, "end": (at + len(sound)) * 1000 // RATE_HZ})
        at += len(sound)
        parts += [pause, sound]
    return np.concatenate([*parts, np.zeros(RATE_HZ // 2, np.float32)]), spans


def _level(sound: Floats, rng: np.random.Generator) -> Floats:
    """At a power of -35 to -20 dB of full scale: recordings of one corpus are 40 dB apart."""
    power = float(np.square(sound).mean())
    loud = np.float32(10 ** (rng.uniform(-35, -20) / 20) / np.sqrt(max(power, 1e-12)))
    return np.asarray(np.clip(sound * loud, -1, 1), np.float32)


def _faster(sound: Floats, by: float) -> Floats:
    """Played at another speed, pitch and all: another vocal tract."""
    places = np.arange(0, len(sound) - 1, by)
    return np.asarray(np.interp(places, np.arange(len(sound)), sound), np.float32)


def _noisy(wave: Floats, rng: np.random.Generator, snr_db: float) -> Floats:
    kinds = list(noises.TRAINING.values()) if snr_db != _CALM_SNR_DB else [noises.coloured]
    noise = kinds[int(rng.integers(len(kinds)))]
    heard = noises.mixed(wave, noise(len(wave), RATE_HZ, rng), snr_db=snr_db, is_speech=wave != 0)
    return np.asarray(heard / max(1.0, float(np.abs(heard).max())), np.float32)


def _dataset(rows: Sequence[_Row], root: Path | None) -> Dataset:
    import pyarrow as pa

    table = pa.table({"id": [row.name for row in rows],
                      "audio": media_cells([encode(Audio(row.wave, RATE_HZ), subtype="PCM_16") for row in rows]),
                      "keywords": cells_of([row.spans for row in rows], "spans"),
                      **{name: [getattr(row, name) for row in rows] for name in ("kind", "speaker", "split")}})
    columns: dict[str, Column] = {"audio": AudioColumn(), "keywords": SpansColumn(WORDS, "audio"),
                                  **{name: GroupColumn() for name in ("kind", "speaker", "split")}}
    return Dataset("digit_streams", table, columns, root=root)


def find() -> Path | None:
    """FSDD's folder, where speechocean762 is there too."""
    return fsdd.PLACE.find() if speechocean762.PLACE.find() else None


def get(*, progress: BytesProgress | None = None, to: Path | None = None) -> Path:
    """FSDD's folder; the streams are made from it, and from speechocean762, each time they are loaded."""
    speechocean762.get()
    return fsdd.get(progress=progress, to=to)


SOURCE = Source(card("digit_streams"), load, find, get, fsdd.PLACE.recognises)
