"""What is said of a recording before a model hears it: that it is silent, clipped, or came over a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linnet.data import Audio

CRESTS = 2
TELEPHONE_HZ, WIDE_HZ = (3000, 4300), 16_000


def said_of(path: Path, sound: Audio) -> Iterator[str]:
    """A sentence for each thing that is odd about it."""
    from linnet.introspect.health.sounds import measure_sound

    if not sound.samples.any():
        yield f"{path} is silent; the answer means nothing."
        return
    found = measure_sound(sound)
    if found["flat_tops"] >= CRESTS:
        yield f"{path} is clipped: {found['flat_tops']:.0f} crests are cut flat, and what they held is lost."
    band_hz = found["bandwidth"] * sound.sample_rate_hz / 2
    if sound.sample_rate_hz >= WIDE_HZ and TELEPHONE_HZ[0] <= band_hz <= TELEPHONE_HZ[1]:
        yield f"{path} holds nothing above {band_hz / 1000:.1f} kHz, as if it came over a telephone."
