"""Bringing a corpus to this machine: one archive over HTTPS, unpacked with suspicion, kept only when it is whole."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from linnet.errors import LinnetError, NotAvailableError

TIMEOUT_SECONDS = 10.0
LIMIT_BYTES = 500_000_000
_CHUNK_BYTES = 1 << 16


def cache() -> Path:
    """The folder for corpora that were downloaded: $XDG_CACHE_HOME/linnet/data, or ~/.cache/linnet/data."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "linnet" / "data"


@contextlib.contextmanager
def arriving(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends well, and is removed when it does not."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    except OSError as error:
        raise LinnetError(f"cannot write to {folder.parent} ({error.strerror}); set XDG_CACHE_HOME to a folder that "
                          "can be written to.") from error
    try:
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def unpack(address: str, folder: Path, *, wanted: Callable[[str], str | None], advice: str,
           progress: Callable[[int, int | None], None] | None = None, limit_bytes: int = LIMIT_BYTES) -> int:
    """Download a .tar.gz and write its regular files to where `wanted` says (None: leave out); how many there were.

    Nothing but what `wanted` names is written: no links, no devices, no paths of the archive's own choosing, and no
    more than `limit_bytes`. Raises LinnetError, ending with `advice`, where the address cannot be reached.
    """
    with tempfile.TemporaryFile() as archive:
        _fetch(address, archive, advice=advice, progress=progress, limit_bytes=limit_bytes)
        archive.seek(0)
        try:
            with tarfile.open(fileobj=archive, mode="r:gz") as members:
                return _write(members, folder, wanted, limit_bytes)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise LinnetError(f"what came from {address} is no whole .tar.gz archive ({error}). {advice}.") from error
        except OSError as error:
            raise LinnetError(f"cannot unpack to {folder} ({error.strerror}). {advice}.") from error


def _fetch(address: str, target: IO[bytes], *, advice: str, progress: Callable[[int, int | None], None] | None,
           limit_bytes: int) -> None:
    import http.client
    import urllib.error
    import urllib.request

    if not address.startswith(("https://", "http://")):
        raise LinnetError(f"cannot download from {address}: expected an address that starts with https://. {advice}.")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 the scheme is checked above
            _copy(answer, target, progress, limit_bytes)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotAvailableError(f"cannot download from {address} ({reason}). {advice}.") from error


def _copy(answer: Any, target: IO[bytes], progress: Callable[[int, int | None], None] | None, limit_bytes: int) -> None:
    said = answer.headers.get("Content-Length")
    total = int(said) if said and said.isdigit() else None
    done = 0
    while chunk := answer.read(_CHUNK_BYTES):
        target.write(chunk)
        done += len(chunk)
        if done > limit_bytes:
            raise LinnetError(f"what comes is larger than {limit_bytes // 1_000_000} MB, more than the corpus has.")
        if progress is not None:
            progress(done, total)
    if total is not None and done < total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _write(members: tarfile.TarFile, folder: Path, wanted: Callable[[str], str | None], limit_bytes: int) -> int:
    written = files = 0
    for member in members:
        name = wanted(member.name) if member.isreg() else None
        source = members.extractfile(member) if name is not None else None
        if name is None or source is None:
            continue
        written += member.size
        if written > limit_bytes:
            raise LinnetError(f"the archive unpacks to more than {limit_bytes // 1_000_000} MB; nothing was kept.")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            shutil.copyfileobj(source, target)
        files += 1
    return files
