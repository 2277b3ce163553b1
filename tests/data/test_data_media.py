"""Recordings and images: what is read, and what is refused with its reason."""

import io
import struct

import numpy as np
import pytest
import soundfile
from PIL import Image

from linnet.data import Audio, read_audio, read_image, resample
from linnet.data.digest import content_digest
from linnet.data.media import encode, probe_audio, probe_image
from linnet.errors import DamagedFileError, LinnetError

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)).astype(np.float32)
PIXELS = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)


def sound(samples=TONE, rate=8000, **kind):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **({"format": "WAV", "subtype": "PCM_16"} | kind))
    return buffer.getvalue()


def picture(image, **kind):
    buffer = io.BytesIO()
    image.save(buffer, **({"format": "PNG"} | kind))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [{}, {"format": "FLAC"}, {"format": "AIFF"}, {"subtype": "FLOAT"},
                                  {"subtype": "PCM_24"}])
def test_a_recording_is_read_from_any_format(kind):
    audio = read_audio(sound(**kind))
    assert (audio.sample_rate_hz, audio.samples.dtype, audio.seconds) == (8000, np.float32, 0.5)
    np.testing.assert_allclose(audio.samples, TONE, atol=1 / 32000)


@pytest.mark.parametrize("kind", [{"format": "OGG", "subtype": "VORBIS"},
                                  {"format": "MP3", "subtype": "MPEG_LAYER_III"}])
def test_a_lossy_recording_is_read(kind):
    audio = read_audio(sound(np.tile(TONE, 4), **kind))
    spectrum = np.abs(np.fft.rfft(audio.samples))
    assert spectrum.argmax() / len(audio.samples) * 8000 == pytest.approx(440, abs=5)


def test_stereo_is_averaged():
    audio = read_audio(sound(np.stack([TONE, np.zeros_like(TONE)], axis=1)))
    np.testing.assert_allclose(audio.samples, TONE / 2, atol=1e-4)
    assert probe_audio(sound(np.stack([TONE, TONE], axis=1))).channels == 2


def test_what_is_above_full_scale_is_scaled_to_it():
    audio = read_audio(sound(3 * TONE, subtype="FLOAT"))
    assert np.abs(audio.samples).max() == pytest.approx(1)
    np.testing.assert_allclose(audio.samples, 2 * TONE, atol=1e-6)


def not_finite(value):
    samples = TONE.copy()
    samples[[3, 7]] = value
    return sound(samples, subtype="FLOAT")


@pytest.mark.parametrize(("data", "words"), [
    (b"", "0 bytes"), (sound(TONE[:0]), "no samples"), (sound()[:3000], "cut off"),
    (sound(format="FLAC")[:2000], "cut off|cannot be read"), (not_finite(np.nan), "2 samples that are NaN"),
    (not_finite(np.inf), "2 samples that are NaN or infinite"), (b"RIFF" + bytes(100), "cannot be read"),
    (b"these are words, not sounds", "cannot be read as a recording"),
    (picture(Image.new("L", (8, 8))), "cannot be read")],
    ids=["empty", "zero length", "cut WAV", "cut FLAC", "NaN", "infinite", "zeros", "text", "an image"])
def test_what_is_no_whole_recording_is_refused(data, words, tmp_path):
    with pytest.raises(DamagedFileError, match=words):
        read_audio(data)
    path = tmp_path / "bad.wav"
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match=words):
        read_audio(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.wav", str(tmp_path / "none.wav")):
        with pytest.raises(DamagedFileError, match="No such file"):
            read_audio(path)


def test_a_path_may_be_a_text(tmp_path):
    path = tmp_path / "clip.wav"
    path.write_bytes(sound())
    np.testing.assert_array_equal(read_audio(str(path)).samples, read_audio(path).samples)
    path = tmp_path / "grey.png"
    path.write_bytes(picture(Image.new("L", (8, 8))))
    assert read_image(str(path)).shape == (8, 8, 1)


def test_a_wave_that_was_streamed_says_no_length_and_is_read():
    data = bytearray(sound())
    data[4:8] = struct.pack("<I", 0xFFFFFFFF)
    assert len(read_audio(bytes(data)).samples) == 4000


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3),
                                                ("I;16", 1)])
def test_an_image_is_grey_or_colour(mode, channels):
    deep = Image.fromarray(PIXELS[..., 0].astype(np.uint16) << 8)
    image = deep if mode == "I;16" else Image.fromarray(PIXELS).convert(mode)
    pixels = read_image(picture(image))
    assert (pixels.shape, pixels.dtype) == ((7, 5, channels), np.uint8)
    facts = probe_image(picture(image))
    assert (facts.height, facts.width, facts.channels) == (7, 5, channels)
    assert facts.has_transparency == (mode in ("LA", "RGBA"))
    if mode in ("RGB", "RGBA"):
        np.testing.assert_array_equal(pixels, PIXELS)
    if mode == "I;16":
        np.testing.assert_array_equal(pixels[..., 0], PIXELS[..., 0])


def test_the_rotation_that_a_camera_wrote_down_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(picture(Image.fromarray(PIXELS), format="JPEG", exif=exif)).shape == (5, 7, 3)


@pytest.mark.parametrize("data", [b"", b"words", picture(Image.fromarray(PIXELS))[:60], sound()],
                         ids=["empty", "text", "cut", "a sound"])
def test_what_is_no_whole_image_is_refused(data):
    with pytest.raises(DamagedFileError):
        read_image(data)


def test_an_image_of_32_bits_is_refused_rather_than_cut_down():
    with pytest.raises(DamagedFileError, match="32 bits"):
        read_image(picture(Image.fromarray(PIXELS[..., 0].astype(np.float32)), format="TIFF"))


def test_resample_keeps_a_tone_and_its_length():
    audio = resample(Audio(TONE, 8000), 16000)
    assert (audio.sample_rate_hz, len(audio.samples)) == (16000, 8000)
    assert np.abs(np.fft.rfft(audio.samples)).argmax() * 2 == pytest.approx(440, abs=2)
    same = Audio(TONE, 8000)
    assert resample(same, 8000) is same


@pytest.mark.parametrize("media", [Audio(TONE, 8000), PIXELS, PIXELS[..., :1]], ids=["sound", "colour", "grey"])
def test_encode_loses_nothing(media):
    read = read_audio(encode(media)) if isinstance(media, Audio) else read_image(encode(media))
    np.testing.assert_array_equal(getattr(read, "samples", read), getattr(media, "samples", media))


@pytest.mark.parametrize(("samples", "rate"), [(TONE[None], 8000), (TONE.astype(np.float64), 8000), (TONE, 0)])
def test_audio_is_checked_when_made(samples, rate):
    with pytest.raises(LinnetError, match="Audio"):
        Audio(samples, rate)


def test_the_digest_is_that_of_the_content_and_not_of_the_format():
    samples = (TONE * 9999).astype(np.int16)
    forms = {content_digest(sound(samples, **kind)) for kind in ({}, {"format": "FLAC"}, {"format": "AIFF"})}
    assert len(forms) == 1
    others = [sound(samples, rate=16000), sound(samples[1:]), sound(np.stack([samples] * 2, 1)),
              sound(samples, subtype="PCM_24")]
    assert len(forms | {content_digest(other) for other in others}) == 5


def test_the_digest_of_a_png_is_that_of_its_pixels():
    image = Image.fromarray(PIXELS)
    assert content_digest(picture(image, compress_level=0)) == content_digest(picture(image, compress_level=9))
    red, blue = Image.new("P", (2, 2)), Image.new("P", (2, 2))
    red.putpalette([255, 0, 0])
    blue.putpalette([0, 0, 255])
    digests = {content_digest(picture(one)) for one in (image, Image.fromarray(255 - PIXELS), red, blue)}
    assert len(digests) == 4


def test_what_cannot_be_decoded_has_a_digest_too(tmp_path):
    whole = sound(format="FLAC")
    assert content_digest(whole[:900]) == content_digest(whole[:900]) != content_digest(whole[:901])
    assert content_digest(tmp_path / "none.wav") == content_digest(b"")
