"""Files are named by their first bytes, whatever they are called."""

import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from linnet.data import read_audio, read_image
from linnet.data.magic import kind_of_bytes, likeness, suffix_of_bytes
from linnet.errors import DamagedFileError


def encoded(kind):
    buffer = io.BytesIO()
    if kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        soundfile.write(buffer, np.zeros(2000), 16000, format=kind)
    else:
        Image.new("RGB", (4, 4)).save(buffer, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "expected"), [
    ("WAV", ("audio", ".wav")), ("FLAC", ("audio", ".flac")), ("OGG", ("audio", ".ogg")), ("MP3", ("audio", ".mp3")),
    ("AIFF", ("audio", ".aiff")), ("PNG", ("image", ".png")), ("JPEG", ("image", ".jpg")), ("BMP", ("image", ".bmp")),
    ("WEBP", ("image", ".webp")), ("GIF", (None, ".gif"))])
def test_real_files_are_known_by_their_first_bytes(kind, expected):
    assert (kind_of_bytes(encoded(kind)[:12]), suffix_of_bytes(encoded(kind)[:12])) == expected


@pytest.mark.parametrize(("data", "words"), [
    (encoded("JPEG"), "begins like a JPEG image"), (b"<!DOCTYPE html><title>404", "begins like a web page"),
    (b"version https://git-lfs.github.com/spec/v1\noid", r"pointer of Git LFS.*git lfs pull"),
    (bytes(99), "with zeros"), (b"\0\0\0\x20ftypM4A ", "an MPEG-4 file"),
    (b"not a sound", r"like text \('not a sound'\)"),
    (b"\x01\x02\x03\x04" * 9, "bytes of no known format")])
def test_a_recording_that_is_something_else_says_what(data, words):
    with pytest.raises(DamagedFileError, match=rf"cannot be read as a recording \(.*\); it .*{words}"):
        read_audio(data)


def test_an_image_that_is_something_else_says_what():
    with pytest.raises(DamagedFileError, match=r"cannot be read as an image \(.*\); it begins like a FLAC recording"):
        read_image(encoded("FLAC"))
    with pytest.raises(DamagedFileError, match=r"as a recording \([^;]*\)$"):
        read_audio(encoded("FLAC")[:30])
    assert likeness(b"") == "is empty"
