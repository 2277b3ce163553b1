"""Folders, manifests and named corpora."""

import json
import logging
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from linnet import data
from linnet.errors import LinnetError


def wave(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.5, 0.5, 100), 8000)
    return path


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3)).save(path)


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(["yes/a.wav", "yes/deep/b.wav", "no/a.flac"]):
        wave(tmp_path / "words" / name, seed)
    return tmp_path / "words"


def test_a_folder_is_labels_and_files(folder, caplog):
    (folder / "no" / ".hidden.wav").write_bytes(b"")
    (folder / "no" / "notes.m4a").write_bytes(b"")
    with caplog.at_level(logging.WARNING, "linnet"):
        words = data.load(folder)
    assert words.ids == ["no/a", "yes/a", "yes/deep/b"]
    assert words.values("label") == ["no", "yes", "yes"]
    assert words.column("audio").kind == "audio"
    assert len(words.decode("audio")) == 3
    assert "1 files" in caplog.text
    assert ".m4a (1)" in caplog.text
    assert data.load(folder, prefix="test/").ids[0] == "test/no/a"


def test_a_label_folder_without_a_sample_is_said(folder, caplog):
    (folder / "maybe").mkdir()
    with caplog.at_level(logging.WARNING, "linnet"):
        data.load(folder)
    assert "1 hold no sample, so there is no such label: maybe" in caplog.text


def test_a_folder_of_images(tmp_path):
    for name in ("cat/1.png", "dog/1.jpg"):
        image(tmp_path / name)
    pictures = data.load(tmp_path)
    assert pictures.media("image", 0).shape == (3, 4, 3)


def test_folders_that_make_no_dataset_say_why(folder, tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(LinnetError, match=r"no recordings or images found.*<label>"):
        data.load(tmp_path / "nothing")
    wave(folder / "yes" / "a.ogg")
    with pytest.raises(LinnetError, match=r"differ only in their suffix.: yes/a"):
        data.load(folder)
    (folder / "yes" / "a.ogg").unlink()
    wave(folder / "loose.wav")
    with pytest.raises(LinnetError, match=r"1 files lie beside the label folders \(loose.wav\)"):
        data.load(folder)
    image(folder / "yes" / "picture.png")
    with pytest.raises(LinnetError, match=r"recordings .*4 in all.* and images .*1 in all"):
        data.load(folder)


def parted(root):
    for seed, name in enumerate(["train/yes/a.wav", "train/no/a.wav", "Val/yes/b.wav", "test/no/b.wav"]):
        wave(root / name, seed)
    return root


def test_parts_above_the_labels_are_seen_and_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "linnet"):
        words = data.load(parted(tmp_path / "words"))
    assert "the folders Val, test, train were taken for parts (column 'split')" in caplog.text
    assert (words.column("label").labels, words.ids[0]) == (("no", "yes"), "Val/yes/b")
    assert [part.values("label") for _, part in words.split(parts="split")] == [["no", "yes"], ["yes"], ["no"]]
    as_labels = data.load(tmp_path / "words", parts="no")
    assert (set(as_labels.values("label")), "split" in as_labels.columns) == ({"Val", "test", "train"}, False)


def test_parts_may_be_asked_for(tmp_path):
    wave(tmp_path / "x" / "train" / "yes" / "a.wav")
    assert data.load(tmp_path / "x").values("label") == ["train"]
    assert data.load(tmp_path / "x", parts="yes").values("label") == ["yes"]
    wave(tmp_path / "x" / "other" / "yes" / "a.wav")
    assert set(data.load(tmp_path / "x").values("label")) == {"train", "other"}
    with pytest.raises(LinnetError, match="expects folders called train, validation and test; found also other"):
        data.load(tmp_path / "x", parts="yes")
    with pytest.raises(LinnetError, match="'parts' is one of auto, yes, no; got 'maybe'"):
        data.load(tmp_path / "x", parts="maybe")


@pytest.mark.parametrize("around", ["", "words/", "a/../words/"])
def test_a_zip_archive_is_read_as_the_folder_that_it_holds(folder, tmp_path, around, caplog):
    archive = tmp_path / "words.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in sorted(folder.rglob("*.*")):
            file.write(name, around.replace("a/../", "./") + name.relative_to(folder).as_posix())
        file.writestr("__MACOSX/._a.wav", "")
        file.writestr(around.replace("a/../", "./") + "yes/notes.txt", "")
    with caplog.at_level(logging.WARNING, "linnet"):
        packed = data.load(archive, prefix="x/")
    assert packed.fingerprint == data.load(folder, prefix="x/").fingerprint
    assert "1 files" in caplog.text
    assert data.restore(packed.origin).ids == packed.ids


def test_a_manifest_may_name_files_in_archives(folder, tmp_path):
    with zipfile.ZipFile(folder / "clips.zip", "w") as file:
        file.write(folder / "yes" / "a.wav", "deep/a.wav")
    file = manifest(folder / "m.csv", [{"file": "clips.zip!/deep/a.wav", "word": "yes"},
                                       {"file": "no/a.flac", "word": "no"}])
    assert data.load(file).fingerprint != ""
    assert len(data.load(file).decode("audio")) == 2
    gone = manifest(folder / "gone.csv", [{"file": f"clips.zip!/deep/{name}.wav", "word": name} for name in "abc"])
    with pytest.raises(LinnetError, match=r"2 of 3 files are not there .*clips.zip!/deep/b.wav, clips.zip!/deep/c.wav"):
        data.load(gone)


def test_files_that_are_missing_are_named_ten_of_them(folder):
    rows = [{"file": f"gone/{number}.wav", "word": "a"} for number in range(400)]
    bad = [{"file": name, "word": "b"} for name in ("yes/a.txt", *(f"../{number}.wav" for number in range(73)))]
    with pytest.raises(LinnetError) as caught:
        data.load(manifest(folder / "m.jsonl", [*rows, *bad]))
    message = str(caught.value)
    assert "73 paths leave the folder" in message
    assert "../9.wav, and 63 more. Give the folder where they start as root=... (in the shell --option" in message
    assert "1 paths are neither recordings nor images by their name: yes/a.txt" in message
    assert "gone/9.wav, and 391 more" in message


def test_tables_without_media(tmp_path):
    texts = data.load(manifest(tmp_path / "t.jsonl", [{"text": f"sentence number {row}", "intent": "ab"[row % 2],
                                                      "split": "train"} for row in range(30)]))
    assert {name: column.kind for name, column in texts.columns.items()} == {
        "text": "text", "intent": "label", "split": "group"}
    assert (texts.ids[:2], texts.name) == (["row1", "row2"], "t")
    numbers = data.load(manifest(tmp_path / "n.csv", [{"id": "x1", "width": 1.5, "kind": "a"},
                                                      {"id": "x2", "width": 2, "kind": "b"}]), prefix="n/")
    assert (numbers.ids, numbers.values("width")) == (["n/x1", "n/x2"], [1.5, 2])
    with pytest.raises(LinnetError, match="1 ids occur more than once: x"):
        data.load(manifest(tmp_path / "d.jsonl", [{"id": "x", "a": 1}, {"id": "x", "a": 2}]))


def test_a_column_that_holds_nothing_but_files_is_that_of_the_paths(folder):
    assert data.load(manifest(folder / "m.csv", [{"sound": "yes/a.wav"}, {"sound": "no/a.flac"}])).ids == [
        "yes/a", "no/a"]
    kinds = {"sound": "group"}
    assert data.load(folder / "m.csv", columns=kinds).column("sound").kind == "group"


def test_a_folder_with_a_manifest_follows_it(folder):
    rows = [{"file_name": "yes/a.wav", "word": "yes"}, {"file_name": "no/a.flac", "word": "no"}]
    manifest(folder / "metadata.csv", rows)
    assert (data.load(folder).name, data.load(folder).values("word")) == ("words", ["yes", "no"])
    manifest(folder / "metadata.csv", [{"utterance": "x"}])
    assert data.load(folder).values("label") == ["no", "yes", "yes"]


def manifest(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        lines = [separator.join(map(str, row)) for row in [rows[0], *(row.values() for row in rows)]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return path


ROWS = [{"path": "yes/a.wav", "word": "yes", "speaker": 1, "age": 30, "snr": 1.5, "label": 3},
        {"path": "no/a.flac", "word": "no", "speaker": 2, "age": 41, "snr": 20, "label": 10}]


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl"])
def test_a_manifest_in_each_format_is_the_same_data(folder, name):
    listed = data.load(manifest(folder / name, ROWS))
    assert {column: kind.kind for column, kind in listed.columns.items()} == {
        "audio": "audio", "word": "label", "speaker": "group", "age": "value", "snr": "value", "label": "label"}
    assert listed.ids == ["yes/a", "no/a"]
    assert (listed.values("speaker"), listed.values("age"), listed.values("snr")) == (["1", "2"], [30, 41], [1.5, 20])
    assert listed.column("label").labels == ("3", "10")
    assert listed.fingerprint == data.load(manifest(folder / "m.jsonl", ROWS)).fingerprint


def test_columns_may_be_said_otherwise(folder):
    file = manifest(folder / "m.csv", ROWS)
    listed = data.load(file, columns={"age": "group", "snr": "skip", "word": "group"})
    assert {column: kind.kind for column, kind in listed.columns.items()} == {
        "audio": "audio", "word": "group", "speaker": "group", "age": "group", "label": "label"}
    for given, words in (({"agee": "group"}, "did you mean 'age'"), ({"age": "grup"}, "did you mean 'group'"),
                         ({"word": "value"}, "are no numbers")):
        with pytest.raises(LinnetError, match=words):
            data.load(file, columns=given)


def test_absolute_paths_and_another_root(folder, tmp_path):
    absolute = manifest(tmp_path / "abs.csv", [{**row, "path": folder / row["path"]} for row in ROWS])
    assert data.load(absolute).ids == ["yes/a", "no/a"]
    relative = manifest(tmp_path / "rel.csv", ROWS)
    assert data.load(relative, root="words").fingerprint == data.load(absolute).fingerprint
    with pytest.raises(LinnetError, match=r"2 of 2 files are not there .*yes/a.wav, no/a.flac"):
        data.load(relative)


def row(**changes):
    return [{"audio": "yes/a.wav", "word": "yes"}, {"audio": "no/a.flac", "word": "no", **changes}]


@pytest.mark.parametrize(("rows", "words"), [
    (row(audio="../words/no/a.flac"), "1 paths leave the folder"),
    (row(audio="no/a.txt"), "neither recordings nor images"),
    (row(word=""), r"'word' is empty in 1 rows \(rows \[2\]\)"), (row(word=["no"]), "holds lists"),
    (row(audio="yes/a.wav"), "differ only in their suffix"), (row(extra=1), r"rows \[2\] have other columns"),
    ([], "no rows"),
    ([{"audio": "yes/a.wav", "file": "yes/a.wav"}], r"found audio, file.*\(in the shell --columns file=skip\)")])
def test_manifests_that_make_no_dataset_say_why(folder, rows, words):
    with pytest.raises(LinnetError, match=words):
        data.load(manifest(folder / "bad.jsonl", rows))


@pytest.mark.parametrize(("name", "text", "words"), [
    ("a.csv", "audio,word\nyes/a.wav\n", r"1 rows \(1\) do not have the 2 cells"), ("a.csv", "", "no rows"),
    ("a.csv", "audio,audio\nx.wav,x.wav\n", "a column twice"), ("a.jsonl", "{oops\n", "line 1: not JSON"),
    ("a.jsonl", "[1]\n", "expected an object"), ("a.csv", b"audio\n\xff\xfe.wav\n", "UTF-8")])
def test_text_that_is_no_manifest_is_refused(folder, name, text, words):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LinnetError, match=words):
        data.load(folder / name)


@pytest.mark.parametrize(("source", "words"), [
    ("fsd", "no folder or file 'fsd' here, and unknown corpus 'fsd'; did you mean 'fsdd'"),
    ("no/such/folder", "is not there"), ("missing.csv", "is not there")])
def test_a_source_that_is_not_known(source, words):
    with pytest.raises(LinnetError, match=words):
        data.load(source)


def test_an_unknown_option_is_refused(folder):
    with pytest.raises(LinnetError, match="unknown option 'prefx'; did you mean 'prefix'"):
        data.load(folder, prefx="x")
    other = folder / "words.txt"
    other.write_text("x")
    with pytest.raises(LinnetError, match=r"is no data that can be read. Give a folder.*\.jsonl"):
        data.load(other)


def test_handwritten_digits():
    digits = data.load("handwritten")
    assert (len(digits), digits.ids[0], digits.column("digit").labels) == (1797, "digit_0000", tuple("0123456789"))
    from sklearn.datasets import load_digits

    assert digits.media("image", 3).shape == (8, 8, 1)
    np.testing.assert_array_equal(digits.media("image", 3)[..., 0], np.round(load_digits().images[3] * 255 / 16))


def test_every_source_is_described():
    table = data.sources_table()
    assert [row["name"] for row in table] == list(data.SOURCES)
    assert all(row["licence"] and row["summary"] and row["rows"] for row in table)


@pytest.mark.parametrize("options", [{"columns": ["a"]}, {"columns": "a"}, {"root": 3}, {"prefix": 3},
                                     {"prefix": ["x"]}])
def test_an_option_of_the_wrong_kind_is_refused(tone_manifest: Path, options: dict[str, object]) -> None:
    with pytest.raises(LinnetError, match=f"option '{next(iter(options))}' takes"):
        data.load(tone_manifest, **options)
