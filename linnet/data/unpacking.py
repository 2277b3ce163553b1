"""Unpacking an archive of strangers: only regular files, only to where they belong, and never without end."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from linnet.errors import LinnetError

_CHUNK_BYTES = 1 << 16
_SMALL_BYTES = 1_000_000
"""Below this, any ratio is harmless: a file of zeros is not an attack."""


@dataclass(frozen=True)
class Limits:
    """What an archive may become: so many bytes and files, and so many times its own size."""

    size_bytes: int = 500_000_000
    files: int = 200_000
    ratio: int = 200


Wanted = Callable[[str], str | None]
"""From a member's name to the path it goes to, relative to the folder; None leaves it out."""


def unpack(archive: Path, folder: Path, *, wanted: Wanted, limits: Limits | None = None) -> int:
    """Write the wanted files of a .tar.gz or .zip into `folder`; how many there were.

    Which of the two it is, its first bytes tell. Raises LinnetError for an archive that is damaged, that holds a link
    or a device where a file is wanted, a path that leaves the folder, a file twice, or more than `limits` allow.
    """
    with archive.open("rb") as data:
        begin = data.read(4)
        data.seek(0)
        try:
            if begin[:2] == b"\x1f\x8b":
                return _tar(data, _Target(folder, archive, wanted, limits or Limits()))
            if begin in (b"PK\x03\x04", b"PK\x05\x06"):
                return _zip(data, _Target(folder, archive, wanted, limits or Limits()))
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, NotImplementedError,
                RuntimeError) as error:
            raise LinnetError(f"{archive.name} is no whole archive ({error}). Get it again.") from error
        except OSError as error:
            raise LinnetError(f"cannot unpack to {folder} ({error.strerror or error}).") from error
    raise LinnetError(f"{archive.name} is neither a .tar.gz nor a .zip archive: it begins with the bytes "
                      f"{begin.hex(' ') or '(none)'}. Get it again.")


def gunzip(file: Path, *, limit_bytes: int) -> bytes:
    """What a .gz file holds. Raises LinnetError for one that is damaged, or holds more than `limit_bytes`."""
    try:
        with gzip.open(file) as data:
            found = data.read(limit_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LinnetError(f"{file} is no whole .gz file ({error}). Get it again.") from error
    except OSError as error:
        raise LinnetError(f"{file} cannot be read ({error.strerror or error}).") from error
    if len(found) > limit_bytes:
        raise LinnetError(f"{file} holds more than {limit_bytes:,} bytes, more than it should; it was not read on.")
    return found


@dataclass
class _Target:
    """Where the files go, and how much has been written there."""

    folder: Path
    archive: Path
    wanted: Wanted
    limits: Limits
    written: int = 0
    files: int = 0

    def path(self, member: str) -> Path | None:
        name = self.wanted(member)
        if name is None:
            return None
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or ":" in parts[0]:
            raise LinnetError(f"{self.archive.name}: '{member}' would be written outside of the folder; nothing was "
                              "kept.")
        return self.folder / name

    def write(self, member: str, path: Path, source: IO[bytes], size: int) -> None:
        self.files += 1
        self._refuse_too_many(size)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            target = path.open("xb")
        except FileExistsError as error:
            raise LinnetError(f"{self.archive.name}: '{member}' is in it twice; nothing was kept.") from error
        done = 0
        with target:
            while chunk := source.read(_CHUNK_BYTES):
                done += len(chunk)
                self._refuse_too_many(done)
                target.write(chunk)
        if done != size:
            raise LinnetError(f"{self.archive.name}: '{member}' has {done:,} bytes; its header says {size:,}.")
        self.written += done

    def _refuse_too_many(self, more: int) -> None:
        if self.files > self.limits.files:
            raise LinnetError(f"{self.archive.name} holds more than {self.limits.files:,} files; nothing was kept.")
        if self.written + more > self.limits.size_bytes:
            raise LinnetError(f"{self.archive.name} unpacks to more than {self.limits.size_bytes:,} bytes; nothing "
                              "was kept.")

    def refuse_ratio(self, packed: int, unpacked: int, of: str) -> None:
        if unpacked > max(_SMALL_BYTES, self.limits.ratio * packed):
            raise LinnetError(f"{of} of {self.archive.name} unpacks to more than {self.limits.ratio} times its size; "
                              "nothing was kept.")

    def refuse_kind(self, member: str) -> None:
        raise LinnetError(f"{self.archive.name}: '{member}' is a link or a device where a file is expected; nothing "
                          "was kept.")


class _Counted:
    """A decompressed stream that ends with an error where it becomes absurdly long, headers included."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, target: _Target, packed: int) -> None:
        self._stream, self._target, self._packed, self._read = stream, target, packed, 0

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, as files do."""
        found = self._stream.read(size)
        self._read += len(found)
        self._target.refuse_ratio(self._packed, self._read, "the whole")
        return found


def _tar(data: IO[bytes], target: _Target) -> int:
    packed = target.archive.stat().st_size
    with gzip.open(data) as stream:
        counted = _Counted(stream, target, packed)
        with tarfile.open(fileobj=counted, mode="r|") as members:  # type: ignore[call-overload]
            for member in members:
                path = target.path(member.name) if not member.isdir() else None
                if path is None:
                    continue
                source = members.extractfile(member) if member.isreg() and not member.issparse() else None
                if source is None:
                    target.refuse_kind(member.name)
                else:
                    target.write(member.name, path, source, member.size)
        while counted.read(_CHUNK_BYTES):  # to the end, so that the checksum of the whole is looked at
            pass
    return target.files


def _zip(data: IO[bytes], target: _Target) -> int:
    with zipfile.ZipFile(data) as members:
        for member in members.infolist():
            path = target.path(member.filename) if not member.is_dir() else None
            if path is None:
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                target.refuse_kind(member.filename)
            target.refuse_ratio(member.compress_size, member.file_size, f"'{member.filename}'")
            with members.open(member) as source:
                target.write(member.filename, path, source, member.file_size)
    return target.files
