"""Seeded changes of recordings, images and texts, so that a model learns from more than was recorded.

This room knows no tasks: a batch goes in, a batch of the same shape and dtype comes out. Only Background knows
datasets, because what it mixes in is one.
"""

from linnet.data.augment.images import Flip, Move, ResizedCrop, Rotate, Zoom
from linnet.data.augment.pixels import Colour, Erase, PaddedCrop
from linnet.data.augment.places import Background, Reverberation
from linnet.data.augment.presets import PRESETS
from linnet.data.augment.randaugment import RandAugment
from linnet.data.augment.recipe import STAYING, STEPS, Augment, Step, generator
from linnet.data.augment.spectrum import Equalize, FrequencyMask, Pitch, Tempo, VocalTract
from linnet.data.augment.texts import Typos, WordDropout, WordSwap
from linnet.data.augment.transmission import Codec, MuLaw, Telephone
from linnet.data.augment.waveform import Crop, Gain, Noise, Shift, Speed, TimeMask

__all__ = [
    "PRESETS",
    "STAYING",
    "STEPS",
    "Augment",
    "Background",
    "Codec",
    "Colour",
    "Crop",
    "Equalize",
    "Erase",
    "Flip",
    "FrequencyMask",
    "Gain",
    "Move",
    "MuLaw",
    "Noise",
    "PaddedCrop",
    "Pitch",
    "RandAugment",
    "ResizedCrop",
    "Reverberation",
    "Rotate",
    "Shift",
    "Speed",
    "Step",
    "Telephone",
    "Tempo",
    "TimeMask",
    "Typos",
    "VocalTract",
    "WordDropout",
    "WordSwap",
    "Zoom",
    "generator",
]
