"""Dataset and Splits over small recordings that the test writes itself."""

import io
import logging

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from linnet import data
from linnet.data import Audio, AudioColumn, Dataset, GroupColumn, LabelColumn, Splits, ValueColumn, media_cells
from linnet.errors import DamagedFileError, LinnetError

SPEAKERS = ("ann", "bob", "cleo", "dan", "eve")


def clip(seed, *, kind="WAV"):
    buffer = io.BytesIO()
    samples = np.random.default_rng(seed).integers(-9999, 9999, 200).astype(np.int16)
    soundfile.write(buffer, samples, 8000, format=kind, subtype="PCM_16")
    return buffer.getvalue()


def dataset(rows=20, *, order=None, kind="WAV", files=None, name="clips"):
    order = list(range(rows)) if order is None else order
    table = pa.table({
        "id": [f"c{index:02d}" for index in order],
        "audio": media_cells([(files or {}).get(index, clip(index, kind=kind)) for index in order]),
        "word": [("yes", "no")[index % 2] for index in order],
        "speaker": [SPEAKERS[index % 5] for index in order],
        "age": [20 + index for index in order]})
    columns = {"audio": AudioColumn(), "word": LabelColumn(("no", "yes")), "speaker": GroupColumn(),
               "age": ValueColumn()}
    return Dataset(name, table, columns, origin={"source": "made up", "options": {}, "steps": []})


def test_columns_values_and_media():
    clips = dataset()
    assert (len(clips), clips.ids[:2], clips.column("word").kind) == (20, ["c00", "c01"], "label")
    assert clips.values("age") == list(range(20, 40))
    assert isinstance(clips.media("audio", 3), Audio)
    with pytest.raises(LinnetError, match="unknown column 'wrod'; did you mean 'word'"):
        clips.column("wrod")
    with pytest.raises(LinnetError, match=r"decode it with dataset\.media"):
        clips.values("audio")
    with pytest.raises(LinnetError, match=r"read it with dataset\.values"):
        clips.media("word", 0)


def test_where_takes_values_lists_and_predicates():
    clips = dataset()
    assert clips.where(speaker="bob").ids == ["c01", "c06", "c11", "c16"]
    assert len(clips.where(speaker=["ann", "bob"], word="yes")) == 4
    assert clips.where(age=25).ids == clips.where(age={25}).ids == ["c05"]
    assert clips.where(id=["c03", "c04"]).ids == ["c03", "c04"]
    assert clips.where(lambda row: row["age"] > 37 and row["speaker"] == "dan").ids == ["c18"]
    assert clips.where(speaker="bob").column("word") == clips.column("word")


def test_where_finds_a_label_that_was_given_as_a_number():
    table = pa.table({"id": ["a", "b"], "digit": ["3", "4"]})
    assert Dataset("d", table, {"digit": LabelColumn(("3", "4"))}).where(digit=3).ids == ["a"]


def test_where_that_leaves_nothing_says_what_there_is():
    with pytest.raises(LinnetError, match=r"speaker = zoe.*speaker has ann, bob, cleo, dan, eve"):
        dataset().where(speaker="zoe")
    with pytest.raises(LinnetError, match="what the predicate asks for"):
        dataset().where(lambda row: False)
    with pytest.raises(LinnetError, match="unknown column"):
        dataset().where(speker="ann")


def test_take_keeps_the_order_given_and_refuses_what_is_outside():
    assert dataset().take([5, 2]).ids == ["c05", "c02"]
    with pytest.raises(LinnetError, match=r"\[20, -1\] are outside"):
        dataset().take([20, -1])
    with pytest.raises(LinnetError, match="give positions"):
        dataset().take(np.arange(20) > 3)
    with pytest.raises(LinnetError, match="more than once: c01"):
        dataset().take([1, 1])


def test_map_makes_labels_values_and_media():
    clips = dataset()
    aged = clips.map("age", lambda age: "old" if age > 30 else "young", name="is")
    assert aged.column("is").labels == ("old", "young")
    loud = clips.map("audio", lambda audio: float(np.abs(audio.samples).max()), name="peak")
    assert loud.column("peak").kind == "value"
    whole = clips.fingerprint
    quiet = clips.map("audio", lambda audio: Audio(audio.samples / 2, audio.sample_rate_hz), name="audio")
    np.testing.assert_allclose(quiet.media("audio", 4).samples, clips.media("audio", 4).samples / 2, atol=1e-7)
    assert quiet.fingerprint != whole
    image = clips.map("age", lambda age: np.full((2, 3, 1), age, np.uint8), name="image")
    np.testing.assert_array_equal(image.media("image", 1), np.full((2, 3, 1), 21))
    with pytest.raises(LinnetError, match="got NoneType"):
        clips.map("age", lambda age: None, name="nothing")


def test_the_fingerprint_depends_on_content_and_on_nothing_else():
    clips = dataset()
    shuffled = dataset(order=list(reversed(range(20))), name="another name")
    renamed = Dataset("x", clips.table.select(["age", "speaker", "word", "audio", "id"]), clips.columns)
    assert {clips.fingerprint} == {shuffled.fingerprint, dataset(kind="FLAC").fingerprint, renamed.fingerprint}
    changed = [dataset(19), dataset(files={3: clip(99)}), clips.map("age", lambda age: age + 1, name="age"),
               clips.map("word", lambda word: word.upper(), name="word"), clips.where(speaker="ann")]
    assert len({clips.fingerprint, *(other.fingerprint for other in changed)}) == 6


def test_every_bad_recording_is_named_at_once(tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    files = dict.fromkeys(range(4, 16), b"no sound") | {2: "empty.wav", 3: "gone.wav"}
    clips = dataset(files=files)
    clips = Dataset(clips.name, clips.table, clips.columns, root=tmp_path)
    with pytest.raises(DamagedFileError) as caught:
        clips.decode("audio")
    message = str(caught.value)
    assert "14 of 20 samples" in message
    assert f"'c02' ({tmp_path}/empty.wav) is empty (0 bytes)" in message
    assert f"'c03' ({tmp_path}/gone.wav) cannot be opened" in message
    assert message.count("\n  'c") == 10
    assert "and 4 more" in message
    with pytest.raises(DamagedFileError, match=r"sample 'c02'.*empty"):
        clips.media("audio", 2)


def test_silent_recordings_are_kept_and_said(caplog):
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(100), 8000, format="WAV")
    with caplog.at_level(logging.WARNING, "linnet"):
        assert len(dataset(files={7: silence.getvalue()}).decode("audio")) == 20
    assert "1 of 20 recordings of 'clips' are silent" in caplog.text
    assert "c07" in caplog.text


def test_dropped_transparency_is_said(caplog):
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGBA", (3, 3), (1, 2, 3, 4)).save(buffer, format="PNG")
    table = pa.table({"id": ["a"], "image": media_cells([buffer.getvalue()])})
    images = Dataset("i", table, {"image": data.ImageColumn()})
    with caplog.at_level(logging.WARNING, "linnet"):
        images.decode("image")
    assert "1 of 1 images of 'i' have transparency" in caplog.text


@pytest.mark.parametrize(("columns", "schema", "words"), [
    ({"id": ["a", "a"]}, {}, "more than once: a"), ({"id": ["a", ""]}, {}, "no id"), ({"id": ["a", None]}, {}, "no id"),
    ({"word": ["x", "y"]}, {}, "no column id"), ({"id": ["a", "b"]}, {"word": LabelColumn(())}, "no column word"),
    ({"id": ["a", "b"], "word": ["x", None]}, {"word": LabelColumn(("x",))}, "empty .* in 1 rows: b"),
    ({"id": ["a", "b"], "v": [1.0, float("nan")]}, {"v": ValueColumn()}, "in 1 rows: b"),
    ({"id": ["a", "b"], "word": ["x", "y"]}, {"word": LabelColumn(("x",))}, "does not know: y")])
def test_a_table_that_makes_no_dataset_is_refused(columns, schema, words):
    with pytest.raises(LinnetError, match=words):
        Dataset("bad", pa.table(columns), schema)


def test_split_by_group_crosses_no_group_and_ignores_the_order():
    splits = dataset().split(by="speaker")
    groups = {part: set(clips.values("speaker")) for part, clips in splits}
    assert sorted(name for names in groups.values() for name in names) == sorted(SPEAKERS)
    assert [clips.part for _, clips in splits] == ["train", "validation", "test"]
    again = dataset(order=list(reversed(range(20)))).split(by="speaker")
    assert {part: set(clips.ids) for part, clips in splits} == {part: set(clips.ids) for part, clips in again}


def test_split_by_row_and_by_name():
    assert [len(part) for _, part in dataset().split(validation=0.1, test=5)] == [13, 2, 5]
    named = dataset().split(by="speaker", test=["dan"], validation=["ann", "eve"])
    assert set(named.test.values("speaker")) == {"dan"}
    assert set(named.train.values("speaker")) == {"bob", "cleo"}


def test_splits_by_hand_refuse_what_leaks():
    clips = dataset()
    parts = {"train": clips.take(range(10)), "validation": clips.take(range(10, 15)), "test": clips.take(range(15, 20))}
    assert Splits(**parts).test.part == "test"
    with pytest.raises(LinnetError, match=r"same id is in two of them, 2 times: c08 \(train\) = c08 \(test\)"):
        Splits(**{**parts, "test": clips.take([8, 9, 15])})
    with pytest.raises(LinnetError, match=r"same speaker is in two of them.*dataset\.split\(by='speaker'\)"):
        Splits(**parts, by="speaker")
    with pytest.raises(LinnetError, match="validation part is empty"):
        Splits(**{**parts, "validation": clips.take([])})


def test_the_same_recording_under_two_names_leaks_in_whatever_format():
    clips = dataset(files={16: clip(2, kind="FLAC")})
    parts = {"train": clips.take(range(10)), "validation": clips.take(range(10, 15))}
    with pytest.raises(LinnetError, match=r"same recording or image .*: c02 \(train\) = c16 \(test\).*distinct"):
        Splits(**parts, test=clips.take(range(15, 20)))


def test_distinct_keeps_the_first_of_each_recording_and_says_so(caplog):
    clips = dataset(files={16: clip(2, kind="FLAC"), 17: clip(2)})
    with caplog.at_level(logging.WARNING, "linnet"):
        assert set(clips.ids) - set(clips.distinct().ids) == {"c16", "c17"}
    assert "2 of 20 samples of 'clips' repeat another one" in caplog.text
    clips.distinct().split()
