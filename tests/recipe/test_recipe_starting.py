import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from linnet import recipe
from linnet.errors import LinnetError
from linnet.evidence.comparisons import paired_difference
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


def recordings(folder: Path, header: str, rows: list[str]) -> str:
    for number in range(len(rows)):
        soundfile.write(folder / f"{number}.wav", np.full(800, 0.1), 8000)
    lines = [f"{number}.wav,{row}" for number, row in enumerate(rows)]
    (folder / "said.csv").write_text("\n".join([f"audio,{header}", *lines]) + "\n")
    return str(folder / "said.csv")


def test_groups_keep_the_validation_part_apart_where_the_data_name_only_train_and_test(tmp_path: Path) -> None:
    rows = [f"{'yes' if number % 2 else 'no'},s{number // 4},{'test' if number >= 24 else 'train'}"
            for number in range(32)]
    made = check(recipe.start(recordings(tmp_path, "word,speaker,split", rows))[1], {})
    assert (made.data.split.parts, made.data.split.by) == ("split", "speaker")


def test_a_group_that_is_in_both_parts_is_said_and_not_split_by(tmp_path: Path) -> None:
    rows = [f"{'yes' if number % 2 else 'no'},s{number % 8 // 2},{'test' if number >= 24 else 'train'}"
            for number in range(32)]
    text = recipe.start(recordings(tmp_path, "word,speaker,split", rows))[1]
    assert check(text, {}).data.split.by is None
    assert "the same speaker is in several: {by: speaker} asks the harder question" in text


def test_a_transcription_is_not_shifted_or_cut(tmp_path: Path) -> None:
    lines = [json.dumps({"audio": f"{number}.wav", "phones": ["a", "b"], "speaker": f"s{number % 5}"})
             for number in range(20)]
    recordings(tmp_path, "word", ["x"] * 20)
    (tmp_path / "said.jsonl").write_text("\n".join(lines))
    text = recipe.start(str(tmp_path / "said.jsonl"), options={"columns": {"phones": "sequence"}})[1]
    assert "conformer" in text
    assert "speech" not in text


@pytest.mark.parametrize(("shape", "network", "changes"), [
    ((12, 12), "smallcnn", "handwriting"), ((28, 28), "resnet", "handwriting"),
    ((32, 32, 3), "resnet", "small_photographs"), ((96, 96, 3), "resnet", "photographs")])
def test_images_are_changed_as_their_kind_allows(
        shape: tuple[int, ...], network: str, changes: str, tmp_path: Path) -> None:
    for label in ("a", "b"):
        (tmp_path / "shots" / label).mkdir(parents=True)
        for number in range(6):
            pixels = np.full(shape, 20 * number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "shots" / label / f"{number}.png")
    fitted = check(recipe.start(str(tmp_path / "shots"))[1], {}).steps["big"][1]
    assert (fitted.model, fitted.augment) == ({network: {}}, changes)  # type: ignore[attr-defined]


def test_a_row_goes_in_with_its_labels_too(tmp_path: Path) -> None:
    rows = "\n".join(f"{number},{'red' if number % 3 else 'blue'},{number % 2}" for number in range(40))
    (tmp_path / "cars.csv").write_text(f"speed,colour,class\n{rows}\n")
    made = check(recipe.start(str(tmp_path / "cars.csv"), target="class")[1], {})
    assert made.task[1]["input"] == ["speed", "colour"]


def test_names_and_columns_are_written_so_that_they_are_read_back(tmp_path: Path) -> None:
    rows = [f"{'yes' if number % 2 else 'no'},{number % 5}" for number in range(20)]
    source = recordings(tmp_path, "my: word,who said it", rows)
    options = {"columns": {"my: word": "label", "who said it": "group"}}
    made = check(recipe.start(source, options=options)[1], {})
    assert made.data.options == options
    for name in ("../elsewhere", "a: b", ""):
        with pytest.raises(LinnetError, match="letters, digits"):
            recipe.start(source, name=name, options=options)


def test_what_eight_bits_may_cost_is_no_less_than_so_few_rows_can_show(tmp_path: Path) -> None:
    rows = [f"{'yes' if number % 2 else 'no'}" for number in range(70)]
    made = check(recipe.start(recordings(tmp_path, "word", rows))[1], {})
    margin = made.steps["proof"][1].claims[1].no_worse.margin  # type: ignore[attr-defined]
    assert margin == 0.25
    assert -paired_difference(0, 0, 14, 0.9)[0] < margin


def test_one_label_for_all_is_refused_before_a_recipe_is_written(tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=r"same 'word' \(yes\)"):
        recipe.start(recordings(tmp_path, "word", ["yes"] * 20))


def test_numbers_of_few_kinds_are_hinted_to_be_labels(tmp_path: Path) -> None:
    rows = "\n".join(f"{number},{number % 2}" for number in range(40))
    (tmp_path / "sales.csv").write_text(f"price,sold\n{rows}\n")
    text = recipe.start(str(tmp_path / "sales.csv"), target="sold")[1]
    assert "--columns sold=label" in text
    assert check(text, {}).task[0] == "regress"
