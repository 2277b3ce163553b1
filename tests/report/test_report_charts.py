from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
import report_contents as made
from report_contents import DIGITS, history, scores, spoken

from linnet import introspect
from linnet.report import charts


def texts(figure: charts.Figure) -> list[str]:
    root = ElementTree.fromstring(figure.svg)
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


def test_learning_curves_mark_the_lowest_validation_loss() -> None:
    rows = history(20, 0.95)
    best = min(rows, key=lambda row: row["validation_loss"])
    figure = charts.learning(rows)
    assert f"at epoch {best['epoch']}" in figure.caption
    assert {"epoch", "loss", "accuracy", "train", "validation"} <= set(texts(figure))


def test_one_epoch_is_a_curve_too() -> None:
    assert "1 epochs" not in charts.learning(history(1, 0.5)).alt


def test_the_confusion_matrix_counts() -> None:
    figure = charts.confusion(spoken(), DIGITS)
    assert figure is not None
    shown = [int(text) for text in texts(figure) if text.isdigit()]
    assert sum(shown) == 1000 + 2 * sum(range(10))  # every sample once, and the labels on two axes
    assert "3 was called 2" in figure.alt


def test_a_matrix_too_large_to_read_is_not_drawn() -> None:
    assert charts.confusion(spoken(), [str(label) for label in range(41)]) is None


def test_labels_from_outside_cannot_break_the_picture() -> None:
    after = spoken()
    hostile = replace(after, answers=["<script>&" if a == "3" else a for a in after.answers],
                      targets=["<script>&" if t == "3" else t for t in after.targets])
    figure = charts.confusion(hostile, [*DIGITS[:3], "<script>&", *DIGITS[4:]])
    assert figure is not None
    assert "<script>&" in texts(figure)


def test_group_rates_are_exact() -> None:
    after = scores({"theo": 0.9, "lucas": 1.0}, 200)
    (lucas, *counted), (_, right, n, low, high) = charts.group_rates(after, "speaker")
    assert (lucas, counted[:2]) == ("lucas", [100, 100])
    assert low < right / n < high
    assert counted[3] == 1.0


def test_groups_with_and_without_the_model_before() -> None:
    assert "hollow" not in charts.by_group(spoken(), "speaker").caption
    figure = charts.by_group(spoken(), "speaker", spoken(better=6))
    assert "hollow" in figure.caption
    assert {"lucas (500)", "theo (500)"} <= {" ".join(text.split()) for text in texts(figure)}


def test_bars_of_one_and_of_two_files() -> None:
    small, large = made.bench("small.onnx", 39_000, 0.6, 1.2), made.bench("large.onnx", 352_000, 1.4, 3)
    assert "39.0" in texts(charts.size_and_latency([small]))
    assert charts.size_and_latency([large, small]).alt.startswith("large.onnx: 352.0 KB, 1.7")


def test_one_file_on_two_engines_has_two_bars() -> None:
    one = made.bench("small.onnx", 39_000, 0.6, 1.2)
    figure = charts.size_and_latency([one, replace(one, engine="openvino", seconds=one.seconds / 2)])
    assert {"small.onnx (onnxruntime)", "small.onnx (openvino)"} <= set(texts(figure))
    assert "small.onnx (openvino): 39.0 KB" in figure.alt


def test_no_mistakes_no_chart() -> None:
    assert charts.worst_confusions(introspect.confusions(scores({"theo": 1.0}, 100))) is None
    figure = charts.worst_confusions(introspect.confusions(spoken()))
    assert figure is not None
    assert "3 → 2" in texts(figure)


def test_coordinates_are_short_but_numbers_in_words_stay_whole() -> None:
    tiny = [{**row, "validation_accuracy": 0.00125 + 0.0001 * row["epoch"]} for row in history(4, 0.9)]
    ticks = [text for text in texts(charts.learning(tiny)) if text.startswith("0.00")]
    assert len(ticks) == len(set(ticks)) > 1


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "altair", None)
    with pytest.raises(charts.missing_extra("altair", "report").__class__, match=r"linnet\[report\]"):
        charts.learning(history(2, 0.9))
