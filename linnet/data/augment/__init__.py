"""Seeded changes of recordings and images, so that a model hears and sees more than was recorded.

This room knows neither datasets nor tasks: a batch goes in, a batch of the same shape and dtype comes out.
"""

from linnet.data.augment.images import Flip, Move, Rotate, Zoom
from linnet.data.augment.recipe import PRESETS, STEPS, Augment, Step, generator
from linnet.data.augment.spectrum import Equalize, FrequencyMask, Pitch, Tempo, VocalTract
from linnet.data.augment.waveform import Crop, Gain, Noise, Shift, Speed, TimeMask

__all__ = [
    "PRESETS",
    "STEPS",
    "Augment",
    "Crop",
    "Equalize",
    "Flip",
    "FrequencyMask",
    "Gain",
    "Move",
    "Noise",
    "Pitch",
    "Rotate",
    "Shift",
    "Speed",
    "Step",
    "Tempo",
    "TimeMask",
    "VocalTract",
    "Zoom",
    "generator",
]
