from pathlib import Path

import pytest

from linnet import recipe
from linnet.errors import LinnetError
from linnet.recipe.reading import check

COLUMNS = {"columns": {"pitch": "label", "voice": "group"}}


def test_recordings_with_groups_become_a_recipe_that_splits_by_them(tone_manifest: Path) -> None:
    name, text = recipe.start(str(tone_manifest), options=COLUMNS)
    made = check(text, {})
    assert name == made.name == tone_manifest.stem
    assert made.data.split.by == "voice"
    assert made.task == ("classify", {"input": "audio", "target": "pitch", "groups": ["voice"]})
    assert list(made.steps) == ["big", "small", "whole", "file", "proof", "timing"]


def test_what_a_model_must_beat_is_the_most_frequent_answer(tone_manifest: Path) -> None:
    _, text = recipe.start(str(tone_manifest), options=COLUMNS)
    rows = [line.split(",") for line in tone_manifest.read_text().splitlines()[1:]]
    most = max(sum(label in row for row in rows) for label in {cell for row in rows for cell in row[1:2]})
    assert f"bound: {-(-100 * most // len(rows)) / 100}" in text


def test_two_columns_that_could_be_asked_for_are_named(tone_manifest: Path) -> None:
    options = {"columns": {"pitch": "label", "voice": "label"}}
    with pytest.raises(LinnetError, match=r"2 columns that can be asked for: .*pitch.*Say which with --target"):
        recipe.start(str(tone_manifest), options=options)
    assert "target: voice" in recipe.start(str(tone_manifest), target="voice", options=options)[1]


def test_an_unknown_target_is_refused_with_the_nearest(tone_manifest: Path) -> None:
    with pytest.raises(LinnetError, match="did you mean 'pitch'"):
        recipe.start(str(tone_manifest), target="pich", options=COLUMNS)


def test_a_table_with_a_number_to_be_told_says_what_counts_as_right(tmp_path: Path) -> None:
    rows = "\n".join(f"{number},{number % 7},{3 * number + 0.5}" for number in range(40))
    (tmp_path / "sums.csv").write_text(f"first,second,total\n{rows}\n")
    made = check(recipe.start(str(tmp_path / "sums.csv"), target="total")[1], {})
    assert made.task == ("regress", {"input": ["first", "second"], "target": "total", "tolerance": 17.0})


def test_texts_with_labels_become_a_recipe_for_a_network_that_reads(tmp_path: Path) -> None:
    lines = "\n".join(f"what is the weather on day {number},{'rain' if number % 2 else 'sun'}" for number in range(40))
    (tmp_path / "said.csv").write_text(f"text,label\n{lines}\n")
    made = check(recipe.start(str(tmp_path / "said.csv"))[1], {})
    assert made.task == ("classify", {"input": "text", "target": "label"})
    assert made.data.split.stratify == "label"
    assert made.steps["big"][1].model == {"textcnn": {}}  # type: ignore[attr-defined]
