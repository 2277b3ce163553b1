from __future__ import annotations

from dataclasses import replace

import pytest
import report_contents
from report_contents import scores, sounds

from linnet.evidence import Look
from linnet.report import Contents, plain, text
from linnet.report.page import html


@pytest.fixture(scope="module")
def digits() -> Contents:
    return report_contents.digits()


def test_what_was_held_back_is_said(digits: Contents) -> None:
    assert plain.tested_on(digits) == [
        "1,000 recordings of the held-out speakers lucas and theo.",
        "Nothing of lucas and theo was used in this training or its validation: the speakers are other ones there.",
        "It learned from 1,500 and was chosen on 500 others."]


def test_few_speakers_and_many_looks_are_limits(digits: Contents) -> None:
    looks = [Look(f"file {number // 2}", f"question {number}", "7c") for number in range(8)]
    said = " ".join(plain.limits(replace(digits, looks=looks)))
    assert "Two speakers say little about all others" in said
    assert "Four models were tried on this test part so far." in said
    assert "one of its ten labels" in said


def test_a_split_by_rows_is_a_limit() -> None:
    after = scores(report_contents.SPEAKERS, 100, origin=report_contents.SPLIT_BY_ROWS)
    said = plain.limits(Contents("digits", task=sounds(), after=after))
    assert said[0] == "The test part was not split off by speaker: new speakers may fare worse than these numbers."


def test_costs_say_where_they_were_measured(digits: Contents) -> None:
    assert plain.costs(digits)[0] == "39 KB, 9 times smaller than what it was made from."
    assert "on Some Processor 3.0, one thread." in plain.costs(digits)[1]


def test_a_smaller_file_that_is_slower_is_said(digits: Contents) -> None:
    before, shipped = digits.benches
    slower = replace(shipped, seconds=before.seconds * 1.05)
    said = plain.costs(replace(digits, benches=(before, slower)))
    assert said[2] == "An answer takes 1.05 times as long as with what it was made from."
    assert not any("times as long" in line for line in plain.costs(replace(digits, benches=(shipped,))))


def test_files_on_several_engines_are_compared_on_the_first(digits: Contents) -> None:
    first = digits.benches
    second = [replace(one, engine="openvino", version="2", seconds=one.seconds * 9) for one in first]
    both = replace(digits, benches=[first[0], second[0], first[1], second[1]])
    assert plain.costs(both) == plain.costs(digits)
    shown = html(both)
    assert all(f"<td>{one.name} ({one.engine})</td>" in shown for one in both.benches)
    assert "Measured with onnxruntime 1.31.1, openvino 2 on" in shown


def test_nothing_is_said_about_nothing() -> None:
    empty = Contents("digits")
    assert plain.tested_on(empty) == plain.limits(empty) == plain.costs(empty) == plain.check(empty) == []


def test_the_terminal_shows_every_claim_and_fits(digits: Contents) -> None:
    shown = text(digits)
    assert shown.count("✓ Holds") == 4
    assert shown.count("? Undecided") == 1
    assert shown.endswith("Check it: linnet verify runs/digits/digits.onnx --data fsdd")
    assert max(map(len, shown.splitlines())) <= 96


def test_a_model_that_always_says_the_same_is_told_of(digits: Contents) -> None:
    assert digits.after is not None
    stuck = replace(digits, after=replace(digits.after, answers=["3"] * len(digits.after)))
    assert "It gave the same answer (3) to all 1,000" in " ".join(plain.limits(stuck))
    assert "same answer" not in " ".join(plain.limits(digits))
