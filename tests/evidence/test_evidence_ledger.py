import logging
import subprocess
import sys
from pathlib import Path

import pytest

from linnet.errors import LinnetError
from linnet.evidence import Ledger, Look
from linnet.evidence.ledger import default_folder

FINGERPRINT = "f" * 64


def look(subject: str = "a", question: str = "q") -> Look:
    return Look(subject, question, FINGERPRINT)


def test_a_file_keeps_its_number_and_another_one_gets_the_next(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "ledger")
    assert ledger.looks(FINGERPRINT) == []
    assert [ledger.record(look()), ledger.record(look()), ledger.record(look("b")), ledger.record(look("b", "r"))] \
        == [1, 1, 2, 2]
    assert ledger.subjects(FINGERPRINT) == ["a", "b"]
    assert ledger.record(Look("a", "q", "0" * 64)) == 1
    assert [(seen.subject, seen.question) for seen in ledger.looks(FINGERPRINT)] == [("a", "q"), ("b", "q"), ("b", "r")]
    assert len(ledger.path(FINGERPRINT).read_text().splitlines()) == 3


def test_every_look_has_a_date_in_utc(tmp_path: Path) -> None:
    Ledger(tmp_path).record(look())
    [seen] = Ledger(tmp_path).looks(FINGERPRINT)
    assert seen.date is not None
    assert seen.date.endswith("+00:00")
    assert seen == look()


WRITER = """
import sys
from pathlib import Path
from linnet.evidence import Ledger, Look
for number in range(60):
    Ledger(Path(sys.argv[1])).record(Look(f"{sys.argv[2]} {number}", "q" * 3000, "f" * 64))
    Ledger(Path(sys.argv[1])).record(Look(f"shared {number}", "q", "f" * 64))
"""


def test_processes_that_append_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("one", "two")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert len(Ledger(tmp_path).looks(FINGERPRINT)) == 180


def test_a_damaged_line_is_said_and_the_next_look_starts_on_its_own_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(look())
    with ledger.path(FINGERPRINT).open("ab") as file:
        file.write(b'{"date": "2026-01-01", "subj')
    with caplog.at_level(logging.WARNING, logger="linnet"):
        assert ledger.record(look("b")) == 3  # whose look the broken line was is not known: nobody moves up
    assert "line 2 cannot be read" in caplog.text
    assert [seen.subject for seen in ledger.looks(FINGERPRINT)] == ["a", "(line 2, not readable)", "b"]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"{}", b"3", b"null"])
def test_no_line_stops_the_reading(tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(tmp_path)
    ledger.path(FINGERPRINT).write_bytes(line + b"\n")
    assert ledger.record(look()) == 2
    assert "line 1 cannot be read" in caplog.text


@pytest.mark.parametrize("fingerprint", ["../../etc/passwd", "a/b", "", "x" * 300, "C:\\x"])
def test_a_fingerprint_never_leads_out_of_the_folder(tmp_path: Path, fingerprint: str) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.record(Look("a", "q", fingerprint)) == 1
    assert ledger.path(fingerprint).parent == tmp_path
    assert ledger.looks(fingerprint) == [Look("a", "q", fingerprint)]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LinnetError, match="set LINNET_STATE"):
        Ledger(tmp_path / "file" / "ledger").record(look())


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LINNET_STATE", str(tmp_path))
    assert default_folder() == tmp_path / "ledger"
    monkeypatch.delenv("LINNET_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "linnet" / "ledger"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Ledger().folder == tmp_path / ".local" / "state" / "linnet" / "ledger"
