"""linnet data: list, get and show, with what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linnet.cli import transfer
from linnet.cli.app import answer

Captured = pytest.CaptureFixture[str]


def test_the_corpora_in_a_table(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINNET_DATA", raising=False)
    assert answer(["data", "ls"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert lines["name"].split() == ["name", "rows", "MB", "licence", "where"]
    assert "3,000  " in lines["fsdd"]
    assert "CC BY-SA 4.0" in lines["fsdd"]
    assert lines["fsdd"].endswith("(linnet data get)")
    assert lines["cifar10"].endswith("(not here; set LINNET_DATA)")
    assert answer(["data", "ls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["licence"] == "CC BY-SA 4.0"


def test_what_a_dataset_holds(tone_manifest: Path, capsys: Captured) -> None:
    assert answer(["data", "show", str(tone_manifest)]) == 0
    shown = capsys.readouterr().out
    assert "150 rows, fingerprint " in shown
    assert "audio (audio): formats (8000 Hz mono: 150)" in shown
    assert "voice (label): counts (ann: 30" in shown
    assert answer(["data", "show", str(tone_manifest), "--columns", "voice=group", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["columns"]["voice"]["kind"]) == (150, "group")


def test_a_corpus_is_shown_with_its_licence(capsys: Captured) -> None:
    assert answer(["data", "show", "handwritten"]) == 0
    shown = capsys.readouterr().out
    assert "licence: CC BY 4.0\n  cite: Alpaydin" in shown


def test_every_broken_file_is_listed_and_the_page_is_written(
        tone_manifest: Path, tmp_path: Path, capsys: Captured) -> None:
    for label, content in (("a", b"words"), ("b", b"")):
        (tmp_path / "own" / label).mkdir(parents=True)
        (tmp_path / "own" / label / "bad.wav").write_bytes(content)
        good = sorted(tone_manifest.parent.glob("*.wav"))[ord(label)]
        (tmp_path / "own" / label / "good.wav").write_bytes(good.read_bytes())
    page = tmp_path / "page" / "own.html"
    assert answer(["data", "show", str(tmp_path / "own"), "--page", str(page), "--rows", "2"]) == 3
    shown = capsys.readouterr()
    assert "broken: 'audio' of a/bad cannot be read" in shown.out
    assert "broken: 'audio' of b/bad is empty" in shown.out
    assert "2 files cannot be used" in shown.out
    assert f"written: {page}" in shown.err
    assert page.read_text().count("data:audio/flac") == 2


def test_options_are_told_as_pairs(capsys: Captured, real_data: Path) -> None:
    assert answer(["data", "show", "clinc150", "--option", "variant=small", "--option", "oos=false", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 15000


@pytest.mark.parametrize(("given", "words"), [
    (["show", "fsd"], "fsdd"), (["show", "no/such.csv"], "is not there"),
    (["show", "handwritten", "--option", "variant"], "expected KEY=VALUE, such as --option variant=small"),
    (["show", "handwritten", "--columns", "label"], "expected NAME=KIND, such as --columns age=group"),
    (["show", "handwritten", "--option", "folder=x"], "unknown option 'folder'"),
    (["get", "fsd"], "unknown corpus 'fsd'; did you mean 'fsdd'?"), (["get"], "names")])
def test_what_is_not_there_is_wrong_usage(given: list[str], words: str, capsys: Captured) -> None:
    assert answer(["data", *given]) == 3
    assert words in capsys.readouterr().err


def test_what_is_here_already_is_said_with_its_licence(capsys: Captured) -> None:
    assert answer(["data", "get", "handwritten"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("handwritten: ")
    assert "licence   CC BY 4.0\n  cite      Alpaydin" in shown


def test_what_linnet_does_not_download_says_what_to_do(
        capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINNET_DATA", str(tmp_path))
    assert answer(["data", "get", "cifar10"]) == 3
    assert f"Put the corpus at {tmp_path}/cifar10" in capsys.readouterr().err
    assert answer(["data", "get", "cifar10", "--to", str(tmp_path / "x")]) == 3
    assert f"is not at {tmp_path}/x/cifar10" in capsys.readouterr().err


def test_progress_for_a_log_is_a_line_now_and_then(capsys: Captured) -> None:
    report = transfer.lines("birds", seconds=1000)
    for done in (1_000_000, 2_000_000, 3_000_000):
        report(done, 3_000_000)
    assert capsys.readouterr().err == "birds: 3.0 MB of 3.0\n"
    unknown = transfer.lines("birds", seconds=0)
    unknown(1_000_000, None)
    assert capsys.readouterr().err == "birds: 1.0 MB\n"


def test_a_stopped_download_says_that_it_goes_on(tmp_path: Path) -> None:
    """A server that takes the request and never ends its answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/corpus.tar.gz"
        environment = {**os.environ, "LINNET_FSDD_URL": address, "XDG_CACHE_HOME": str(tmp_path),
                       "LINNET_DATA": str(tmp_path / "none")}
        code = "from linnet.cli import main; main()"
        with subprocess.Popen([sys.executable, "-c", code, "data", "get", "fsdd"], env=environment, text=True,
                              stderr=subprocess.PIPE) as process:
            connection, _ = server.accept()
            connection.recv(1 << 16)
            head = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 999999\r\n\r\n'
            connection.sendall(head + b"\x1f\x8b" + bytes(200_000))
            for _ in range(100):
                partial = next(iter(tmp_path.rglob("*.partial")), None)
                if partial is not None and partial.stat().st_size > 100_000:
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
            connection.close()
    assert process.returncode == 130
    assert "fsdd is not whole yet; the same command goes on with what has come" in said
    (partial,) = tmp_path.rglob("*.partial")
    assert partial.stat().st_size > 100_000
