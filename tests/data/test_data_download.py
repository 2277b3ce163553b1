"""Getting a corpus from a server on this machine: whole, cut off, evil, unreachable."""

import http.server
import io
import socket
import tarfile
import threading

import pytest

from linnet import data
from linnet.data import download
from linnet.data.sources import fsdd
from linnet.errors import LinnetError

ADVICE = "Put it there"


def archive(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                tar.addfile(info)
    return buffer.getvalue()


@pytest.fixture
def serve():
    """serve(body, cut=n) gives an address at which body lies; with `cut`, only so many bytes of it come."""
    servers = []

    def start(body, cut=None, status=200):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:cut])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/corpus.tar.gz"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def unpack(address, folder, **given):
    return download.unpack(address, folder, wanted=fsdd._wanted, advice=ADVICE, **given)


def test_only_recordings_are_written_where_they_belong(serve, tmp_path):
    evil = [("top/recordings/1_theo_2.wav", b"good"), ("top/recordings/../../1_theo_3.wav", b"evil"),
            ("/top/recordings/1_theo_4.wav", b"evil"),
            ("top/recordings/1_theo_5.wav", (tarfile.SYMTYPE, "/etc/passwd")),
            ("top/recordings/1_theo_6.wav", (tarfile.LNKTYPE, "top/README.md")), ("top/README.md", b"words"),
            ("top/recordings/1_theo_7.sh", b"evil"), ("top/recordings/1_theo_8.wav", (tarfile.FIFOTYPE, "")),
            ("top/recordings/x_theo_9.wav", b"evil"), ("1_theo_1.wav", b"evil")]
    assert unpack(serve(archive(evil)), tmp_path / "in") == 1
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [
        "in/recordings/1_theo_2.wav"]


def test_progress_is_told(serve, tmp_path):
    body = archive([("top/recordings/1_theo_2.wav", bytes(range(256)) * 800)])
    seen = []
    unpack(serve(body), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(body), len(body))


def test_a_bomb_is_stopped(serve, tmp_path):
    body = archive([("top/recordings/1_theo_2.wav", bytes(3_000_000))])
    assert len(body) < 1_000_000
    with pytest.raises(LinnetError, match="unpacks to more than 1 MB"):
        unpack(serve(body), tmp_path, limit_bytes=1_000_000)
    with pytest.raises(LinnetError, match="larger than 0 MB"):
        unpack(serve(body), tmp_path, limit_bytes=1000)


@pytest.mark.parametrize(("given", "words"), [
    ({"cut": 500}, "ended after 500 of [0-9]+ bytes.*Put it there"),
    ({"status": 404}, "cannot download from .*(404|Not Found).*Put it there")])
def test_a_server_that_fails_is_said_with_its_address(serve, tmp_path, given, words):
    body = archive([("top/recordings/1_theo_2.wav", bytes(i % 251 for i in range(100_000)))])
    with pytest.raises(LinnetError, match=words):
        unpack(serve(body, **given), tmp_path)


def test_what_is_no_archive_is_refused(serve, tmp_path):
    whole = archive([("top/recordings/1_theo_2.wav", bytes(i % 251 for i in range(100_000)))])
    for body in (b"<html>hello</html>", whole[:len(whole) // 2], b""):
        with pytest.raises(LinnetError, match=r"no whole \.tar\.gz archive.*Put it there"):
            unpack(serve(body), tmp_path)


def test_nobody_there_and_other_schemes(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LinnetError, match=rf"cannot download from http://127.0.0.1:{port}/x \(.*refused.*Put it there"):
        unpack(f"http://127.0.0.1:{port}/x", tmp_path)
    with pytest.raises(LinnetError, match="starts with https"):
        unpack("file:///etc/passwd", tmp_path)


def test_fsdd_says_where_it_may_be_put(monkeypatch, tmp_path):
    monkeypatch.setenv("LINNET_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("LINNET_FSDD_URL", "http://127.0.0.1:9/none.tar.gz")
    with pytest.raises(LinnetError, match=rf"127.0.0.1:9.*Put the corpus at {tmp_path}/mine/fsdd, or set LINNET_DATA"):
        data.load("fsdd")
    assert data.SOURCES["fsdd"].find() is None


def test_other_content_than_the_known_corpus_is_not_kept(serve, monkeypatch):
    monkeypatch.delenv("LINNET_DATA", raising=False)
    with pytest.raises(LinnetError, match=r"not the known corpus \(1 recordings.*nothing was kept"):
        fsdd.get(address=serve(archive([("top/recordings/1_theo_2.wav", b"not even sound")])))
    assert list(download.cache().iterdir()) == []


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


@pytest.mark.slow
def test_the_whole_corpus_comes_as_wav_and_is_known_again(serve, real_data, monkeypatch):
    import soundfile

    members = []
    for path in sorted((real_data / "fsdd" / "audio").glob("*.flac")):
        buffer = io.BytesIO()
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
        members.append((f"free-spoken-digit-dataset-1/recordings/{path.stem}.wav", buffer.getvalue()))
    monkeypatch.delenv("LINNET_DATA")
    folder = fsdd.get(address=serve(archive(members)))
    assert data.load("fsdd").root == folder == data.SOURCES["fsdd"].find()
    assert data.load("fsdd").fingerprint == fsdd.FINGERPRINT
