"""Dataset and Splits over small recordings that the test writes itself."""

import io
import logging
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from linnet import data
from linnet.data import (
    Audio,
    AudioColumn,
    Dataset,
    GroupColumn,
    LabelColumn,
    LabelsColumn,
    SpansColumn,
    Splits,
    TextColumn,
    ValueColumn,
    media_cells,
)
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


def notes(rows=40):
    """Texts of which n37 repeats n05; three labels of which "c" is rare; official parts."""
    table = pa.table({
        "id": [f"n{index:02d}" for index in range(rows)],
        "text": ["note 5" if index == 37 else f"note {index}" for index in range(rows)],
        "mark": ["c" if index % 20 == 7 else "ab"[index % 2] for index in range(rows)],
        "tags": pa.array([["x", "y"] if index % 3 == 0 else ["y"] if index % 3 == 1 else [] for index in range(rows)],
                         pa.list_(pa.string())),
        "part": ["Test" if index >= 30 else "train" for index in range(rows)]})
    columns = {"text": TextColumn(), "mark": LabelColumn(("a", "b", "c")), "tags": LabelsColumn(("x", "y")),
               "part": GroupColumn()}
    return Dataset("notes", table, columns, origin={"source": "made up", "options": {}, "steps": []})


def test_where_on_lists_asks_what_they_hold():
    made = notes()
    assert made.where(tags="x").ids == [f"n{index:02d}" for index in range(0, 40, 3)]
    assert len(made.where(tags=["x", "y"])) == 27
    assert made.where(lambda row: row["tags"] == []).ids[0] == "n02"
    assert made.where(text="note 5", mark="b").ids == ["n05", "n37"]
    found = made.map("text", lambda text: [{"label": "first" if len(text) < 7 else "later", "start": 0, "end": 4}],
                     name="slots", kind="spans")
    assert found.column("slots") == SpansColumn(("first", "later"), "text")
    assert len(found.where(slots="first")) == 11


def test_map_makes_texts_and_lists_when_asked():
    made = notes().map("text", str.upper, name="loud", kind="text").map("text", str.split, name="words",
                                                                        kind="sequence")
    assert (made.column("loud"), made.values("loud")[3]) == (TextColumn(), "NOTE 3")
    assert made.column("words").labels[:2] == ("0", "1")
    assert made.map("tags", lambda tags: tags[:1], name="tags", kind="labels").column("tags").labels == ("x", "y")
    assert made.map("mark", str, name="who", kind="group").column("who").kind == "group"
    with pytest.raises(LinnetError, match=r"no cells of kind label: .*Expected strings"):
        made.map("text", len, name="length", kind="label")
    for kind, words in ((None, "or lists, with kind='labels'"), ("text", "no cells of kind text"),
                        ("txt", "did you mean 'text'"), ("audio", "are no audio")):
        with pytest.raises(LinnetError, match=words):
            made.map("text", str.split, name="words", kind=kind)


def test_the_order_of_label_sets_does_not_matter_to_the_fingerprint():
    made = notes()
    turned = made.map("tags", lambda tags: tags[::-1], name="tags", kind="labels")
    assert turned.values("tags") != made.values("tags")
    assert turned.fingerprint == made.fingerprint
    in_order = made.map("tags", lambda tags: tags, name="tags", kind="sequence")
    turned = in_order.map("tags", lambda tags: tags[::-1], name="tags", kind="sequence")
    assert turned.fingerprint != made.fingerprint


def test_neighbours_are_taken_without_a_copy_and_agree_with_a_list():
    clips = dataset()
    some, same = clips.take(range(5, 9)), clips.take([5, 6, 7, 8])
    assert (some.ids, some.fingerprint, some.origin) == (same.ids, same.fingerprint, same.origin)
    assert some.table.column("audio").chunk(0).field("bytes").buffers()[2].address == \
        clips.table.column("audio").chunk(0).field("bytes").buffers()[2].address
    np.testing.assert_array_equal(some.media("audio", 2).samples, clips.media("audio", 7).samples)
    assert clips.take(range(19, 0, -6)).ids == ["c19", "c13", "c07", "c01"]
    assert len(clips.take(range(3, 3))) == 0


def test_media_in_many_chunks():
    clips = dataset()
    table = pa.concat_tables([clips.table.slice(0, 3), clips.table.slice(3, 0), clips.table.slice(3)])
    chunked = Dataset("clips", table, clips.columns)
    for index in (0, 2, 3, 19):
        np.testing.assert_array_equal(chunked.media("audio", index).samples, clips.media("audio", index).samples)


def test_what_replaces_a_checked_table_is_checked():
    clips = dataset()
    with pytest.raises(LinnetError, match="does not know: maybe"):
        replace(clips, table=clips.table.set_column(2, "word", pa.array(["maybe"] * 20)))
    with pytest.raises(LinnetError, match="does not know: yes"):
        replace(clips.take(range(3)), columns={**clips.columns, "word": LabelColumn(("no",))})


def test_media_are_read_out_of_archives(tmp_path):
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as file:
        for index in range(3):
            file.writestr(f"deep/{index}.wav", clip(index))
    with tarfile.open(tmp_path / "clips.tar", "w") as file:
        info = tarfile.TarInfo("3.wav")
        info.size = len(clip(3))
        file.addfile(info, io.BytesIO(clip(3)))
    paths = ["clips.zip!/deep/0.wav", "clips.zip!/deep/1.wav", "clips.zip!/deep/2.wav", "clips.tar!/3.wav"]
    packed = dataset(files=dict(enumerate(paths)))
    packed = Dataset(packed.name, packed.table, packed.columns, root=tmp_path)
    assert packed.fingerprint == dataset().fingerprint
    assert packed.file("audio", 3) == clip(3)
    gone = dataset(files={4: "clips.zip!/4.wav"})
    with pytest.raises(DamagedFileError, match=r"'c04' \(.*clips.zip!/4.wav\) is not in the archive clips.zip"):
        Dataset(gone.name, gone.table, gone.columns, root=tmp_path).decode("audio")


def test_distinct_by_text(caplog):
    with caplog.at_level(logging.WARNING, "linnet"):
        assert set(notes().ids) - set(notes().distinct().ids) == {"n37"}
    assert notes().distinct("text").ids == notes().distinct().ids
    assert notes().distinct("text").origin["steps"] == [{"distinct": "text"}]
    assert len(dataset().distinct("audio")) == 20
    with pytest.raises(LinnetError, match="distinct: goes by recordings, images or texts; 'mark' holds label"):
        notes().distinct("mark")
    bare = Dataset("bare", pa.table({"id": ["a"]}), {})
    with pytest.raises(LinnetError, match="neither recordings, images nor texts"):
        bare.distinct()


def test_a_text_in_two_parts_is_said_and_kept(caplog):
    with caplog.at_level(logging.WARNING, "linnet"):
        splits = notes().split(parts="part")
    assert sum(len(part) for _, part in splits) == 40
    both = [part for part, data in splits if "n05" in data.ids or "n37" in data.ids]
    said = f"1 different texts of 'text' are in {both[0]} and in {both[1]}, such as 'note 5' (n05 and n37)"
    assert said in caplog.text


def test_official_parts_are_kept_and_what_is_missing_comes_out_of_train():
    splits = notes().split(parts="part", validation=6)
    assert splits.test.ids == [f"n{index}" for index in range(30, 40)]
    assert (len(splits.validation), len(splits.train)) == (6, 24)
    named = notes().map("text", lambda text: {"note 1": "dev", "note 2": "test"}.get(text, "Train"),
                        name="part", kind="group")
    assert [part.ids for _, part in named.split(parts="part")][1:] == [["n01"], ["n02"]]
    no_test = notes().map("text", lambda text: "dev" if text == "note 1" else "train", name="part", kind="group")
    assert [len(part) for _, part in no_test.split(parts="part", test=7)] == [32, 1, 7]
    for answers, words in ((lambda text: "tset", "it also says tset"), (lambda text: "test", "calls no row train")):
        with pytest.raises(LinnetError, match=words):
            notes().map("text", answers, name="part", kind="group").split(parts="part")


def test_official_parts_with_whole_groups():
    clips = dataset().map("speaker", lambda name: "test" if name == "eve" else "train", name="part", kind="group")
    splits = clips.split(parts="part", by="speaker", validation=["bob"])
    assert [set(part.values("speaker")) for _, part in splits] == [{"ann", "cleo", "dan"}, {"bob"}, {"eve"}]


def test_stratified_parts_keep_the_shares():
    made = notes()
    splits = made.split(stratify="mark", validation=0.25, test=0.25)
    for _, part in splits:
        share = len(part) / 40
        for mark in "ab":
            assert abs(part.values("mark").count(mark) - share * 19) <= 1
    turned = made.take(list(range(39, -1, -1))).split(stratify="mark", validation=0.25, test=0.25)
    assert [set(part.ids) for _, part in turned] == [set(part.ids) for _, part in splits]
    both = made.split(parts="part", stratify="mark", validation=10)
    assert abs(both.validation.values("mark").count("a") - 5) <= 1
    with pytest.raises(LinnetError, match="give by or stratify"):
        made.split(by="part", stratify="mark")
    with pytest.raises(LinnetError, match="'tags' holds labels"):
        made.split(stratify="tags")
