"""Augment: steps one after another, the same for the same seed, and written down as JSON."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.images import Flip, Move, Rotate, Zoom, moved
from linnet.data.augment.spectrum import Equalize, FrequencyMask, Pitch, Tempo, VocalTract, through_spectrum
from linnet.data.augment.waveform import Crop, Gain, Noise, Shift, Speed, TimeMask
from linnet.errors import LinnetError, unknown

Step = (Gain | Noise | Shift | Crop | Speed | TimeMask | Tempo | Pitch | VocalTract | Equalize | FrequencyMask
        | Move | Rotate | Zoom | Flip)
STEPS: dict[str, type[Step]] = {
    "gain": Gain, "noise": Noise, "shift": Shift, "crop": Crop, "speed": Speed, "time_mask": TimeMask,
    "tempo": Tempo, "pitch": Pitch, "vocal_tract": VocalTract, "equalize": Equalize, "frequency_mask": FrequencyMask,
    "move": Move, "rotate": Rotate, "zoom": Zoom, "flip": Flip}
"""Every step, by the name that a recipe gives it."""
_SPECTRAL = (Tempo, VocalTract, Equalize, FrequencyMask)
_GEOMETRIC = (Move, Rotate, Zoom, Flip)
_BLOCK = 8
"""Clips that go through all steps together; few enough that their spectra stay in the processor's cache."""


@dataclass(frozen=True)
class Augment:
    """Steps for recordings (batch, samples) float32 or for images (batch, height, width, channels) uint8.

    >>> augment = Augment([Gain(-6, 6), Shift(-0.1, 0.1)])
    >>> batch = np.zeros((2, 8000), np.float32)
    >>> augment(batch, 8000, generator(seed=0, epoch=3, batch=7)).shape
    (2, 8000)
    """

    steps: Sequence[Step]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        geometric = [step.name for step in self.steps if isinstance(step, _GEOMETRIC)]
        if geometric and len(geometric) < len(self.steps):
            audio = [step.name for step in self.steps if not isinstance(step, _GEOMETRIC)]
            raise LinnetError(f"Augment: {', '.join(geometric)} are for images and {', '.join(audio)} for recordings; "
                              "use steps of one kind.")

    def __call__(self, batch: NDArray[Any], sample_rate_hz: int | None, rng: np.random.Generator) -> NDArray[Any]:
        """A changed batch of the same shape and dtype; recordings that came out above full scale are turned down."""
        if not self.steps:
            return batch
        if isinstance(self.steps[0], _GEOMETRIC):
            return moved(self._images(batch), batch, rng)
        rate = _checked(batch, sample_rate_hz)
        blocks = [self._block(batch[first:first + _BLOCK], rate, rng) for first in range(0, len(batch), _BLOCK)]
        return np.concatenate(blocks) if blocks else batch

    def to_json(self) -> list[dict[str, Any]]:
        """Plain JSON: [{"step": "gain", "low_db": -6.0, ...}, ...]."""
        return [{"step": step.name, **dataclasses.asdict(step)} for step in self.steps]

    @classmethod
    def from_json(cls, value: Sequence[Mapping[str, Any]]) -> Augment:
        """Read what `to_json` wrote; settings that are left out have their defaults."""
        return cls([_step(one) for one in value])

    def _images(self, batch: NDArray[Any]) -> list[Move | Rotate | Zoom | Flip]:
        if batch.ndim != 4 or batch.dtype != np.uint8:
            raise LinnetError("Augment: these steps are for images (batch, height, width, channels) uint8; "
                              f"got {batch.shape} {batch.dtype}.")
        return [step for step in self.steps if isinstance(step, _GEOMETRIC)]

    def _block(self, block: NDArray[np.float32], rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
        for is_spectral, group in itertools.groupby(self.steps, lambda step: isinstance(step, _SPECTRAL)):
            if is_spectral:
                block = through_spectrum([step for step in group if isinstance(step, _SPECTRAL)], block, rate, rng)
            else:
                for step in group:
                    if not isinstance(step, _GEOMETRIC):
                        block = step(block, rate, rng)
        return np.asarray(block / np.abs(block).max(axis=1, keepdims=True, initial=1.0), np.float32)


def generator(*, seed: int, epoch: int, batch: int) -> np.random.Generator:
    """The random numbers of one batch: the same on every machine and after every resumption."""
    return np.random.default_rng([seed, epoch, batch])


def _checked(batch: NDArray[Any], sample_rate_hz: int | None) -> int:
    if batch.ndim != 2 or batch.dtype != np.float32 or sample_rate_hz is None:
        raise LinnetError(f"Augment: these steps are for recordings (batch, samples) float32 and their sample rate; "
                          f"got {batch.shape} {batch.dtype} at {sample_rate_hz} Hz.")
    return sample_rate_hz


def _step(value: Mapping[str, Any]) -> Step:
    settings = dict(value)
    name = str(settings.pop("step", None))
    if name not in STEPS:
        raise unknown("augmentation step", name, STEPS)
    known = [field.name for field in dataclasses.fields(STEPS[name])]
    for setting in settings:
        if setting not in known:
            raise unknown(f"setting of '{name}'", setting, known)
    try:
        return STEPS[name](**settings)
    except TypeError as error:
        raise LinnetError(f"augmentation step '{name}': a setting is of the wrong kind ({error}).") from error


PRESETS: dict[str, Augment] = {
    "speech": Augment([Speed(), Tempo(), VocalTract(), Equalize(), Crop(), Shift(-1.0, 1.0),
                       Noise(low_snr_db=5, high_snr_db=45, high_exponent=1.2, ripple_db=4, only_inside=0.5),
                       FrequencyMask(), TimeMask(), Gain(-20.0, 0.0)]),
    "handwriting": Augment([Move(0.08), Rotate(-12, 12), Zoom(0.9, 1.1)]),
    "photographs": Augment([Flip(), Move(0.1), Zoom(0.9, 1.2)]),
}
"""Sensible chains by name; each is a plain value, so take its steps and make another one."""
