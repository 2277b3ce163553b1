"""What every measure of a voice asks of a recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

LOWEST_RATE_HZ = 4000


def checked(samples: NDArray[np.floating], sample_rate_hz: int) -> NDArray[np.float32]:
    """The samples as float32; raises LinnetError for anything but numbers (samples,) at a rate that carries speech."""
    sound = np.asarray(samples)
    if sound.ndim != 1 or not np.issubdtype(sound.dtype, np.floating):
        raise LinnetError(f"a recording is numbers between -1 and 1 of shape (samples,), one channel; got "
                          f"{sound.dtype} of shape {sound.shape}.")
    if sample_rate_hz < LOWEST_RATE_HZ:
        raise LinnetError(f"a voice needs at least {LOWEST_RATE_HZ} samples a second; got {sample_rate_hz}.")
    if not np.isfinite(sound).all():
        raise LinnetError(f"{int((~np.isfinite(sound)).sum())} of {len(sound)} samples are not numbers (NaN or "
                          "infinite); look at how the recording was read.")
    return sound.astype(np.float32)
