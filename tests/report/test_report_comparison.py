from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from linnet import report
from linnet.errors import LinnetError
from linnet.evidence import DataRef
from linnet.evidence.many import Difference, Seeds
from linnet.evidence.many.against import EXACT
from linnet.report import comparison
from linnet.report.booktabs import escape
from linnet.report.comparison_page import page, picture
from linnet.runtime import Comparison, Side

DATA = DataRef(population="texts of the test part of clinc150", fingerprint="f" * 64, rows=4500, part="test")


def side(name: str, *accuracies: float, size_bytes: int = 61_300, median_ms: float = 0.41,
         metrics: dict[str, float] | None = None) -> Side:
    return Side(name=name, files=tuple(f"{name}{number}.onnx" for number in range(len(accuracies))),
                subjects=("0" * 64,) * len(accuracies), family="cnn", seeds=Seeds(accuracies), metrics=metrics or {},
                parameters=120_345, size_bytes=size_bytes, seconds=np.full(100, median_ms / 1000))


def difference(name: str, estimate: float, low: float, high: float, p: float) -> Difference:
    return Difference(name, estimate, (low, high), 10, 20, p, p, EXACT)


@pytest.fixture
def compared() -> Comparison:
    return Comparison(
        data=DATA, noun="texts", target="intent", reference="linear", level=0.95,
        sides=(side("linear", 0.9126), side("my_net", 0.9301, size_bytes=4_210_000, median_ms=12.0),
               side("tree", 0.85), side("gru", 0.912, 0.918, 0.9165)),
        differences=(difference("my_net", 0.0175, 0.01049, 0.0246, 0.000004),
                     difference("tree", -0.0626, -0.07, -0.00004, 0.0077),
                     difference("gru", 0.0029, -0.0031, 0.0089, 0.7)),
        conditions={"engine": "onnxruntime", "version": "1.31", "processor": "Some & Co CPU_3", "threads": "1"},
        looks=7, notes=("tree was trained on these very rows.",))


def test_the_sentence(compared: Comparison) -> None:
    assert comparison.sentence(compared) == (
        "On 4,500 texts of the test part of clinc150, linear answers 91.3 in 100 correctly. Against it, my_net is "
        "better (1.0 to 2.5 more in 100); tree is worse (0.004 to 7.0 fewer in 100); for gru no difference is shown "
        "(0.4 fewer to 0.9 more in 100); 95 % sure of all of this together.")


def test_one_comparison_is_not_called_all_of_this(compared: Comparison) -> None:
    alone = replace(compared, sides=compared.sides[:2], differences=compared.differences[:1])
    assert comparison.sentence(alone).endswith("(1.0 to 2.5 more in 100); 95 % sure.")


def test_too_few_rows_are_said(compared: Comparison) -> None:
    nothing = difference("gru", 0.1, -1.0, 1.0, 0.2)
    assert comparison.span(compared, nothing) == "too few rows to say anything"


def test_the_table(compared: Comparison) -> None:
    lines = comparison.text(compared).splitlines()
    start = next(at for at, line in enumerate(lines) if "right in 100" in line)
    assert re.split(r" {2,}", lines[start].strip()) == [
        "right in 100", "over seeds", "points", "95 % interval", "p (Holm)", "parameters", "KB", "median ms"]
    assert re.split(r" {2,}", lines[start + 1]) == ["linear", "91.3", "reference", "120,345", "61.3", "0.41"]
    assert re.split(r" {2,}", lines[start + 2]) == [
        "my_net", "93.0", "+1.8", "+1.0 to +2.5", "<0.0001", "better", "120,345", "4,210.0", "12"]
    assert re.split(r" {2,}", lines[start + 4])[:3] == ["gru", "91.6", "± 0.31 (3)"]


def test_metrics_are_columns(compared: Comparison) -> None:
    scored = replace(compared, sides=tuple(replace(one, metrics={"slot_f1": 0.91234}) for one in compared.sides))
    assert "slot_f1" in comparison.head(scored)
    assert comparison.cells(scored, comparison.rows(scored)[0])[comparison.head(scored).index("slot_f1")] == "0.9123"
    assert "slot f1" in report.latex(scored)


def test_what_it_does_not_say(compared: Comparison) -> None:
    said = " ".join(comparison.limits(compared))
    assert "gru: 0.31 points over three seeds" in said
    assert "Of linear, my_net and tree one training each was seen" in said
    assert "tree was trained on these very rows." in said
    assert "Seven files were held against these rows so far" in said
    assert "do not agree" not in said
    assert "not of other" not in said
    by_speaker = DATA.model_copy(update={"origin": {"steps": [{"split": {"by": "speaker"}}]}})
    assert "not of other speakers" in " ".join(comparison.limits(replace(compared, data=by_speaker)))
    odd = replace(compared, differences=(difference("my_net", 0.01, -0.001, 0.02, 0.03),))
    assert "The p-value of my_net (0.03) and its interval" in " ".join(comparison.limits(odd))


def test_latex_is_balanced_and_escaped(compared: Comparison) -> None:
    table = report.latex(compared)
    assert table.count("{") - table.count(r"\{") == table.count("}") - table.count(r"\}")
    assert "$$" not in table
    assert table.count(r"\begin") == table.count(r"\end")
    body = table[table.index(r"\midrule"):table.index(r"\bottomrule")].splitlines()[1:]
    columns = re.search(r"\{@\{\}(l r*|lr*)@\{\}\}", table)
    assert columns is not None
    assert {line.count(" & ") + 1 for line in body} == {len(columns[1])} == {9}
    assert body[1].startswith(r"my\_net & 93.0 & -- & $+1.8^{\uparrow}$ & $[+1.0,\,+2.5]$ & $<0.0001$")
    assert r"Some \& Co CPU\_3" in table
    assert escape("a^b\\~{}") == r"a\textasciicircum{}b\textbackslash{}\textasciitilde{}\{\}"


def test_the_picture_shows_every_side(compared: Comparison, tmp_path: Path) -> None:
    figure = picture(compared)
    texts = [element.text for element in ElementTree.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"linear", "my_net", "tree", "gru", "size in KB"} <= set(texts)
    assert "my_net: 93.0 in 100, 12 ms, 4,210.0 KB" in figure.alt
    assert report.write_picture(compared, tmp_path / "a.svg").read_text().startswith("<svg")
    assert report.write_picture(compared, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(LinnetError, match=r"\.svg or \.png"):
        report.write_picture(compared, tmp_path / "a.pdf")


def test_the_page_is_one_file_and_names_are_escaped(compared: Comparison, tmp_path: Path) -> None:
    hostile = "<script>"
    sides = (compared.sides[0], replace(compared.sides[1], name=hostile))
    found = (replace(compared.differences[0], name=hostile),)
    written = report.write_page(replace(compared, sides=sides, differences=found), tmp_path / "deep" / "page.html",
                                command="linnet compare a b")
    assert report.write_latex(compared, tmp_path / "t.tex").read_text() == report.latex(compared)
    text = written.read_text()
    assert "<script" not in text
    assert "&lt;script&gt; is better" in text
    assert "How to make it again" in text
    assert "Single seeds" not in text
    assert "Single seeds" in page(compared)
    assert list(written.parent.iterdir()) == [written]
