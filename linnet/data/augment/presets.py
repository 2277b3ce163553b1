"""Sensible chains by name; each is a plain value, so take its steps and make another one."""

from __future__ import annotations

from linnet.data.augment.images import Flip, Move, ResizedCrop, Rotate, Zoom
from linnet.data.augment.pixels import Colour, PaddedCrop
from linnet.data.augment.recipe import Augment
from linnet.data.augment.spectrum import Equalize, FrequencyMask, Tempo, VocalTract
from linnet.data.augment.texts import Typos, WordDropout
from linnet.data.augment.transmission import MuLaw, Telephone
from linnet.data.augment.waveform import Crop, Gain, Noise, Shift, Speed, TimeMask

PRESETS: dict[str, Augment] = {
    "speech": Augment([Speed(), Tempo(), VocalTract(), Equalize(), Crop(), Shift(-1.0, 1.0),
                       Noise(low_snr_db=5, high_snr_db=45, high_exponent=1.2, ripple_db=4, only_inside=0.5),
                       FrequencyMask(), TimeMask(), Gain(-20.0, 0.0)]),
    "transcription": Augment([VocalTract(0.9, 1.12), Equalize(),
                              Noise(low_snr_db=5, high_snr_db=45, high_exponent=1.2, ripple_db=4),
                              FrequencyMask(), TimeMask(0.05), Gain(-20.0, 0.0)]),
    "specaugment": Augment([FrequencyMask(), TimeMask()]),
    "telephone": Augment([Speed(0.92, 1.08), Equalize(deviation_db=3), Telephone(), Noise(low_snr_db=8, high_snr_db=40),
                          Gain(-20.0, 0.0), MuLaw()]),
    "handwriting": Augment([Move(0.08), Rotate(-12, 12), Zoom(0.9, 1.1)]),
    "photographs": Augment([Flip(), ResizedCrop(0.4, 1.0), Colour()]),
    "small_photographs": Augment([PaddedCrop(), Flip()]),
    "texts": Augment([WordDropout(), Typos()]),
}
