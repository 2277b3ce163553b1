"""What is written comes back the same: a law over every kind of column; and Hugging Face's features beside it."""

import io
import json
import shutil
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from linnet import data
from linnet.data import AudioColumn, Dataset, GroupColumn, ImageColumn, LabelColumn, TextColumn, media_cells
from linnet.data.cells import cells_of, made_column
from linnet.errors import DamagedFileError, LinnetError

WORD = st.text("abcß漢🎵 -_/.", min_size=1, max_size=6).filter(lambda word: word == word.strip())
LABEL = st.sampled_from(["yes", "no", "käse 3", "0", "10", "9"])


def sound(seed=0, kind="WAV"):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).uniform(-0.5, 0.5, 50), 8000, format=kind)
    return buffer.getvalue()


def picture(red=0):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (red, 0, 0)).save(buffer, format="PNG")
    return buffer.getvalue()


MEDIA = {"audio": (AudioColumn(), [sound(seed) for seed in range(3)]),
         "image": (ImageColumn(), [picture(red) for red in range(3)])}
PLAIN = {"text": WORD.filter(str.strip), "label": LABEL, "group": WORD, "labels": st.lists(LABEL, unique=True),
         "sequence": st.lists(LABEL), "value": st.floats(allow_nan=False, allow_infinity=False),
         "whole": st.integers(-2**63, 2**63 - 1)}


@st.composite
def datasets(draw):
    """A dataset with some columns of any kind, labels that do not occur among them, in one or several chunks."""
    rows = draw(st.integers(1, 5))
    cells = {"id": draw(st.lists(WORD, min_size=rows, max_size=rows, unique=True))}
    columns = {}
    for kind in draw(st.sets(st.sampled_from([*PLAIN, *MEDIA, "spans"]))):
        if kind in MEDIA:
            columns[kind], files = MEDIA[kind]
            cells[kind] = media_cells([draw(st.sampled_from(files)) for _ in range(rows)])
            continue
        if kind == "spans":
            cells["said"] = ["some words"] * rows
            values = [[{"label": draw(LABEL), "start": start, "end": start + 2} for start in draw(
                st.lists(st.sampled_from([0, 2, 5, 8]), unique=True))] for _ in range(rows)]
            columns |= {"said": TextColumn(), "spans": made_column("spans", values, of="said")}
        else:
            values = [draw(PLAIN[kind]) for _ in range(rows)]
            columns[kind] = made_column("value" if kind == "whole" else kind, values)
        cells[kind] = cells_of(values, columns[kind].kind)
    if "label" in columns:
        columns["label"] = LabelColumn((*columns["label"].labels, "never"), ordered=draw(st.booleans()))
    table, cut = pa.table(cells), draw(st.integers(0, rows - 1))
    return Dataset("made", pa.concat_tables([table.slice(0, cut), table.slice(cut)]), columns,
                   part=draw(st.sampled_from([None, "test"])))


@settings(max_examples=40, deadline=None)
@given(datasets())
def test_parquet_gives_the_very_same_dataset(tmp_path_factory, made):
    path = data.write_parquet(made, tmp_path_factory.mktemp("x") / "made.parquet")
    again = data.load(path)
    assert (again.fingerprint, again.columns, again.name, again.part) == (
        made.fingerprint, made.columns, made.name, made.part)
    assert again.ids == made.ids
    for name, column in made.columns.items():
        if column.kind not in ("audio", "image"):
            assert again.values(name) == made.values(name)
    assert data.restore(again.origin).fingerprint == made.fingerprint
    twice = data.write_parquet(again, path.with_name("twice.parquet"))
    assert twice.read_bytes() == path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(datasets(), st.booleans())
def test_a_folder_gives_the_same_dataset(tmp_path_factory, made, by_label):
    media = [name for name in made.columns if name in MEDIA]
    if len(media) != 1:
        return
    folder = tmp_path_factory.mktemp("x") / "made"
    label = "label" if by_label and "label" in made.columns else None
    data.write_folder(made, folder, label=label)
    said = {name: list(column.labels) if getattr(column, "ordered", False) else
            f"spans of {column.of}" if column.kind == "spans" else column.kind
            for name, column in made.columns.items() if name not in media}
    again = data.load(folder, **({"columns": said} if (folder / "metadata.jsonl").exists() else {}))
    assert again.fingerprint == made.fingerprint
    assert {name: column.kind for name, column in again.columns.items()} == {
        name: column.kind for name, column in made.columns.items()}


FILES = [sound(0), sound(1, "FLAC"), sound(2, "OGG")]


def clips(names=("yes/a", "yes/b", "no/a"), **more):
    cells = {"id": list(names), "audio": media_cells(FILES[:len(names)]),
             "label": [name.split("/")[0] for name in names]} | more
    columns = {"audio": AudioColumn(), "label": data.label_column(cells["label"])}
    return Dataset("clips", pa.table(cells), columns | {name: GroupColumn() for name in more})


def test_a_folder_that_says_everything_has_no_manifest(tmp_path):
    folder = data.write_folder(clips(), tmp_path / "clips", label="label")
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*.*")) == [
        "no/a.ogg", "yes/a.wav", "yes/b.flac"]
    assert data.load(folder).fingerprint == clips().fingerprint
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as file:
        for name in folder.rglob("*.*"):
            file.write(name, name.relative_to(tmp_path))
    assert data.load(tmp_path / "clips.zip").fingerprint == clips().fingerprint


def test_names_that_no_file_can_have(tmp_path):
    made = clips(["../../etc/x", "yes", ".hidden"])
    folder = data.write_folder(made, tmp_path / "deep" / "clips")
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*.*") if file.is_file()) == [
        "%2E%2E/%2E%2E/etc/x.wav", "%2Ehidden.ogg", "metadata.jsonl", "yes.flac"]
    assert data.load(folder).ids == made.ids
    with pytest.raises(LinnetError, match=r"1 values of 'who' are no names of folders: '\.\./up'"):
        data.write_folder(clips(who=["../up", "b", "c"]), tmp_path / "other", label="who")
    assert not (tmp_path / "other").exists()


def test_what_is_in_the_way_or_makes_no_folder_is_refused(tmp_path):
    data.write_folder(clips(), tmp_path / "clips")
    for made, folder, label, words in (
            (clips(), "clips", None, "is not empty"), (clips(who=["a", "b", "c"]), "x", "audio", "holds audio"),
            (Dataset("t", pa.table({"id": ["a"]}), {}), "x", None, "has 0 columns of recordings"),
            (clips(), "x", "labl", "did you mean 'label'")):
        with pytest.raises(LinnetError, match=words):
            data.write_folder(made, tmp_path / folder, label=label)
    with pytest.raises(LinnetError, match=r"ends in \.parquet"):
        data.write_parquet(clips(), tmp_path / "clips.pq")


def test_a_file_that_is_gone_leaves_nothing_behind(tmp_path):
    made = Dataset("gone", pa.table({"id": ["a", "b"], "audio": media_cells([sound(), "gone.wav"])}),
                   {"audio": AudioColumn()}, root=tmp_path)
    for write, name in ((data.write_parquet, "x.parquet"), (data.write_folder, "x")):
        with pytest.raises(DamagedFileError, match=r"'audio' of sample 'b' cannot be opened .*Repair"):
            write(made, tmp_path / name)
        assert not (tmp_path / name).exists()


def test_a_file_says_its_features_in_the_words_of_hugging_face(tmp_path):
    made = clips(who=["a", "b", "c"])
    schema = pq.read_schema(data.write_parquet(made, tmp_path / "x.parquet"))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {"id": {"dtype": "string", "_type": "Value"}, "audio": {"_type": "Audio"},
                        "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
                        "who": {"dtype": "string", "_type": "Value"}}
    assert str(schema.field("audio").type) == "struct<bytes: binary, path: string>"
    assert str(schema.field("label").type) == "int64"


def test_paths_of_this_machine_are_not_written(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound())
    made = Dataset("abs", pa.table({"id": ["a"], "audio": media_cells([tmp_path / "a.wav"])}), {"audio": AudioColumn()})
    path = data.write_parquet(made, tmp_path / "x.parquet")
    shutil.rmtree(tmp_path / "a.wav", ignore_errors=True)
    assert pq.read_table(path).column("audio").to_pylist()[0]["path"] == "a.wav"
    assert str(tmp_path).encode() not in path.read_bytes()


@pytest.mark.parametrize(("entry", "words"), [
    ({"format": 99}, "written in format 99"), ({"format": 1, "name": "x"}, "description of the columns cannot be read"),
    ({"format": 1, "name": "x", "part": None, "columns": {"label": {"kind": "labl"}}}, "no columns of a dataset"),
    ({"format": 1, "name": "x", "part": None, "columns": {"label": {"kind": "text"}, "age": {"kind": "value"}}},
     r"another schema(.|\n)*label: expected string, found int64  <\n  age: expected a number, found nothing  <")])
def test_a_description_that_does_not_fit_is_refused(tmp_path, entry, words):
    path = data.write_parquet(clips(), tmp_path / "x.parquet")
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"linnet": json.dumps(entry)}), path)
    with pytest.raises(LinnetError, match=words):
        data.load(path)


def test_parts_written_apart_are_one_dataset(tmp_path):
    made = clips([f"yes/{index}" for index in range(2)] + ["no/0"])
    for index, part in enumerate(("train", "validation", "test")):
        data.write_parquet(made.take([index]), tmp_path / f"{part}.parquet")
    splits = data.load(tmp_path).split(parts="split")
    assert {part: rows.ids for part, rows in splits} == {
        "train": ["yes/0"], "validation": ["yes/1"], "test": ["no/0"]}


def test_many_rows_are_written_in_groups(tmp_path):
    made = Dataset("many", pa.table({"id": [str(row) for row in range(2500)],
                                     "image": media_cells([picture(row % 7) for row in range(2500)])}),
                   {"image": ImageColumn()})
    path = data.write_parquet(made, tmp_path / "x.parquet")
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [1000, 1000, 500]
    assert data.load(path).fingerprint == made.fingerprint
