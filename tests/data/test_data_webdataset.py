"""WebDataset shards: files that share a name are a sample; what does not fit together is listed."""

import io
import json
import logging
import tarfile

import numpy as np
import pytest
import soundfile
from PIL import Image

from linnet import data
from linnet.errors import LinnetError


def sound(seed):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).uniform(-0.5, 0.5, 80), 8000, format="FLAC")
    return buffer.getvalue()


def picture(red):
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), (red, 0, 0)).save(buffer, format="PNG")
    return buffer.getvalue()


def shard(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in files:
            info, packed = tarfile.TarInfo(name), content if isinstance(content, bytes) else content.encode()
            info.size = len(packed)
            tar.addfile(info, io.BytesIO(packed))
    return path


def samples(rows, folder="a"):
    return [file for row in rows for file in (
        (f"{folder}/{row:03d}.flac", sound(row)), (f"{folder}/{row:03d}.cls", f"{row % 2}\n"),
        (f"{folder}/{row:03d}.TXT", f"the words of {row}"),
        (f"{folder}/{row:03d}.json", json.dumps({"speaker": f"s{row % 3}", "age": row, "phones": ["a", "b", "a"]})))]


def test_files_that_share_a_name_are_a_sample(tmp_path):
    found = data.load(shard(tmp_path / "x.tar", samples(range(4))))
    assert {name: column.kind for name, column in found.columns.items()} == {
        "audio": "audio", "label": "label", "text": "text", "speaker": "group", "age": "value", "phones": "sequence"}
    assert found.ids == ["a/000", "a/001", "a/002", "a/003"]
    assert (found.values("label"), found.values("text")[2]) == (["0", "1", "0", "1"], "the words of 2")
    assert found.file("audio", 3) == sound(3)
    assert len(found.decode("audio")) == 4
    assert data.restore(found.origin).fingerprint == found.fingerprint


def test_shards_are_parts(tmp_path):
    for name, rows in (("train-000", range(3)), ("train-001", range(3)), ("val-000", range(3, 5)), ("test", [9])):
        shard(tmp_path / "shards" / f"{name}.tar", [file for file in samples(rows) if "cls" not in file[0]][: 4 * 9])
    found = data.load(tmp_path / "shards", columns={"age": "skip"}, prefix="x/")
    assert sorted(set(found.values("split"))) == ["test", "train", "validation"]
    assert found.ids[1:5] == ["x/train-000/a/000", "x/train-000/a/001", "x/train-000/a/002", "x/train-001/a/000"]
    assert "age" not in found.columns
    assert found.file("audio", 0) == sound(9)


def test_several_pictures_of_a_sample(tmp_path):
    found = data.load(shard(tmp_path / "x.tar", [(f"{row}.{ending}", picture(red)) for row in range(2)
                                                 for ending, red in (("left.png", 10), ("right.png", 20))]))
    assert {name: column.kind for name, column in found.columns.items()} == {
        "left.png": "image", "right.png": "image"}
    assert found.media("right.png", 1)[0, 0].tolist() == [20, 0, 0]


def test_what_is_not_read_is_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "linnet"):
        data.load(shard(tmp_path / "x.tar", [*samples(range(1)), ("a/000.pyd", b"code"), ("a/.hidden.txt", "x")]))
    assert "files that end in .pyd are neither media, texts nor JSON" in caplog.text


@pytest.mark.parametrize(("files", "columns", "words"), [
    (samples(range(3))[:-2], {}, r"\.txt in 2 of 3 samples; not in x.tar!/a/002; \.json in 2 of 3"),
    ([*samples(range(2)), ("a/000.wav", sound(0))], {}, "1 names belong to two samples .*: a/000"),
    ([("a.flac", sound(0)), ("a.flac", sound(1))], {}, "1 names occur twice in it: a.flac"),
    ([("a.json", "{")], {}, "x.tar!/a.json is not JSON"), ([("a.json", "[1]")], {}, "expected an object"),
    ([("a.json", '{"b": 1}'), ("c.json", '{"d": 1}')], {}, r"of 1 samples has other keys than the first one \(b\): c"),
    ([("a.txt", b"\xff\xfe\xff")], {}, "x.tar!/a.txt is no UTF-8"), ([("readme", "x")], {}, "holds no samples"),
    ([("a.flac", sound(0)), ("a.json", '{"audio": 1}')], {}, "audio would be the name of a column of media"),
    ([("a.cls", "Yes"), ("b.cls", "yes")], {}, "differ only in upper and lower case")])
def test_shards_that_make_no_dataset_say_why(tmp_path, files, columns, words):
    with pytest.raises(LinnetError, match=words):
        data.load(shard(tmp_path / "x.tar", files), columns=columns)


def test_an_ending_may_be_left_out(tmp_path):
    path = shard(tmp_path / "x.tar", samples(range(3))[:-2])
    found = data.load(path, columns={"txt": "skip", "json": "skip"})
    assert list(found.columns) == ["audio", "label"]
    named = data.load(shard(tmp_path / "y.tar", [("a.flac", sound(0)), ("a.json", '{"id": 7, "who": "x"}')]))
    assert named.ids == ["7"]
