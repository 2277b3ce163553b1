"""Sounds and images: decoding them, and refusing what cannot be learnt from.

Decoders are imported when the first file is read, so that importing this room stays cheap.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data.holding import stop_held
from linnet.data.magic import kind_of_bytes, likeness
from linnet.errors import DamagedFileError, LinnetError

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_NO_KNOWN_LENGTH = (0, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass(frozen=True, eq=False)
class Audio:
    """One recording: `samples` (n,) float32, mono, in [-1, 1].

    >>> Audio(np.zeros(4000, np.float32), 8000).seconds
    0.5
    """

    samples: NDArray[np.float32]
    sample_rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.samples.dtype != np.float32:
            raise LinnetError(f"Audio: samples must be (n,) float32; got {self.samples.shape} {self.samples.dtype}.")
        if self.sample_rate_hz <= 0:
            raise LinnetError(f"Audio: the sample rate must be above 0 Hz; got {self.sample_rate_hz}.")

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return len(self.samples) / self.sample_rate_hz


Media = Audio | NDArray[np.uint8]
"""One decoded sample: a sound, or an image as (height, width, channels)."""


@dataclass(frozen=True)
class AudioFacts:
    """What the header of a recording says, before anything is mixed or resampled."""

    sample_rate_hz: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.frames / self.sample_rate_hz


@dataclass(frozen=True)
class ImageFacts:
    """What the header of an image says."""

    height: int
    width: int
    channels: int
    has_transparency: bool


def read_audio(file: Path | str | bytes) -> Audio:
    """Decode a recording; several channels are averaged, and what is louder than full scale is scaled to it.

    Raises DamagedFileError for a file that is empty, cut off, no recording, or holds NaN or infinite samples.
    """
    import soundfile

    data = contents(file)
    _refuse_cut_off_wave(data)
    try:
        with stop_held(), soundfile.SoundFile(io.BytesIO(data)) as sound:
            rate, expected = sound.samplerate, sound.frames
            channels = sound.read(expected, dtype="float32", always_2d=True)  # GSM has no end to be asked for
    except soundfile.LibsndfileError as error:
        raise DamagedFileError(_unread("a recording", error.error_string.rstrip("."), data)) from error
    if len(channels) < expected:
        raise DamagedFileError(f"is cut off: its header says {expected} samples, {len(channels)} can be read")
    return Audio(_checked(channels), int(rate))


def read_image(file: Path | str | bytes) -> NDArray[np.uint8]:
    """Decode an image to (height, width, channels) uint8: 1 channel for grey, else 3; transparency is dropped.

    The rotation that a camera wrote down is applied. Raises DamagedFileError for what cannot be read.
    """
    from PIL import ImageOps

    image = _opened_image(file)
    try:
        image = ImageOps.exif_transpose(image)
        return _pixels(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedFileError(f"cannot be read to its end as an image ({error})") from error


def probe_audio(file: Path | bytes) -> AudioFacts:
    """Rate, channels and length of a recording, from its header alone."""
    import soundfile

    try:
        with stop_held():
            found = soundfile.info(io.BytesIO(file) if isinstance(file, bytes) else str(file))
    except soundfile.LibsndfileError as error:
        raise DamagedFileError(_unread("a recording", error.error_string.rstrip("."), contents(file))) from error
    return AudioFacts(int(found.samplerate), int(found.channels), int(found.frames))


def probe_image(file: Path | bytes) -> ImageFacts:
    """Size and channels of an image, from its header alone."""
    image = _opened_image(file)
    return ImageFacts(image.height, image.width, 1 if _is_grey(image.mode) else 3, image.has_transparency_data)


def kind_of_name(name: str) -> str | None:
    """"audio" or "image" by a file's name; None for anything else."""
    suffix = Path(name).suffix.lower()
    return "audio" if suffix in AUDIO_SUFFIXES else "image" if suffix in IMAGE_SUFFIXES else None


def resample(audio: Audio, sample_rate_hz: int) -> Audio:
    """The same recording at another rate (soxr, high quality); the very same value if it has that rate already.

    >>> resample(Audio(np.zeros(800, np.float32), 8000), 16000).samples.shape
    (1600,)
    """
    if audio.sample_rate_hz == sample_rate_hz:
        return audio
    import soxr

    samples = soxr.resample(audio.samples, audio.sample_rate_hz, sample_rate_hz)
    return Audio(np.clip(samples, -1, 1).astype(np.float32), sample_rate_hz)


def encode(media: Media, *, subtype: str = "FLOAT") -> bytes:
    """A lossless file: float WAV for a recording, PNG for an image; WAV of 16 bits as subtype "PCM_16"."""
    buffer = io.BytesIO()
    if isinstance(media, Audio):
        import soundfile

        soundfile.write(buffer, media.samples, media.sample_rate_hz, format="WAV", subtype=subtype)
        return buffer.getvalue()
    from PIL import Image

    pixels = media[..., 0] if media.shape[-1] == 1 else media
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG")
    return buffer.getvalue()


def contents(file: Path | str | bytes) -> bytes:
    """The bytes of a file. Raises DamagedFileError where there are none."""
    if isinstance(file, Path | str):
        try:
            file = Path(file).read_bytes()
        except OSError as error:
            raise DamagedFileError(f"cannot be opened ({error.strerror})") from error
    if not file:
        raise DamagedFileError("is empty (0 bytes)")
    return file


def _unread(what: str, reason: str, data: bytes) -> str:
    """Why a file cannot be read, and what it looks like where that is something else."""
    is_it = kind_of_bytes(data[:12]) == {"a recording": "audio", "an image": "image"}[what]
    return f"cannot be read as {what} ({reason})" + ("" if is_it else f"; it {likeness(data[:64])}")


def _checked(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(channels):
        raise DamagedFileError("holds no samples (a recording of length 0)")
    broken = int(np.count_nonzero(~np.isfinite(channels)))
    if broken:
        raise DamagedFileError(f"holds {broken} samples that are NaN or infinite")
    samples = channels[:, 0] if channels.shape[1] == 1 else channels.mean(axis=1)
    peak = np.abs(samples).max()
    return np.ascontiguousarray(samples / peak if peak > 1 else samples, dtype=np.float32)


def _refuse_cut_off_wave(data: bytes) -> None:
    """libsndfile reads what is left of a WAV without a word, so the length in its header is held against the file."""
    if data[:4] != b"RIFF":
        return
    said = int.from_bytes(data[4:8], "little")
    if said not in _NO_KNOWN_LENGTH and said + 8 > len(data) + 1:
        raise DamagedFileError(f"is cut off: its header says {said + 8} bytes, the file has {len(data)}")


def _opened_image(file: Path | str | bytes) -> Any:
    from PIL import Image

    data = contents(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        said = str(error).split(" <")[0].replace("cannot identify image file", "format not recognised")
        raise DamagedFileError(_unread("an image", said, data)) from error


def _is_grey(mode: str) -> bool:
    return mode in ("1", "L", "LA", "La") or mode.startswith("I;16")


def _pixels(image: Any) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)[..., None]
    if image.mode in ("I", "F"):
        raise DamagedFileError(f"has pixels of kind '{image.mode}' (32 bits); store it with 8 bits a channel")
    pixels = np.asarray(image.convert("L" if _is_grey(image.mode) else "RGB"))
    return pixels[..., None].copy() if pixels.ndim == 2 else pixels.copy()
