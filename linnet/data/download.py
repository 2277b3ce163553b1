"""Bringing files to this machine over HTTP: gone on with after a break, checked, and only then given their name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from linnet.errors import LinnetError, NotAvailableError
from linnet.progress import BytesProgress

TIMEOUT_SECONDS = 20.0
LIMIT_BYTES = 500_000_000
ATTEMPTS = 4
"""How often in a row a connection may end without having come further than any before."""
STALE_SECONDS = 24 * 3600
_CHUNK_BYTES = 1 << 16
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_log = logging.getLogger("linnet")

@dataclass(frozen=True)
class Remote:
    """A file that lies on a server; where `sha256` or `size_bytes` are None, they are not known beforehand."""

    address: str
    sha256: str | None = None
    size_bytes: int | None = None

    @property
    def name(self) -> str:
        """The file's own name: the last part of its address.

        >>> Remote("https://example.org/a/b.json?x=1").name
        'b.json'
        """
        return self.address.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


class _CutOffError(Exception):
    """The connection ended before the file did, or the server asks to come again."""


def cache() -> Path:
    """The folder for corpora that were downloaded: $XDG_CACHE_HOME/linnet/data, or ~/.cache/linnet/data."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "linnet" / "data"


@contextlib.contextmanager
def arriving(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends well, and is removed when it does not.

    What was written is on the disk before it gets its name, so that a power cut leaves the whole of it or nothing.
    """
    prefix = f"{folder.name}.partial-"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder.parent, prefix)
        partial = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    except OSError as error:
        raise LinnetError(f"cannot write to {folder.parent} ({error.strerror}); set XDG_CACHE_HOME to a folder that "
                          "can be written to.") from error
    try:
        yield partial
        partial.chmod(0o755)
        if hasattr(os, "sync"):
            os.sync()
        before = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
        if folder.exists():
            folder.replace(before / folder.name)
        partial.replace(folder)
        shutil.rmtree(before, ignore_errors=True)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fetch(remote: Remote, folder: Path, *, advice: str, progress: BytesProgress | None = None,
          limit_bytes: int = LIMIT_BYTES, wait_seconds: float = 1.0) -> Path:
    """The file, downloaded into `folder`; what an earlier call has left there is gone on with.

    Raises NotAvailableError where the address cannot be reached, LinnetError where what comes is not what is
    expected: another hash or length, an HTML page in place of an archive. Each ends with `advice`.
    """
    if not remote.address.startswith(("https://", "http://")):
        raise LinnetError(f"cannot download from {remote.address}: expected an address that starts with https://. "
                          f"{advice}.")
    file = folder / f"{hashlib.sha256(remote.address.encode()).hexdigest()[:8]}-{remote.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(file.with_name(file.name + ".partial"), remote) as partial:
            download = _Download(remote, partial, progress, limit_bytes)
            if not file.exists():
                _whole(download, wait_seconds, advice)
                os.fsync(partial.fileno())
                Path(partial.name).replace(file)
            download.state.unlink(missing_ok=True)
    except OSError as error:
        raise LinnetError(f"cannot write to {folder} ({error.strerror or error}). {advice}.") from error
    return file


def _whole(download: _Download, wait_seconds: float, advice: str) -> None:
    """Bring the rest; where old and new bytes do not make the expected file, bring it once more from its beginning."""
    went_on = _receive(download, wait_seconds, advice)
    problem = _problem(download.remote, download.partial)
    if problem and went_on:
        _log.warning("what had come of %s before does not fit the rest; beginning anew", download.remote.name)
        download.forget()
        _receive(download, wait_seconds, advice)
        problem = _problem(download.remote, download.partial)
    if problem:
        download.forget()
        raise LinnetError(f"what came from {download.remote.address} {problem}; nothing was kept. It was changed "
                          f"there, or on its way. {advice}.")


def _remove_stale(parent: Path, prefix: str) -> None:
    for left in parent.glob(f"{prefix}*"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _alone(path: Path, remote: Remote) -> Iterator[IO[bytes]]:
    """The partial file, opened to go on with; two processes never write to the same one."""
    with path.open("a+b") as partial:
        try:
            import fcntl

            fcntl.flock(partial, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # a system without such locks: the hash tells where two have mixed their bytes
            pass
        except OSError as error:
            raise LinnetError(f"{remote.name} is being downloaded by another process; wait until it is "
                              "done.") from error
        try:
            yield partial
        finally:
            if path.exists() and not partial.seek(0, os.SEEK_END):
                path.unlink()


@dataclass(frozen=True)
class _Download:
    """What one download is made of; `partial` stands at its end between two attempts."""

    remote: Remote
    partial: IO[bytes]
    progress: BytesProgress | None
    limit_bytes: int

    @property
    def state(self) -> Path:
        """Where the server's name for this version of the file is kept, to go on with the same version only."""
        return Path(f"{self.partial.name}.json")

    @property
    def done(self) -> int:
        return self.partial.seek(0, os.SEEK_END)

    def validator(self) -> str | None:
        try:
            found = json.loads(self.state.read_text(encoding="utf-8"))
            return str(found["validator"]) if found.get("validator") else None
        except (OSError, ValueError, KeyError, AttributeError):
            return None

    def rest(self) -> int:
        """Where to go on: behind the bytes that are there, if it can be told later that they belong together."""
        if self.done and not (self.validator() or self.remote.sha256):
            self.forget()
        return self.done

    def forget(self) -> None:
        self.partial.truncate(0)
        self.state.unlink(missing_ok=True)


def _receive(download: _Download, wait_seconds: float, advice: str) -> bool:
    """Ask until the whole file is there; whether it came in more than one piece."""
    idle, furthest = 0, download.rest()
    went_on = furthest > 0
    while download.done == 0 or download.done != download.remote.size_bytes:
        download.rest()
        try:
            _attempt(download, advice)
            break
        except _CutOffError as error:
            went_on = True
            idle = 0 if download.done > furthest else idle + 1
            furthest = max(furthest, download.done)
            if idle >= ATTEMPTS:
                kept = f" {download.done:,} bytes are kept, and gone on with." if download.done else ""
                raise NotAvailableError(f"cannot download from {download.remote.address} ({error}; tried "
                                        f"{ATTEMPTS} times).{kept} {advice}.") from error
            _log.warning("%s: %s; trying again", download.remote.name, error)
            time.sleep(wait_seconds * 2 ** idle)
    return went_on


def _attempt(download: _Download, advice: str) -> None:
    import http.client
    import ssl
    import urllib.error
    import urllib.request

    start, validator = download.done, download.validator()
    headers = {"User-Agent": "linnet", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})
    request = urllib.request.Request(download.remote.address, headers=headers)  # noqa: S310 the scheme is checked
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            _refuse_downgrade(download.remote.address, answer.url, advice)
            _copy(download, answer, start, advice)
    except urllib.error.HTTPError as error:
        _refused(download, error.code, error.headers, f"the server answers {error.code} {error.reason}", advice)
    except urllib.error.URLError as error:
        if start and isinstance(error.reason, TimeoutError | ConnectionResetError):
            raise _CutOffError(f"no answer ({error.reason})") from error
        raise NotAvailableError(f"cannot download from {download.remote.address} ({error.reason}). "
                                f"{advice}.") from error
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _CutOffError(f"the connection ended ({str(error) or type(error).__name__})") from error


def _refused(download: _Download, code: int, headers: Any, said: str, advice: str) -> None:
    """An answer without the file: it is whole already, or it is worth asking again, or it is not."""
    if code == 416 and download.done:
        if headers.get("Content-Range", "").strip() == f"bytes */{download.done}":
            return
        download.forget()
        raise _CutOffError("the server has less of it than came before")
    if code in _TRY_AGAIN:
        raise _CutOffError(said)
    raise NotAvailableError(f"cannot download from {download.remote.address} ({said}). {advice}.")


def _refuse_downgrade(asked: str, answered: str, advice: str) -> None:
    if not answered.startswith("https://" if asked.startswith("https://") else ("https://", "http://")):
        raise LinnetError(f"{asked} leads to {answered}, which is not as safe; nothing was read from there. {advice}.")


def _copy(download: _Download, answer: Any, start: int, advice: str) -> None:
    """Write what comes behind what is there, or in its place where the server begins anew."""
    is_rest = answer.status == 206
    if is_rest and not _is_the_rest(answer.headers, start, download.validator()):
        download.forget()
        raise _CutOffError("the server sent another part than the one asked for")
    if start and not is_rest:
        _log.warning("%s begins anew: the server sends no parts, or has another version now", download.remote.name)
    if not is_rest:
        download.forget()
        start = 0
        validator = _validator(answer.headers)
        download.state.write_text(json.dumps({"address": download.remote.address, "validator": validator}),
                                  encoding="utf-8")
    said = answer.headers.get("Content-Length", "")
    total = start + int(said) if said.isdigit() else download.remote.size_bytes
    _refuse_too_large(download, total or 0, advice)
    done = start
    while chunk := answer.read(_CHUNK_BYTES):
        if done == 0:
            _refuse_other_kind(download, chunk, answer.headers.get("Content-Type", ""), advice)
        download.partial.write(chunk)
        done += len(chunk)
        _refuse_too_large(download, done, advice)
        if download.progress is not None:
            download.progress(done, total)
    download.partial.flush()
    if said.isdigit() and total is not None and done < total:
        raise _CutOffError(f"the connection ended after {done:,} of {total:,} bytes")


def _is_the_rest(headers: Any, start: int, validator: str | None) -> bool:
    same = validator is None or _validator(headers) in (None, validator)
    return same and headers.get("Content-Range", "").replace("=", " ").startswith(f"bytes {start}-")


def _validator(headers: Any) -> str | None:
    """What If-Range may name: a strong ETag, else the date of the last change."""
    etag = headers.get("ETag")
    found = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
    return str(found) if found else None


def _refuse_too_large(download: _Download, size: int, advice: str) -> None:
    limit = download.remote.size_bytes or download.limit_bytes
    if size > limit:
        download.forget()
        raise LinnetError(f"what comes from {download.remote.address} is larger than {limit:,} bytes, more than the "
                          f"corpus has; nothing was kept. {advice}.")


_MAGIC = {".gz": (b"\x1f\x8b",), ".tgz": (b"\x1f\x8b",), ".zip": (b"PK\x03\x04", b"PK\x05\x06")}


def _refuse_other_kind(download: _Download, chunk: bytes, content_type: str, advice: str) -> None:
    """Say at the first bytes that a page came, or something else that is no archive, before gigabytes of it do."""
    begins = chunk[:200].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    is_page = begins.startswith((b"<!doctype html", b"<html", b"<head")) or (
        content_type.startswith("text/html") and begins.startswith(b"<"))
    expected = _MAGIC.get(Path(download.remote.name).suffix)
    if is_page:
        problem = "is an HTML page (a login, a notice or an error), not the file"
    elif expected and not chunk.startswith(expected):
        problem = f"is no {Path(download.remote.name).suffix} file: it begins with the bytes {chunk[:4].hex(' ')}"
    else:
        return
    download.forget()
    raise LinnetError(f"what comes from {download.remote.address} {problem}; nothing was kept. {advice}.")


def _problem(remote: Remote, partial: IO[bytes]) -> str | None:
    """What is wrong with the file that has come, or None."""
    size = partial.seek(0, os.SEEK_END)
    if remote.size_bytes is not None and size != remote.size_bytes:
        return f"has {size:,} bytes; expected {remote.size_bytes:,}"
    if remote.sha256 is not None:
        partial.seek(0)
        found = hashlib.file_digest(partial, "sha256").hexdigest()  # type: ignore[arg-type]
        if found != remote.sha256:
            return f"has the SHA-256 {found[:16]}...; expected {remote.sha256[:16]}..."
    return None
