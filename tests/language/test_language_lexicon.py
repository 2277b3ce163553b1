"""Lexicons: reading, variants, words that are missing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from linnet.errors import LinnetError
from linnet.language.lexicon import Lexicon, read_lexicon

LINES = """;;; a comment
READ\tR EH1 D
READ\tR IY1 D
record  R EH1 K ER0 D
record(2)  R IH0 K AO1 R D
PERMIT\tP ER0 M IH1 T
PERMIT\tP ER1 M IH0 T
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    (tmp_path / "lexicon.txt").write_text(LINES, "utf-8")
    return read_lexicon(tmp_path / "lexicon.txt")


def test_a_word_has_its_ways_in_any_case_and_without_stress(lexicon: Lexicon, tmp_path: Path) -> None:
    assert lexicon["Read"] == (("R", "EH", "D"), ("R", "IY", "D"))
    assert len(lexicon["RECORD"]) == 2
    assert lexicon["permit"] == (("P", "ER", "M", "IH", "T"),), "ways that differ by stress alone are one"
    assert len(read_lexicon(tmp_path / "lexicon.txt", stress=True)["permit"]) == 2
    assert Lexicon.from_json(lexicon.to_json()) == lexicon


def test_words_that_are_missing_are_listed_or_guessed_and_said(lexicon: Lexicon,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LinnetError, match="lacks 1 of 2: zyx"):
        lexicon.of(["read", "zyx"])
    with caplog.at_level(logging.WARNING, "linnet"):
        part = lexicon.of(["Read", "ZYX"], guess=lambda words: dict.fromkeys(words, ("Z", "IH", "K", "S")))
    assert "zyx as Z IH K S" in caplog.text
    assert set(part.entries) == {"read", "zyx"}
    with pytest.raises(LinnetError, match="did you mean 'read'"):
        lexicon["reed"]


def test_a_broken_file_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "lexicon.txt").write_text("A\tAH0\nB\n", "utf-8")
    with pytest.raises(LinnetError, match="line 2"):
        read_lexicon(tmp_path / "lexicon.txt")
    with pytest.raises(LinnetError, match="no lexicon"):
        read_lexicon(tmp_path / "other.txt")


def test_a_word_without_a_pronunciation_is_refused() -> None:
    with pytest.raises(LinnetError, match="without a pronunciation"):
        Lexicon({"a": ()})
    with pytest.raises(LinnetError, match="without a pronunciation"):
        Lexicon({"a": ((),)})


def test_a_file_in_another_encoding_is_said_and_a_byte_order_mark_is_no_letter(tmp_path: Path) -> None:
    file = tmp_path / "lexicon.txt"
    file.write_bytes("read R EH D\ncafé K AE F\n".encode("latin-1"))
    with pytest.raises(LinnetError, match=r"line 2.*UTF-8"):
        read_lexicon(file)
    file.write_bytes("\ufeffread R EH D\r\n".encode())
    assert read_lexicon(file).entries == {"read": (("R", "EH", "D"),)}


def test_a_phone_that_is_a_digit_of_stress_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lexicon.txt").write_text("a AH0\nb 0\n", "utf-8")
    with pytest.raises(LinnetError, match="line 2: '0' is no phone"):
        read_lexicon(tmp_path / "lexicon.txt")


@pytest.mark.parametrize("ways", [("AH",), "AH", ("R EH D",)])
def test_phones_in_one_text_are_not_taken_for_letters(ways: Any) -> None:
    with pytest.raises(LinnetError, match=r"\(\('R', 'EH', 'D'\),\)"):
        Lexicon({"a": ways})
