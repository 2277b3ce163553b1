"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

_AUDIO = "audio"
_IMAGE = "image"
_KNOWN: tuple[tuple[bytes, str | None, str, str], ...] = (
    (b"fLaC", _AUDIO, ".flac", "a FLAC recording"), (b"OggS", _AUDIO, ".ogg", "an Ogg recording"),
    (b"ID3", _AUDIO, ".mp3", "an MP3 recording"), (b"\x89PNG", _IMAGE, ".png", "a PNG image"),
    (b"\xff\xd8\xff", _IMAGE, ".jpg", "a JPEG image"), (b"BM", _IMAGE, ".bmp", "a BMP image"),
    (b"GIF8", None, ".gif", "a GIF image"), (b"PK\x03\x04", None, ".zip", "a zip archive"),
    (b"\x1f\x8b", None, ".gz", "a gzip file"), (b"PAR1", None, ".parquet", "a Parquet table"),
    (b"%PDF", None, ".pdf", "a PDF document"), (b"version https://git-lfs", None, "", "a pointer of Git LFS, not the "
     "file itself (run: git lfs pull)"), (b"<!DOCTYPE", None, ".html", "a web page"), (b"<html", None, ".html",
                                                                                     "a web page"),
    (b"\x93NUMPY", None, ".npy", "a NumPy array"), (b"\x80\x04", None, "", "a Python pickle, which is not read"))
_RIFF = {b"WAVE": (_AUDIO, ".wav", "a WAV recording"), b"WEBP": (_IMAGE, ".webp", "a WebP image"),
         b"AVI ": (None, ".avi", "an AVI video")}


def kind_of_bytes(data: bytes) -> str | None:
    """"audio" or "image" by the first 12 bytes; None for anything else.

    >>> kind_of_bytes(b"fLaC...."), kind_of_bytes(b"words")
    ('audio', None)
    """
    return _found(data)[0]


def suffix_of_bytes(data: bytes) -> str:
    """The suffix that a file with these first bytes should have; "" for an unknown one."""
    return _found(data)[1]


def likeness(data: bytes) -> str:
    """How a file begins, in words.

    >>> likeness(b"<html><body>Not found"), likeness(b"")
    ('begins like a web page', 'is empty')
    """
    if not data:
        return "is empty"
    said = _found(data)[2]
    if said:
        return f"begins like {said}"
    if not any(data[:64]):
        return "begins with zeros"
    is_text = all(32 <= byte < 127 or byte in b"\r\n\t" for byte in data[:32])
    return f"begins like text ({data[:24].decode('ascii')!r})" if is_text else "begins with bytes of no known format"


def _found(data: bytes) -> tuple[str | None, str, str]:
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return _AUDIO, ".aiff", "an AIFF recording"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2:
        return _AUDIO, ".mp3", "an MP3 recording"
    if data[4:8] == b"ftyp":
        return None, ".mp4", "an MPEG-4 file (mp4, m4a), which is not read; convert it to FLAC"
    return next(((kind, suffix, said) for head, kind, suffix, said in _KNOWN if data.startswith(head)), (None, "", ""))
