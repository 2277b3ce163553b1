"""What goes in: texts and rows; for recordings see Classify and Transcribe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from linnet import data, tasks
from linnet.data import Tokenizer, odd
from linnet.data.media import encode
from linnet.errors import DamagedFileError, LinnetError
from linnet.tasks.inputs import Features, Images, RawText, Tokens

GREEK = Tokenizer.train(["καλημέρα κόσμε", "τι ώρα είναι"] * 3, size=40)


def texts(*said: str) -> data.Dataset:
    table = pa.table({"id": [f"t{number}" for number in range(len(said))], "text": list(said),
                      "kind": ["a", "b"] * (len(said) // 2)})
    return data.Dataset("texts", table, {"text": data.TextColumn(), "kind": data.label_column(["a", "b"])})


def classify(dataset: data.Dataset | data.Splits, **keywords: Any) -> tasks.Classify:
    return tasks.Classify(dataset, **{"input": "text", "target": "kind", **keywords})


def test_a_tokenizer_learns_from_the_training_part_alone(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent", vocabulary=100)
    assert task.tokenizer == Tokenizer.train(sentences.train.values("text"), size=100)
    assert isinstance(task.takes, Tokens)
    assert task.takes.vocabulary <= 100
    counts = task.tokenizer.counts(sentences.train.values("text"))
    assert (counts <= task.takes.length).mean() >= 0.99


def test_a_tokenizer_can_be_given(sentences: data.Splits, tmp_path: Path) -> None:
    words = Tokenizer.train(sentences.train.values("text"), kind="word", size=30)
    (tmp_path / "words.json").write_text(words.json)
    for given in (words, tmp_path / "words.json", str(tmp_path / "words.json")):
        assert tasks.Classify(sentences, input="text", target="intent", tokenizer=given).tokenizer == words
    assert tasks.Classify(sentences, input="text", target="intent", tokenizer="word", vocabulary=30).tokenizer == words


def test_raw_strings_for_models_that_split_texts_themselves(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer=None)
    assert isinstance(task.takes, RawText)
    assert task.arrays == {"text": ("string", ())}
    assert task.prepare(["so it is"])["text"].tolist() == ["so it is"]
    assert task.tokenizer is None


def test_longer_texts_are_said(caplog: pytest.LogCaptureFixture) -> None:
    given = texts(*["one two three", "one two"] * 50)
    assert classify(given).takes.length == 3  # type: ignore[union-attr]
    assert not caplog.records
    classify(given, length=2)
    assert "texts: 50 of 100 texts in 'text' are longer than the 2 tokens that are read: their ends are cut off" \
        in caplog.text


def test_texts_without_a_token_are_said(caplog: pytest.LogCaptureFixture) -> None:
    letters = Tokenizer.from_json({
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 1, "one": 2}, "unk_token": "[UNK]"},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Removed", "invert": True}})
    classify(texts("one", "one", "123", "one"), tokenizer=letters)
    assert "1 of 4 texts in 'text' have no token at all" in caplog.text


@pytest.mark.parametrize(("keywords", "message"), [
    ({"tokenizer": GREEK}, "does not fit these texts: it knows 0 of their"),
    ({"tokenizer": GREEK, "vocabulary": 10}, "the one given has its own"),
    ({"tokenizer": "bpee"}, "one of bpe, character, word; got bpee"),
    ({"tokenizer": "gone.json"}, "gone.json cannot be read"),
    ({"length": 0}, "at least 1; got 0"), ({"length": 2.5}, "at least 1; got 2.5"),
    ({"vocabulary": 1}, "at least 3; got 1"),
    ({"seconds": 1.0}, "unknown option for an input of text 'seconds'"),
    ({"tokenizer": None, "length": 3}, "unknown option for an input of text 'length'"),
    ({"input": ["text", "kind"]}, "a column of text goes in alone"),
])
def test_options_that_do_not_fit_are_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        classify(texts(*["one two three", "two one"] * 5), **keywords)


def test_a_tokenizer_that_hardly_fits_is_said(caplog: pytest.LogCaptureFixture) -> None:
    words = Tokenizer.train(["one two three"], kind="word")
    classify(texts(*["one two", "one four three one"] * 5), tokenizer=words)
    assert "does not know 5 of the 30 tokens" in caplog.text


def test_only_texts_are_read(sentences: data.Splits) -> None:
    for tokenizer in ("bpe", None):
        with pytest.raises(LinnetError, match="takes texts; it was given int"):
            tasks.Classify(sentences, input="text", target="intent", tokenizer=tokenizer).prepare(["a", 3])


def rows(numbers: data.Splits, *columns: str) -> tasks.Classify:
    return tasks.Classify(numbers, input=list(columns), target="size")


def test_numbers_are_standardised_and_names_take_a_place_each(numbers: data.Splits) -> None:
    task = rows(numbers, "length", "colour", "width")
    assert isinstance(task.takes, Features)
    assert task.takes.names == ("length", "colour=green", "colour=red", "width")
    assert task.inputs == ("length", "colour", "width")
    assert task.input == "length"
    features = task.prepare(task.read(numbers.train))["features"]
    assert features.dtype == np.float32
    assert features[:, [0, 3]].mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert features[:, [0, 3]].std(axis=0) == pytest.approx([1, 1], abs=1e-5)
    reds = [value == "red" for value in numbers.train.values("colour")]
    assert features[:, 2].tolist() == reds
    assert (features[:, 1] + features[:, 2] == 1).all()


def test_a_column_that_never_changes_is_said(caplog: pytest.LogCaptureFixture) -> None:
    table = pa.table({"id": ["a", "b"], "x": [3.0, 3.0], "kind": ["u", "v"]})
    flat = data.Dataset("flat", table, {"x": data.ValueColumn(), "kind": data.label_column(["u", "v"])})
    task = tasks.Classify(flat, input="x", target="kind")
    assert "column 'x' is 3 in every training row" in caplog.text
    assert task.prepare([{"x": 4}])["features"].tolist() == [[1.0]]


def test_a_column_that_never_changes_is_not_divided_by_rounding(caplog: pytest.LogCaptureFixture) -> None:
    rows = 30  # of 0.1, whose mean is not quite 0.1
    table = pa.table({"id": list(map(str, range(rows))), "x": [0.1] * rows, "kind": ["u", "v"] * (rows // 2)})
    flat = data.Dataset("flat", table, {"x": data.ValueColumn(), "kind": data.label_column(["u", "v"])})
    task = tasks.Classify(flat, input="x", target="kind")
    assert "column 'x' is 0.1 in every training row" in caplog.text
    assert task.prepare([{"x": 1.1}])["features"].tolist() == [[1.0]]


@pytest.mark.parametrize(("row", "message"), [
    ({"length": 1}, "a row has no 'colour'; it has length"), ({}, "a row has no 'length'; it has nothing"),
    ({"length": "1", "colour": "red"}, "column 'length' takes numbers; it was given '1'"),
    ({"length": True, "colour": "red"}, "takes numbers; it was given True"),
    ({"length": None, "colour": "red"}, "takes numbers; it was given None"),
    ({"length": float("nan"), "colour": "red"}, "takes numbers; it was given nan"),
    ({"length": 1, "colour": "blue"}, "does not know 'blue'. It knows: green, red"), (3, "it was given int"),
])
def test_rows_that_do_not_fit_are_refused(numbers: data.Splits, row: Any, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        rows(numbers, "length", "colour").prepare([row])


def test_names_that_the_training_part_lacks_are_refused(numbers: data.Splits) -> None:
    train = numbers.train.where(colour="red")
    with pytest.raises(LinnetError, match="validation: column 'colour' holds green, which the training part lacks"):
        rows(data.Splits(train, numbers.validation, numbers.test), "length", "colour")


def test_lists_and_media_are_no_features(sentences: data.Splits) -> None:
    with pytest.raises(LinnetError, match="unknown kind of feature 'labels'"):
        tasks.Classify(sentences, input=["letters", "topics"], target="intent")


def pictures(*sizes: tuple[int, int]) -> data.Dataset:
    made = [encode(np.full((*size, 1), 9 * number, np.uint8)) for number, size in enumerate(sizes)]
    table = pa.table({"id": [f"p{number}" for number in range(len(sizes))], "kind": ["a", "b"] * (len(sizes) // 2),
                      "image": data.media_cells(made)})
    return data.Dataset("pictures", table, {"image": data.ImageColumn(), "kind": data.label_column(["a", "b"])})


def test_the_most_frequent_size_and_what_is_resized_in_every_part(caplog: pytest.LogCaptureFixture) -> None:
    given = pictures((8, 8), (8, 8), (8, 8), (8, 6), (9, 9), (7, 7))
    parts = data.Splits(given.take(range(4)), given.take([4]), given.take([5]))
    task = tasks.Classify(data.Splits(parts.train, parts.validation, parts.test), input="image", target="kind")
    assert task.image_shape == (8, 8, 1)
    for said in ("train: 1 of 4 images are not 8 x 8", "validation: 1 of 1 images", "test: 1 of 1 images"):
        assert said in caplog.text


@pytest.mark.parametrize(("size", "shape"), [(5, (5, 5, 1)), ((4, 6), (4, 6, 1)), ([4, 6], (4, 6, 1))])
def test_a_size_can_be_given(size: Any, shape: tuple[int, ...]) -> None:
    task = tasks.Classify(pictures((8, 8), (8, 8)), input="image", target="kind", size=size)
    assert isinstance(task.takes, Images)
    assert task.image_shape == shape
    assert task.prepare(task.read(pictures((8, 8), (3, 3))))["image"].shape == (2, *shape)


@pytest.mark.parametrize("size", [0, (1, 2, 3), (8, 0), "8", 2.5, (True, 8)])
def test_a_size_without_sense_is_refused(size: Any) -> None:
    with pytest.raises(LinnetError, match=r"one number, or \(height, width\)"):
        tasks.Classify(pictures((8, 8), (8, 8)), input="image", target="kind", size=size)


def grey_and_colour(*channels: int) -> data.Dataset:
    made = []
    for number, count in enumerate(channels):
        picture = np.stack([np.full((8, 8), 60 * place, np.uint8) for place in range(1, count + 1)], axis=2)
        picture[7, 7] = number
        made.append(encode(picture))
    table = pa.table({"id": [f"p{number}" for number in range(len(made))], "kind": ["a", "b"] * (len(made) // 2),
                      "image": data.media_cells(made)})
    return data.Dataset("pictures", table, {"image": data.ImageColumn(), "kind": data.label_column(["a", "b"])})


def test_colour_wins_where_the_training_images_differ(caplog: pytest.LogCaptureFixture) -> None:
    given = grey_and_colour(1, 1, 1, 3)
    task = tasks.Classify(given, input="image", target="kind")
    assert task.image_shape == (8, 8, 3)
    assert "3 of 4 images are grey: they are converted to colour." in caplog.text
    caplog.clear()
    batch = task.prepare(task.read(given))["image"]
    assert (batch[0, :7] == 60).all()
    assert batch[3, 0, 0].tolist() == [60, 120, 180]
    assert not caplog.records
    with odd.gathered():
        task.prepare(task.read(given))
    assert [record.getMessage() for record in caplog.records] == [
        "3 of 4 images are grey: they are converted to colour"]


def test_colour_becomes_grey_by_its_luminance_where_all_training_images_are_grey(
        caplog: pytest.LogCaptureFixture) -> None:
    given = grey_and_colour(1, 1, 1, 3)
    task = tasks.Classify(data.Splits(given.take([0, 1]), given.take([2]), given.take([3])), input="image",
                          target="kind")
    assert task.image_shape == (8, 8, 1)
    assert "test: 1 of 1 images are colour: they are converted to grey." in caplog.text
    luminance = 0.299 * 60 + 0.587 * 120 + 0.114 * 180
    assert task.prepare(task.read(given.take([3])))["image"][0, 0, 0, 0] == round(luminance)


def test_an_array_that_is_no_image_is_refused() -> None:
    task = tasks.Classify(grey_and_colour(3, 3), input="image", target="kind")
    with pytest.raises(LinnetError, match=r"shape \(8, 8, 4\)"):
        task.prepare([np.zeros((8, 8, 4), np.uint8)])


def test_the_answer_does_not_go_in(numbers: data.Splits) -> None:
    with pytest.raises(LinnetError, match="'size' is what is asked for; it cannot go in as well"):
        rows(numbers, "length", "size")
    with pytest.raises(LinnetError, match="'weight' is what is asked for"):
        tasks.Regress(numbers, input=["weight"], target="weight", tolerance=1)


def test_groups_are_a_list(sentences: data.Splits) -> None:
    with pytest.raises(LinnetError, match=r"groups is a list of columns, such as \['asker'\]"):
        tasks.Classify(sentences, input="text", target="intent", groups="asker")


@pytest.mark.parametrize("seconds", [0, -1, "1", float("nan"), float("inf"), True])
def test_seconds_are_a_number(seconds: Any, tones: data.Splits, tunes: data.Splits) -> None:
    with pytest.raises(LinnetError, match="the length of the window, a number above 0; got"):
        tasks.Classify(tones, input="audio", target="pitch", seconds=seconds)
    with pytest.raises(LinnetError, match="the longest recording that is taken, a number above 0; got"):
        tasks.Transcribe(tunes, input="audio", target="notes", seconds=seconds)
    with pytest.raises(LinnetError, match="a whole number, at least 1 Hz"):
        tasks.Classify(tones, input="audio", target="pitch", sample_rate_hz=8000.5)  # type: ignore[arg-type]


def test_broken_recordings_of_all_parts_are_named_at_once() -> None:
    one, two, three, four = (encode(data.Audio(np.full(800, level, np.float32), 8000)) for level in (.1, .2, .3, .4))

    def part(name: str, *files: bytes) -> data.Dataset:
        table = pa.table({"id": [f"{name}{number}" for number in range(len(files))],
                          "audio": data.media_cells(files), "kind": ["a", "b"]})
        return data.Dataset("sounds", table, {"audio": data.AudioColumn(), "kind": data.label_column(["a", "b"])})

    splits = data.Splits(part("train", one, b"words"), part("validation", two, three), part("test", b"", four))
    for options in ({}, {"sample_rate_hz": 8000, "seconds": 0.1}):
        with pytest.raises(DamagedFileError, match=r"(?s)2 of 6 samples of 'sounds'.*'train1'.*'test0'"):
            tasks.Classify(splits, input="audio", target="kind", **options)
