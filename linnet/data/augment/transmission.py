"""Augmentation of recordings by what lies between two people on the phone: a narrow band, mu-law, lossy codecs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from linnet.data.augment.draws import Floats, check_chance, check_range, uniform
from linnet.data.augment.spectrum import Spectrum, through_spectrum
from linnet.errors import LinnetError, unknown

_FORMATS = {"opus": ("OGG", "OPUS", 1.0), "vorbis": ("OGG", "VORBIS", 1.0), "mp3": ("MP3", "MPEG_LAYER_III", 0.9),
            "gsm": ("WAV", "GSM610", None)}
"""What libsndfile calls it, and its strongest compression (mp3 refuses more at some rates)."""
_MP3_DELAY = 1105
"""Samples that LAME's encoder and a decoder come late; taken away by the decoder itself unless the frames are too small
for the note that says so."""
_RATES_HZ = {"opus": (8000, 12000, 16000, 24000, 48000),
             "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)}
_WEAKEST_OPUS = 0.75
"""The weakest compression used: about 68 kbit/s a channel, beyond which nobody hears a difference in speech."""


@dataclass(frozen=True)
class Telephone:
    """Only what a telephone passes: below and above the band the sound falls off (`order` times 6 dB an octave).

    300 to 3400 Hz is the band of ITU-T G.712. Phases stay as they are.
    """

    name: ClassVar[str] = "telephone"
    low_hz: float = 300.0
    high_hz: float = 3400.0
    order: int = 8
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_hz, self.high_hz, above=0)
        check_range(self, 1, self.order)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        return through_spectrum([self], batch, sample_rate_hz, rng)

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """Every frame times the response of the band."""
        hertz = np.linspace(0, spectrum.sample_rate_hz / 2, spectrum.bins)
        above = 1 / np.sqrt(1 + (self.low_hz / np.maximum(hertz, 1e-3)) ** (2 * self.order))
        below = 1 / np.sqrt(1 + (hertz / self.high_hz) ** (2 * self.order))
        happens = rng.random((len(spectrum.values), 1)) < self.chance
        gain = np.where(happens, above * below, 1).astype(np.float32)
        return replace(spectrum, values=spectrum.values * gain[:, None])


@dataclass(frozen=True)
class MuLaw:
    """As few levels as a telephone line has: coarse where it is loud, fine where it is quiet, 256 of them for 8 bits.

    After ITU-T G.711, with the logarithm itself instead of its 15 straight pieces.
    """

    name: ClassVar[str] = "mu_law"
    bits: int = 8
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, 2, self.bits)
        check_range(self, self.bits, 16)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        del sample_rate_hz
        mu = np.float32(255)
        levels = np.float32(2 ** (self.bits - 1) - 1)
        happens = rng.random((len(batch), 1)) < self.chance
        pressed = np.log1p(mu * np.minimum(np.abs(batch), 1)) / np.log1p(mu)
        heard = np.sign(batch) * np.expm1(np.rint(pressed * levels) / levels * np.log1p(mu)) / mu
        return np.asarray(np.where(happens, heard, batch), np.float32)


@dataclass(frozen=True)
class Codec:
    """Through a lossy codec and back, one drawn for each recording; quality 0 is the worst it has.

    `formats`: "opus" (about 6 to 68 kbit/s), "vorbis", "mp3" and "gsm" (GSM 06.10, one quality, made for 8000 Hz: it
    takes any rate and sounds better at a higher one). It is the real encoder of libsndfile: some milliseconds for a
    second of sound. Opus and mp3 know only some sample rates.
    """

    name: ClassVar[str] = "codec"
    formats: Sequence[str] = ("opus", "mp3", "gsm")
    low_quality: float = 0.0
    high_quality: float = 0.5
    chance: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", (self.formats,) if isinstance(self.formats, str) else tuple(self.formats))
        check_range(self, 0, self.low_quality)
        check_range(self, self.low_quality, self.high_quality)
        check_range(self, self.high_quality, 1)
        check_chance(self, self.chance)
        for name in self.formats:
            if name not in _FORMATS:
                raise unknown("codec", name, _FORMATS)
        if not self.formats:
            raise LinnetError(f"Codec: give at least one format of {', '.join(sorted(_FORMATS))}.")

    def check_rate(self, sample_rate_hz: int) -> None:
        """Raises LinnetError for a codec that knows no such sample rate, or that this libsndfile does not have."""
        import soundfile

        for name in self.formats:
            known = _RATES_HZ.get(name)
            if known and sample_rate_hz not in known:
                raise LinnetError(f"Codec: {name} takes recordings at {', '.join(map(str, known))} Hz; these have "
                                  f"{sample_rate_hz} Hz. Use other formats: vorbis and gsm take any rate.")
            container, subtype, _ = _FORMATS[name]
            if subtype not in soundfile.available_subtypes(container):
                raise LinnetError(f"Codec: libsndfile {soundfile.__libsndfile_version__} cannot write {name}; "
                                  "version 1.2 can. Leave it out of formats, or update the package soundfile.")

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        self.check_rate(sample_rate_hz)
        which = rng.integers(0, len(self.formats), len(batch))
        quality = uniform(rng, self.low_quality, self.high_quality, len(batch), chance=1.0, else_=0.0)
        changed = batch.copy()
        for row in np.flatnonzero(rng.random(len(batch)) < self.chance):
            changed[row] = coded(batch[row], sample_rate_hz, self.formats[which[row]], quality=float(quality[row]))
        return changed


def coded(samples: Floats, sample_rate_hz: int, codec: str, *, quality: float) -> Floats:
    """(samples,) through a codec and back, as long as before; `quality` from 0 (worst) to 1."""
    import soundfile

    container, subtype, strongest = _FORMATS[codec]
    given: dict[str, Any] = {} if strongest is None else {"compression_level": _level(codec, strongest, quality)}
    if codec == "mp3":
        given["bitrate_mode"] = "CONSTANT"
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), sample_rate_hz, format=container, subtype=subtype, **given)
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="float32")
    if codec == "mp3" and len(heard) > len(samples):
        heard = heard[_MP3_DELAY:]
    result = np.zeros_like(samples)
    result[:len(heard)] = heard[:len(samples)]
    return result


def _level(codec: str, strongest: float, quality: float) -> float:
    weakest = _WEAKEST_OPUS if codec == "opus" else 0.0
    return strongest - quality * (strongest - weakest)
