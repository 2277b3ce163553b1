"""Parquet tables of Hugging Face and of no schema; shards, parts, and files that do not fit."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from linnet import data
from linnet.data import ImageColumn, LabelColumn, SequenceColumn
from linnet.data.sources.parquet import expect_columns, part_of
from linnet.errors import DamagedFileError, LinnetError

FEATURES = {"picture": {"_type": "Image"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
            "tags": {"feature": {"names": ["O", "B"], "_type": "ClassLabel"}, "_type": "List"},
            "said": {"dtype": "string", "_type": "Value"}, "age": {"dtype": "int64", "_type": "Value"}}


def png(red):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (red, 0, 0)).save(buffer, format="PNG")
    return buffer.getvalue()


def cells(rows, **changes):
    return {"picture": [{"bytes": png(row), "path": f"p{row}.png"} for row in rows], "label": [row % 2 for row in rows],
            "tags": [[0, 1, 0], []] * (len(rows) // 2), "said": [f"this is sentence {row}" for row in rows],
            "age": list(rows)} | changes


def written(path, columns, *, features=FEATURES):
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path


def test_features_of_hugging_face_are_followed(tmp_path):
    found = data.load(written(tmp_path / "x.parquet", cells(range(4))))
    assert found.columns == {"picture": ImageColumn(), "label": LabelColumn(("no", "yes")),
                             "tags": SequenceColumn(("O", "B")), "said": data.TextColumn(), "age": data.ValueColumn()}
    assert found.ids == ["p0", "p1", "p2", "p3"]
    assert (found.values("label"), found.values("tags")[0]) == (["no", "yes", "no", "yes"], ["O", "B", "O"])
    assert found.media("picture", 3)[0, 0].tolist() == [3, 0, 0]
    alike = [{"bytes": png(row), "path": "image.png"} for row in range(4)]
    assert data.load(written(tmp_path / "x.parquet", cells(range(4), picture=alike))).ids[3] == "row4"


@pytest.mark.parametrize("feature", [
    [{"names": ["O", "B"], "_type": "ClassLabel"}], {"feature": FEATURES["label"], "_type": "Sequence"}])
def test_older_ways_to_write_a_list_are_known(tmp_path, feature):
    found = data.load(written(tmp_path / "x.parquet", cells(range(4)), features=FEATURES | {"tags": feature}))
    assert found.column("tags").kind == "sequence"


def test_columns_may_be_said_otherwise(tmp_path):
    path = written(tmp_path / "x.parquet", cells(range(4)))
    found = data.load(path, columns={"said": "label", "age": "skip", "label": "group"}, prefix="x/")
    assert {name: column.kind for name, column in found.columns.items()} == {
        "picture": "image", "tags": "sequence", "label": "group", "said": "label"}
    assert (found.values("label")[1], found.ids[0]) == ("yes", "x/p0")
    with pytest.raises(LinnetError, match="unknown column 'sad'; did you mean 'said'"):
        data.load(path, columns={"sad": "label"})


def test_shards_are_one_table_and_their_names_say_the_parts(tmp_path):
    for name, rows in (("train-00000-of-00002", range(4)), ("train-00001-of-00002", range(4, 6)),
                       ("test-00000-of-00001", range(6, 8)), ("dev", range(8, 10))):
        written(tmp_path / "data" / f"{name}.parquet", cells(rows, picture=[png(row) for row in rows]))
    found = data.load(tmp_path)
    assert [len(part) for _, part in found.split(parts="split")] == [6, 2, 2]
    assert sorted(found.ids)[-2:] == ["validation/row1", "validation/row2"]
    assert found.where(split="train").ids[-1] == "train/row6"
    assert found.media("picture", found.ids.index("train/row6"))[0, 0].tolist() == [5, 0, 0]
    written(tmp_path / "data" / "more.parquet", cells(range(2), picture=[png(0), png(1)]))
    with pytest.raises(LinnetError, match="of 5 files, 1 do not say by their names"):
        data.load(tmp_path)


def test_parts_in_names():
    from pathlib import Path

    assert [part_of(Path(name)) for name in ("data/train-0.parquet", "Validation/0000.parquet", "my_test.v2.parquet",
                                             "training_set.parquet", "trains.parquet", "x.parquet")] == [
        "train", "validation", "test", "train", None, None]


def test_media_that_lie_beside_the_table(tmp_path):
    (tmp_path / "a.png").write_bytes(png(7))
    found = data.load(written(tmp_path / "x.parquet", {"image": [{"bytes": None, "path": "a.png"}]}, features=None))
    assert found.media("image", 0)[0, 0].tolist() == [7, 0, 0]


@pytest.mark.parametrize(("change", "words"), [
    ({"label": [0, 1, 2, 3]}, r"'label' holds numbers of labels that are not there: 2, 3; there are 2 labels"),
    ({"label": [0, 1, -1, 0]}, r"column 'label' is empty .* in 1 rows: p2"),
    ({"label": ["a", "b", "c", "d"]}, "is said to hold numbers of labels; its cells are string"),
    ({"said": ["a", None, "c", "d"]}, r"column 'said' is empty in 1 rows \(rows \[2\]\)"),
    ({"said": [{"x": 1}] * 4}, "column 'said' holds dicts"),
    ({"picture": [{"bytes": None, "path": None}] * 4}, "neither a path nor bytes in 4 rows: row1, row2")])
def test_cells_that_do_not_fit_their_feature_are_refused(tmp_path, change, words):
    with pytest.raises(LinnetError, match=words):
        data.load(written(tmp_path / "x.parquet", cells(range(4), **change)))


def test_bytes_that_are_no_media_are_refused(tmp_path):
    with pytest.raises(LinnetError, match=r"'blob' holds bytes, but neither .*a cell begins like a NumPy array.*skip"):
        data.load(written(tmp_path / "x.parquet", {"blob": [b"\x93NUMPY..."]}, features=None))
    path = written(tmp_path / "y.parquet", {"blob": [b"\x93NUMPY..."], "age": [3]}, features=None)
    assert list(data.load(path, columns={"blob": "skip"}).columns) == ["age"]


def test_other_schemas_are_shown_beside_what_was_expected(tmp_path):
    written(tmp_path / "a.parquet", {"text": ["x"], "age": [1]}, features=None)
    written(tmp_path / "b.parquet", {"text": ["x"], "age": ["1"]}, features=None)
    with pytest.raises(LinnetError, match=r"b.parquet: beside a.parquet(.|\n)*text: expected string, found string\n"
                                          r"  age: expected int64, found string  <"):
        data.load(tmp_path)
    written(tmp_path / "b.parquet", {"text": ["x"], "age": [1], "more": [1]}, features=None)
    with pytest.raises(LinnetError, match=r"b.parquet has columns that a.parquet has not: more"):
        data.load(tmp_path)
    with pytest.raises(LinnetError, match=r"label: expected string, found nothing  <(.|\n)*besides: age"):
        expect_columns(pa.schema([("age", pa.int64())]), {"label": "string"}, "x")


@pytest.mark.parametrize(("content", "words"), [
    (b"<html>Not found", "is no Parquet file: it begins like a web page"), (b"", "it is empty"),
    (b"PAR1 and no more", "cannot be read as Parquet"), (b"a,b\n1,2\n", r"begins like text \('a,b"),
    (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"), (b"\x01\x02\x03", "of no known format")])
def test_what_is_no_parquet_file_is_named(tmp_path, content, words):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(DamagedFileError, match=words):
        data.load(tmp_path / "x.parquet")


def test_text_that_is_no_utf8_is_refused(tmp_path):
    column = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    pq.write_table(pa.table({"text": column}), tmp_path / "x.parquet")
    with pytest.raises(DamagedFileError, match=r"cannot be read as Parquet .*UTF8"):
        data.load(tmp_path / "x.parquet")


def test_cifar10_is_read_as_it_lies(real_data):
    found = data.load(real_data / "cifar10" / "test.parquet", columns={"label_name": "label", "file": "skip"})
    assert (len(found), found.column("label_name").labels[0]) == (5000, "airplane")
    assert found.media("image", 0).shape == (32, 32, 3)
