"""Files from a server on this machine: whole, cut off, changed, lying, unreachable; and a corpus that comes so."""

from __future__ import annotations

import hashlib
import http.server
import io
import logging
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet import data
from linnet.data import download
from linnet.data.download import Remote
from linnet.data.sources import clinc150, fsdd
from linnet.errors import LinnetError, NotAvailableError

BODY = b"\x1f\x8b" + bytes(number * 7 % 251 for number in range(300_000))


@dataclass
class Site:
    """What a server does: `cuts` ends so many answers after so many bytes; the rest are traits of bad servers."""

    body: bytes = BODY
    cuts: list[int] = field(default_factory=list)
    etag: str | None = '"one"'
    parts: bool = True
    """Whether ranges are answered with parts."""
    wrong_part: bool = False
    said: int | None = None
    """The length that is told, where it is not the true one."""
    status: list[int] = field(default_factory=list)
    """Codes to answer with first."""
    content_type: str = "application/octet-stream"
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    """(Range, If-Range) of each request."""
    moved: str | None = None


def handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, version = self.headers.get("Range"), self.headers.get("If-Range")
            site.asked.append((asked, version))
            if site.moved:
                self.send_response(302)
                self.send_header("Location", site.moved)
                self.end_headers()
                return
            if site.status:
                self.send_response(site.status.pop(0))
                self.end_headers()
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and site.parts else 0
            if start and version not in (None, site.etag):
                start = 0
            if start >= len(site.body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(site.body)}")
                self.end_headers()
                return
            self.answer(start)

        def answer(self, start: int) -> None:
            rest = site.body[start:]
            self.send_response(206 if start else 200)
            if start:
                shown = start + 5 if site.wrong_part else start
                self.send_header("Content-Range", f"bytes {shown}-{len(site.body) - 1}/{len(site.body)}")
            if site.etag:
                self.send_header("ETag", site.etag)
            self.send_header("Content-Type", site.content_type)
            self.send_header("Content-Length", str(len(rest) if site.said is None else site.said))
            self.end_headers()
            self.wfile.write(rest[:site.cuts.pop(0)] if site.cuts else rest)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def serve() -> Iterator[Callable[[Site], str]]:
    """serve(site) gives the address of a folder in which every file has the site's body."""
    servers = []

    def start(site: Site) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(site))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def remote(address: str, *, known: bool = True, name: str = "corpus.tar.gz") -> Remote:
    sha256, size = (hashlib.sha256(BODY).hexdigest(), len(BODY)) if known else (None, None)
    return Remote(f"{address}/{name}", sha256, size)


def fetch(file: Remote, folder: Path, **given: object) -> Path:
    return download.fetch(file, folder, advice="Put it there", wait_seconds=0, **given)


def left(folder: Path) -> list[str]:
    return sorted(path.name.partition("-")[2] for path in folder.iterdir())


def test_a_whole_file_comes_with_progress(serve, tmp_path):
    seen: list[tuple[int, int | None]] = []
    file = fetch(remote(serve(Site())), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert file.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert left(tmp_path) == ["corpus.tar.gz"]


@pytest.mark.parametrize("known", [True, False])
def test_a_cut_connection_is_gone_on_with(serve, tmp_path, known, caplog):
    site = Site(cuts=[100_000, 120_000])
    with caplog.at_level(logging.WARNING, "linnet"):
        assert fetch(remote(serve(site), known=known), tmp_path).read_bytes() == BODY
    assert site.asked == [(None, None), ("bytes=100000-", '"one"'), ("bytes=220000-", '"one"')]
    assert "ended after 100,000 of 300,002 bytes; trying again" in caplog.text


def test_a_later_call_goes_on_where_the_earlier_one_ended(serve, tmp_path):
    site = Site(cuts=[100_000, 0, 0, 0, 0])
    file = remote(serve(site))
    with pytest.raises(NotAvailableError, match=r"tried 4 times\). 100,000 bytes are kept.*Put it there"):
        fetch(file, tmp_path)
    assert left(tmp_path) == ["corpus.tar.gz.partial", "corpus.tar.gz.partial.json"]
    assert fetch(file, tmp_path).read_bytes() == BODY
    assert site.asked[-1] == ("bytes=100000-", '"one"')


def test_a_server_without_ranges_begins_anew_and_that_is_said(serve, tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "linnet"):
        assert fetch(remote(serve(Site(cuts=[100_000], parts=False))), tmp_path).read_bytes() == BODY
    assert "begins anew: the server sends no parts" in caplog.text


def test_a_file_that_changed_meanwhile_is_not_mixed(serve, tmp_path):
    site = Site(cuts=[100_000, 0, 0, 0, 0])
    file = remote(serve(site), known=False)
    with pytest.raises(NotAvailableError):
        fetch(file, tmp_path)
    site.body, site.etag = BODY[:2] + bytes(400_000), '"two"'
    assert fetch(file, tmp_path).read_bytes() == site.body


def test_a_change_that_the_server_does_not_tell_is_seen_by_the_hash(serve, tmp_path, caplog):
    site = Site(body=BODY[:2] + BODY[2:][::-1], etag=None, cuts=[100_000, 0, 0, 0, 0])
    file = remote(serve(site))
    with pytest.raises(NotAvailableError):
        fetch(file, tmp_path)
    site.body = BODY
    with caplog.at_level(logging.WARNING, "linnet"):
        assert fetch(file, tmp_path).read_bytes() == BODY
    assert "does not fit the rest; beginning anew" in caplog.text


def test_without_any_way_to_tell_nothing_is_gone_on_with(serve, tmp_path):
    site = Site(etag=None, cuts=[100_000])
    assert fetch(remote(serve(site), known=False), tmp_path).read_bytes() == BODY
    assert site.asked == [(None, None), (None, None)]


def test_another_part_than_asked_for_is_thrown_away(serve, tmp_path):
    site = Site(cuts=[100_000], wrong_part=True)
    assert fetch(remote(serve(site), known=False), tmp_path).read_bytes() == BODY
    assert [asked for asked, _ in site.asked] == [None, "bytes=100000-", None]


def test_a_server_that_is_busy_is_asked_again(serve, tmp_path):
    assert fetch(remote(serve(Site(status=[503, 429]))), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_was_whole_is_not_asked_for_again(serve, tmp_path, known):
    site = Site()
    file = remote(serve(site), known=known)
    whole = fetch(file, tmp_path)
    whole.replace(whole.with_name(whole.name + ".partial"))
    whole.with_name(whole.name + ".partial.json").write_text('{"validator": "\\"one\\""}')
    assert fetch(file, tmp_path).read_bytes() == BODY
    assert [asked for asked, _ in site.asked] == ([None] if known else [None, f"bytes={len(BODY)}-"])


@pytest.mark.parametrize(("site", "known", "words"), [
    (Site(body=BODY[:-1] + b"x"), True, r"SHA-256 [0-9a-f]{16}...; expected [0-9a-f]{16}.*nothing was kept"),
    (Site(said=200_000), True, "has 200,000 bytes; expected 300,002"),
    (Site(body=BODY + b"more"), True, "larger than 300,002 bytes"),
    (Site(body=b"<!DOCTYPE html><html>Please log in</html>"), False, "is an HTML page"),
    (Site(body=b"\n <HTML>no</HTML>", content_type="text/html"), False, "is an HTML page"),
    (Site(body=b"PK\x03\x04 a zip"), False, "is no .gz file: it begins with the bytes 50 4b 03 04"),
    (Site(status=[404]), True, "the server answers 404"), (Site(status=[403]), True, "the server answers 403")])
def test_what_is_not_the_file_is_refused_and_not_kept(serve, tmp_path, site, known, words):
    with pytest.raises(LinnetError, match=rf"{words}.*Put it there"):
        fetch(remote(serve(site), known=known), tmp_path)
    assert left(tmp_path) == []


def test_a_length_that_is_too_long_ends_with_an_error_not_with_half_a_file(serve, tmp_path):
    with pytest.raises(NotAvailableError, match=r"ended after 300,002 of 400,000 bytes.*tried 4 times"):
        fetch(remote(serve(Site(said=400_000, parts=False, etag=None)), known=False), tmp_path)


def test_more_than_the_limit_is_not_written(serve, tmp_path):
    with pytest.raises(LinnetError, match="larger than 1,000 bytes"):
        fetch(remote(serve(Site()), known=False), tmp_path, limit_bytes=1000)


def test_a_page_in_place_of_json_is_said(serve, tmp_path):
    with pytest.raises(LinnetError, match="is an HTML page"):
        fetch(remote(serve(Site(body=b"<html></html>")), known=False, name="rows.json"), tmp_path)


def test_nobody_there_and_other_schemes(serve, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotAvailableError, match=rf"cannot download from http://127.0.0.1:{port}/x \(.*refused.*Put it"):
        fetch(Remote(f"http://127.0.0.1:{port}/x"), tmp_path)
    for other in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        with pytest.raises(LinnetError, match="starts with https"):
            fetch(Remote(other), tmp_path)
    with pytest.raises(LinnetError):
        fetch(remote(serve(Site(moved="file:///etc/passwd"))), tmp_path)


def test_a_way_that_becomes_unsafe_is_not_gone():
    with pytest.raises(LinnetError, match="not as safe"):
        download._refuse_downgrade("https://a.org/x", "http://a.org/x", "Put it there")
    download._refuse_downgrade("http://a.org/x", "https://a.org/x", "Put it there")


def test_two_processes_do_not_write_to_the_same_file(serve, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    file = remote(serve(Site()))
    name = fetch(file, tmp_path)
    name.unlink()
    with (tmp_path / f"{name.name}.partial").open("a+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LinnetError, match="being downloaded by another process"):
            fetch(file, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_said(serve, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinnetError, match="cannot write to"):
        fetch(remote(serve(Site())), tmp_path / "file" / "below")


def test_a_failed_arrival_leaves_what_was_there(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "old").write_text("old")
    with pytest.raises(ZeroDivisionError), download.arriving(folder) as partial:
        (partial / "new").write_text(str(1 / 0))
    assert [path.name for path in tmp_path.rglob("*")] == ["corpus", "old"]
    with download.arriving(folder) as partial:
        (partial / "new").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["corpus", "new"]


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_corpus_says_where_it_may_be_put(monkeypatch, tmp_path):
    monkeypatch.setenv("LINNET_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("LINNET_FSDD_URL", "http://127.0.0.1:9/none.tar.gz")
    with pytest.raises(LinnetError, match=rf"127.0.0.1:9.*Put the corpus at {tmp_path}/mine/fsdd .*or set LINNET_DATA"):
        data.load("fsdd")
    assert data.SOURCES["fsdd"].find() is None
    with pytest.raises(NotAvailableError, match=r"cifar10 is not on this machine, and Linnet does not download it"):
        data.load("cifar10")


def test_other_content_than_the_known_corpus_is_not_kept(serve, monkeypatch):
    monkeypatch.delenv("LINNET_DATA", raising=False)
    site = Site(body=packed({"top/recordings/1_theo_2.wav": b"not even sound", "top/README.md": b"words"}))
    with pytest.raises(LinnetError, match=r"not the known corpus \(1 recordings.*nothing was kept"):
        fsdd.get(address=f"{serve(site)}/corpus.tar.gz")
    assert list(download.cache().iterdir()) == []


def test_a_corpus_of_several_files_goes_on_and_may_lie_elsewhere(serve, monkeypatch, tmp_path):
    monkeypatch.delenv("LINNET_DATA", raising=False)
    with pytest.raises(LinnetError, match=r"domains.json.*(larger than|SHA-256|bytes; expected)"):
        clinc150.get(address=serve(Site()), to=tmp_path / "here")
    assert not (tmp_path / "here").exists()


@pytest.mark.slow
def test_the_whole_corpus_comes_as_wav_and_is_known_again(serve, real_data, monkeypatch):
    members = {}
    for path in sorted((real_data / "fsdd" / "audio").glob("*.flac")):
        buffer = io.BytesIO()
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(buffer, np.asarray(samples), rate, format="WAV", subtype="PCM_16")
        members[f"free-spoken-digit-dataset-1/recordings/{path.stem}.wav"] = buffer.getvalue()
    monkeypatch.delenv("LINNET_DATA")
    folder = fsdd.get(address=f"{serve(Site(body=packed(members), cuts=[1_000_000]))}/corpus.tar.gz")
    assert data.load("fsdd").root == folder == data.SOURCES["fsdd"].find()
    assert data.load("fsdd").fingerprint == data.SOURCES["fsdd"].card.fingerprint
