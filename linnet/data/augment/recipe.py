"""Augment: steps one after another, the same for the same seed, and written down as JSON."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.images import Flip, Move, ResizedCrop, Rotate, Zoom, moved
from linnet.data.augment.pixels import Colour, Erase, PaddedCrop
from linnet.data.augment.places import Background, Reverberation
from linnet.data.augment.randaugment import RandAugment
from linnet.data.augment.spectrum import Equalize, FrequencyMask, Pitch, Tempo, VocalTract, through_spectrum
from linnet.data.augment.texts import Typos, WordDropout, WordSwap
from linnet.data.augment.transmission import Codec, MuLaw, Telephone
from linnet.data.augment.waveform import Crop, Gain, Noise, Shift, Speed, TimeMask
from linnet.errors import LinnetError, unknown

Kind = Literal["audio", "image", "text"]
SoundStep = (Gain | Noise | Shift | Crop | Speed | TimeMask | Tempo | Pitch | VocalTract | Equalize | FrequencyMask
             | Telephone | MuLaw | Codec | Reverberation | Background)
ImageStep = Move | Rotate | Zoom | Flip | ResizedCrop | PaddedCrop | Colour | Erase | RandAugment
TextStep = WordDropout | WordSwap | Typos
Step = SoundStep | ImageStep | TextStep
_SOUND = (Gain, Noise, Shift, Crop, Speed, TimeMask, Tempo, Pitch, VocalTract, Equalize, FrequencyMask, Telephone,
          MuLaw, Codec, Reverberation, Background)
_IMAGE = (Move, Rotate, Zoom, Flip, ResizedCrop, PaddedCrop, Colour, Erase, RandAugment)
_TEXT = (WordDropout, WordSwap, Typos)
STEPS: dict[str, type[Step]] = {step.name: step for step in (*_SOUND, *_IMAGE, *_TEXT)}
"""Every step, by the name that a recipe gives it."""
NOUNS: dict[str, str] = {"audio": "recordings", "image": "images", "text": "texts"}
"""What each kind of step is for."""
_WRITTEN = "{'step': 'gain', 'low_db': -6}"
_SPECTRAL = (Tempo, VocalTract, Equalize, FrequencyMask, Telephone)
_GEOMETRIC = (Move, Rotate, Zoom, Flip, ResizedCrop)
_MOVING = (Shift, Crop, Speed, Tempo)
STAYING = tuple(step.name for step in _SOUND if step not in _MOVING)
"""The steps for recordings that leave every sound at its time."""
_BLOCK = 8
"""Clips that go through all steps together; few enough that their spectra stay in the processor's cache."""


@dataclass(frozen=True)
class Augment:
    """Steps for recordings (batch, samples) float32, for images (batch, height, width, channels) uint8, or for texts.

    >>> augment = Augment([Gain(-6, 6), Shift(-0.1, 0.1)])
    >>> batch = np.zeros((2, 8000), np.float32)
    >>> augment(batch, 8000, generator(seed=0, epoch=3, batch=7)).shape
    (2, 8000)
    >>> Augment([WordDropout(share=0.5)]).on_texts(["please play it again"], generator(seed=0, epoch=3, batch=0))
    ['please play']
    """

    steps: Sequence[Step]

    def __post_init__(self) -> None:
        if not isinstance(self.steps, list | tuple) or not all(isinstance(step, tuple(STEPS.values()))
                                                               for step in self.steps):
            raise LinnetError(f"Augment takes a list of steps such as [Gain()]; got {self.steps!r:.100}. A preset is "
                              f"PRESETS['speech']; what is written {_WRITTEN} is read by Augment.from_json.")
        object.__setattr__(self, "steps", tuple(self.steps))
        named: dict[Kind, list[str]] = {}
        for step in self.steps:
            named.setdefault(_kind(step), []).append(step.name)
        if len(named) > 1:
            said = " and ".join(f"{', '.join(names)} for {NOUNS[kind]}" for kind, names in named.items())
            raise LinnetError(f"Augment: {said}; use steps of one kind.")

    @property
    def kind(self) -> Kind | None:
        """What the steps change: "audio", "image" or "text"; None for no steps."""
        return _kind(self.steps[0]) if self.steps else None

    @property
    def moving(self) -> tuple[str, ...]:
        """The names of those steps that cut sound off, or move it to another time."""
        return tuple(step.name for step in self.steps if isinstance(step, _MOVING))

    def check(self, kind: str, sample_rate_hz: int | None = None) -> None:
        """Raises LinnetError for steps that are for another kind than the samples, or do not know their sample rate."""
        if self.kind is not None and self.kind != kind:
            raise LinnetError(f"augmentation with {', '.join(step.name for step in self.steps)} is for "
                              f"{NOUNS[self.kind]}; the samples are {NOUNS.get(kind, kind)}. "
                              f"Steps for these: {', '.join(_names(kind)) or '(none)'}.")
        for step in self.steps:
            if isinstance(step, Codec) and sample_rate_hz is not None:
                step.check_rate(sample_rate_hz)

    def __call__(self, batch: NDArray[Any], sample_rate_hz: int | None, rng: np.random.Generator) -> NDArray[Any]:
        """A changed batch of the same shape and dtype; recordings that came out above full scale are turned down."""
        if not self.steps:
            return batch
        if self.kind == "image":
            return self._on_images(batch, rng)
        if self.kind == "text":
            raise LinnetError(f"Augment: these steps are for texts (use on_texts); got {batch.shape} {batch.dtype}.")
        rate = _checked(batch, sample_rate_hz)
        blocks = [self._block(batch[first:first + _BLOCK], rate, rng) for first in range(0, len(batch), _BLOCK)]
        return np.concatenate(blocks) if blocks else batch

    def on_texts(self, texts: Sequence[str], rng: np.random.Generator) -> list[str]:
        """Changed texts, as many as were given. Raises LinnetError for steps that are not for texts."""
        self.check("text")
        changed = list(texts)
        for step in self.steps:
            if isinstance(step, _TEXT):
                changed = step.on_texts(changed, rng)
        return changed

    def to_json(self) -> list[dict[str, Any]]:
        """Plain JSON: [{"step": "gain", "low_db": -6.0, ...}, ...]."""
        return [{"step": step.name, **{name: _plain(getattr(step, name)) for name in _settings(type(step))}}
                for step in self.steps]

    @classmethod
    def from_json(cls, value: Sequence[Mapping[str, Any]]) -> Augment:
        """Read what `to_json` wrote; settings that are left out have their defaults."""
        if not isinstance(value, list | tuple):
            raise LinnetError(f"augmentation is written as a list of steps, [{_WRITTEN}]; got {value!r:.100}.")
        return cls([_step(one) for one in value])

    def _on_images(self, batch: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint8]:
        if batch.ndim != 4 or batch.dtype != np.uint8:
            raise LinnetError("Augment: these steps are for images (batch, height, width, channels) uint8; "
                              f"got {batch.shape} {batch.dtype}.")
        for is_geometric, group in itertools.groupby(self.steps, lambda step: isinstance(step, _GEOMETRIC)):
            steps = list(group)
            if is_geometric and len(steps) > 1:
                batch = moved([step for step in steps if isinstance(step, _GEOMETRIC)], batch, rng)
            else:
                for step in steps:
                    if isinstance(step, _IMAGE):
                        batch = step(batch, None, rng)
        return batch

    def _block(self, block: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
        for is_spectral, group in itertools.groupby(self.steps, lambda step: isinstance(step, _SPECTRAL)):
            if is_spectral:
                block = through_spectrum([step for step in group if isinstance(step, _SPECTRAL)], block, rate, rng)
            else:
                for step in group:
                    if isinstance(step, _SOUND):
                        block = step(block, rate, rng)
        return np.asarray(block / np.abs(block).max(axis=1, keepdims=True, initial=1.0), np.float32)


def generator(*, seed: int, epoch: int, batch: int) -> np.random.Generator:
    """The random numbers of one batch: the same on every machine and after every resumption."""
    return np.random.default_rng([seed, epoch, batch])


def _kind(step: Step) -> Kind:
    return "image" if isinstance(step, _IMAGE) else "text" if isinstance(step, _TEXT) else "audio"


def _names(kind: str) -> list[str]:
    return [step.name for step in {"audio": _SOUND, "image": _IMAGE, "text": _TEXT}.get(kind, ())]


def _checked(batch: NDArray[Any], sample_rate_hz: int | None) -> int:
    if batch.ndim != 2 or batch.dtype != np.float32 or sample_rate_hz is None:
        raise LinnetError(f"Augment: these steps are for recordings (batch, samples) float32 and their sample rate; "
                          f"got {batch.shape} {batch.dtype} at {sample_rate_hz} Hz.")
    return sample_rate_hz


def _settings(step: type[Step]) -> list[str]:
    return [field.name for field in dataclasses.fields(step) if field.init]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _step(value: Mapping[str, Any]) -> Step:
    if not isinstance(value, Mapping):
        raise LinnetError(f"an augmentation step is written {_WRITTEN}; got {value!r:.100}.")
    settings = dict(value)
    name = str(settings.pop("step", None))
    if name not in STEPS:
        raise unknown("augmentation step", name, STEPS)
    known = _settings(STEPS[name])
    for setting in settings:
        if setting not in known:
            raise unknown(f"setting of '{name}'", setting, known)
    try:
        return STEPS[name](**settings)
    except TypeError as error:
        raise LinnetError(f"augmentation step '{name}': a setting is of the wrong kind ({error}).") from error
