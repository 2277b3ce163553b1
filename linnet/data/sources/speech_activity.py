"""Speech in noise: sentences of speechocean762 between silences, mixed with noise that is made; when is speech?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from linnet.data import noises
from linnet.data.cells import cells_of, media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, SpansColumn
from linnet.data.dataset import Dataset
from linnet.data.energy import speech_spans
from linnet.data.media import Audio, encode, resample
from linnet.data.noises import Floats
from linnet.data.sources import speechocean762
from linnet.data.sources.source import Source, card
from linnet.progress import BytesProgress

RATE_HZ = 16_000
SNRS_DB = (0, 5, 10, 20)
_ROWS = {"train": 1000, "validation": 160, "test": 320}
_TRAINING = (*noises.TRAINING, "vocoded")
_SILENT = 0.12
"""The share of training rows that hold noise alone."""
_VOICES = 6
_LONGEST_S = 6.0


@dataclass(frozen=True)
class _Clip:
    """One row: the sound, and where it is speech."""

    name: str
    sound: Audio
    spans: list[dict[str, Any]]
    noise: str
    snr: str
    speaker: str
    split: str


def load(*, folder: str | None = None) -> Dataset:
    """Columns: audio, speech (spans of audio), noise, snr (of the mixture, in dB), speaker, split.

    Labels are those of `data.energy.speech_spans` on the sentence before it was mixed. Training and validation rows
    have coloured, swelling and banded noise, tones, motors, and noise with the loudness of voices (vocoded); test rows
    babble of other test speakers, hum, knocks and music (all generated), none of which is heard in training. Speakers
    are in one part only: those of speechocean762.
    """
    spoken = speechocean762.load(folder=folder, validation=True)
    clips = list(itertools.chain.from_iterable(_part(spoken, split, rows) for split, rows in _ROWS.items()))
    return _dataset(clips, spoken.root)


def _dataset(clips: Sequence[_Clip], root: Path | None) -> Dataset:
    import pyarrow as pa

    groups = ("noise", "snr", "speaker", "split")
    table = pa.table({"id": [clip.name for clip in clips],
                      "audio": media_cells([encode(clip.sound, subtype="PCM_16") for clip in clips]),
                      "speech": cells_of([clip.spans for clip in clips], "spans"),
                      **{name: [getattr(clip, name) for clip in clips] for name in groups}})
    columns: dict[str, Column] = {"audio": AudioColumn(), "speech": SpansColumn(("speech",), "audio"),
                                  **{name: GroupColumn() for name in groups}}
    return Dataset("speech_activity", table, columns, root=root)


def _part(spoken: Dataset, split: str, rows: int) -> Iterator[_Clip]:
    part = spoken.where(split=split)
    rng = np.random.default_rng([7, len(split)])
    chosen = part.take(sorted(rng.permutation(len(part))[:rows].tolist()))
    sounds = [resample(cast(Audio, sound), RATE_HZ) for sound in chosen.decode("audio")]
    speakers = [str(name) for name in chosen.values("speaker")]
    kinds = itertools.cycle(itertools.product(("babble", *noises.HELD_OUT), SNRS_DB))
    for number, (name, sound, speaker) in enumerate(zip(chosen.ids, sounds, speakers, strict=True)):
        rng = np.random.default_rng([11, len(split), number])
        kind, step_db = next(kinds) if split == "test" else (str(rng.choice(_TRAINING)), SNRS_DB[number % 4])
        snr_db = float(rng.uniform(-5, 30)) if split == "train" else float(step_db)
        voices = [other.samples for other, who in zip(sounds, speakers, strict=True) if who != speaker]
        count = _VOICES if kind == "babble" else int(rng.integers(1, 5)) if kind == "vocoded" else 0
        picked = [voices[place] for place in rng.permutation(len(voices))[:count]]
        is_empty = split == "train" and rng.random() < _SILENT
        yield clip(f"{split}/{name}", None if is_empty else sound, speaker, split=split, noise=(kind, snr_db, picked),
                   rng=rng)


def clip(name: str, sound: Audio | None, speaker: str, *, split: str, noise: tuple[str, float, Sequence[Floats]],
         rng: np.random.Generator) -> _Clip:
    """A sentence (or none) between silences of 0.3 to 1.6 s, in noise: its kind, SNR in dB and, for babble, voices."""
    kind, snr_db, voices = noise
    before, after = (round(rng.uniform(0.3, 1.6) * RATE_HZ) for _ in range(2))
    spoken = sound.samples[: round(_LONGEST_S * RATE_HZ)] if sound else np.zeros(2 * RATE_HZ, np.float32)
    found = speech_spans(Audio(spoken, RATE_HZ)) if sound else []
    wave = np.pad(spoken, (before, after))
    first = before * 1000 // RATE_HZ
    spans = [{"label": "speech", "start": start + first, "end": end + first} for start, end in found]
    if kind in ("babble", "vocoded"):
        made = (noises.babble if kind == "babble" else noises.vocoded)(voices, len(wave), rng)
    else:
        made = {**noises.TRAINING, **noises.HELD_OUT}[kind](len(wave), RATE_HZ, rng)
    mixture = noises.mixed(wave, made, snr_db=snr_db, is_speech=_marks(len(wave), spans)) if spans else made
    loud = 10 ** (rng.uniform(-20, 0) / 20) * 0.9 / max(float(np.abs(mixture).max()), 1e-9)
    return _Clip(name, Audio((mixture * loud).astype(np.float32), RATE_HZ), spans, kind,
                 f"{round(snr_db)} dB" if spans else "no speech", speaker if spans else "nobody", split)


def _marks(samples: int, spans: Sequence[Mapping[str, Any]]) -> Any:
    marks = np.zeros(samples, bool)
    for span in spans:
        marks[span["start"] * RATE_HZ // 1000 : span["end"] * RATE_HZ // 1000] = True
    return marks


def get(*, progress: BytesProgress | None = None, to: Path | None = None) -> Path:
    """The folder of speechocean762, from which the mixtures are made each time they are loaded."""
    return speechocean762.get(progress=progress, to=to)


SOURCE = Source(card("speech_activity"), load, speechocean762.PLACE.find, get,
                speechocean762.PLACE.recognises)
