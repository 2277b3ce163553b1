"""Files inside a zip or tar archive, read in place: "shards/000.tar!/a/b.flac" names one; nothing is unpacked.

Archives are untrusted: links, encrypted and oversized members are refused, and what does not match its checksum, too.
"""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from linnet.data.leaks import listed
from linnet.errors import DamagedFileError, LinnetError

SUFFIXES = (".zip", ".tar")
MARK = "!/"
_LARGEST_BYTES = 1 << 30
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True)
class Member:
    """Where a file lies in its archive; `trouble` says why it cannot be read, if it cannot."""

    offset: int
    stored_bytes: int
    size_bytes: int
    is_deflated: bool = False
    checksum: int | None = None
    is_local_header: bool = False
    """Whether `offset` is that of a zip's local header, after which the bytes begin."""
    trouble: str = ""


@dataclass(frozen=True)
class Archives:
    """Directories of the archives that were opened; files are opened for each read, so that processes may share it."""

    directories: dict[Path, Mapping[str, Member]] = field(default_factory=dict)

    def read(self, path: Path) -> bytes:
        """The bytes of a member. Raises DamagedFileError for one that is not there or cannot be read."""
        archive, name = split(path)
        if archive not in self.directories:
            try:
                self.directories[archive] = members(archive)
            except LinnetError as error:
                raise DamagedFileError(f"cannot be read: {error}") from error
        member = self.directories[archive].get(name)
        if member is None:
            raise DamagedFileError(f"is not in the archive {archive.name} ({len(self.directories[archive])} files)")
        return _bytes(archive, member)


def is_member(path: Path | str) -> bool:
    """Whether a path names a file inside an archive.

    >>> is_member("clips.zip!/a.wav"), is_member("wow!/a.wav")
    (True, False)
    """
    before, mark, _ = str(path).partition(MARK)
    return bool(mark) and before.lower().endswith(SUFFIXES)


def split(path: Path | str) -> tuple[Path, str]:
    """The archive and the name inside of it.

    >>> split("clips.zip!/a/b.wav")[1]
    'a/b.wav'
    """
    archive, _, name = str(path).partition(MARK)
    return Path(archive), name


def members(archive: Path) -> dict[str, Member]:
    """The files of an archive in its order, by name. Raises LinnetError for what is no zip or tar archive."""
    try:
        found = _zip_members(archive) if archive.suffix.lower() == ".zip" else _tar_members(archive)
    except FileNotFoundError:
        raise LinnetError(f"the archive {archive} is not there.") from None
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise LinnetError(f"{archive} cannot be read as a {archive.suffix[1:].lower()} archive ({error}). It may be "
                          "cut off, or be another kind of file: get it again, or name it after what it is"
                          f"{_gzip_advice(archive)}.") from error
    return found


def _gzip_advice(archive: Path) -> str:
    try:
        with archive.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
    except OSError:
        return ""
    return " (it is compressed with gzip, which cannot be read in place: gunzip it first)" if is_gzip else ""


def _zip_members(archive: Path) -> dict[str, Member]:
    with zipfile.ZipFile(archive) as file:
        infos = [info for info in file.infolist() if not info.is_dir()]
    _refuse_repeats([info.filename for info in infos])
    return {info.filename: Member(info.header_offset, info.compress_size, info.file_size,
                                  info.compress_type == zipfile.ZIP_DEFLATED, info.CRC, True, _zip_trouble(info))
            for info in infos}


def _zip_trouble(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "is encrypted; Linnet reads no passwords: unpack it first"
    if (info.external_attr >> 28) == 0o12:
        return "is a link, which is not followed"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed with a method other than deflate; pack it anew"
    return _too_large(info.file_size)


def _tar_members(archive: Path) -> dict[str, Member]:
    found: dict[str, Member] = {}
    names = []
    with tarfile.open(archive, "r:") as file:
        for info in file:
            name = info.name.removeprefix("./")
            names += [name] if not info.isdir() else []
            if info.issym() or info.islnk():
                found[name] = Member(0, 0, 0, trouble="is a link, which is not followed")
            elif info.isfile():
                trouble = "is stored with holes; pack it anew" if info.issparse() else _too_large(info.size)
                found[name] = Member(info.offset_data, info.size, info.size, trouble=trouble)
        end = file.offset
    with archive.open("rb") as raw:
        raw.seek(end)
        if raw.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"its end is missing after {len(found)} files")
    _refuse_repeats(names)
    return found


def _refuse_repeats(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(f"{len(twice)} names occur twice in it: {listed(twice)}")


def _too_large(size_bytes: int) -> str:
    return f"is too large ({size_bytes} bytes; at most {_LARGEST_BYTES})" if size_bytes > _LARGEST_BYTES else ""


def _bytes(archive: Path, member: Member) -> bytes:
    if member.trouble:
        raise DamagedFileError(member.trouble)
    try:
        with archive.open("rb") as file:
            file.seek(member.offset)
            if member.is_local_header:
                _skip_local_header(file.read(_LOCAL_HEADER.size), file)
            stored = file.read(member.stored_bytes)
    except OSError as error:
        raise DamagedFileError(f"cannot be opened ({error.strerror})") from error
    data = _inflated(stored, member.size_bytes) if member.is_deflated else stored
    if len(data) != member.size_bytes or (member.checksum is not None and zlib.crc32(data) != member.checksum):
        raise DamagedFileError(f"is damaged in its archive: {len(data)} bytes of {member.size_bytes} came, or others "
                               "than its checksum tells of")
    return data


def _skip_local_header(header: bytes, file: BinaryIO) -> None:
    if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
        raise DamagedFileError("is damaged in its archive: its header is not where the directory says")
    *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    file.seek(name_length + extra_length, 1)


def _inflated(stored: bytes, size_bytes: int) -> bytes:
    """At most one byte more than the directory promised, so that no archive unpacks to more than it says."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, size_bytes + 1)
    except zlib.error as error:
        raise DamagedFileError(f"is damaged in its archive ({error})") from error
