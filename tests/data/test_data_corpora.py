"""The named corpora: their cards, the real data where it lies here, and small copies of their authors' own layouts."""

from __future__ import annotations

import gzip
import inspect
import io
import json
import logging
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet import data
from linnet.data import LabelColumn
from linnet.data.sources import clinc150, digit_streams, fashion_mnist, snips, speech_commands, speechocean762
from linnet.data.sources.lines import write_lines
from linnet.errors import DamagedFileError, LinnetError

HERE = ("speechocean762", "cifar10", "clinc150", "snips", "mot15")
MADE = ("digit_streams", "speech_activity")
"""Made of other corpora each time they are loaded: half a minute."""


@pytest.mark.slow
def test_speech_in_noise_keeps_speakers_and_noises_apart(real_data):
    parts = data.load("speech_activity").split(parts="split")
    speakers, kinds = ([set(part.values(column)) for _, part in parts] for column in ("speaker", "noise"))
    assert not (speakers[0] | speakers[1]) & speakers[2] - {"nobody"}
    assert kinds[0] == kinds[1]
    assert kinds[2] == {"babble", "hum", "impulses", "music"}
    assert all(row for snr, row in zip(parts.test.values("snr"), parts.test.values("speech"), strict=True)
               if snr != "no speech")


@pytest.mark.slow
def test_no_unseen_speaker_and_no_digit_is_where_it_must_not_be(real_data):
    parts = data.load("digit_streams").split(parts="split")
    said = parts.test.where(kind="digits")
    assert set(said.values("speaker")) == {"lucas", "theo"}
    assert sum(map(len, said.values("keywords"))) == 1000
    empty = parts.test.where(kind=["speech", "noise", "silence"])
    assert not any(empty.values("keywords"))
    assert sum(data.describe_audio(empty, "audio").seconds) > 3 * 3600
    learned = parts.train.where(kind="digits")
    read = learned.where(lambda row: "stream" not in row["id"])  # sentences of speechocean762's training speakers
    assert sum(map(len, read.values("keywords"))) == 298
    spoken = data.load("speechocean762", validation=True).where(split="train")
    text_of = dict(zip(spoken.ids, spoken.values("text"), strict=True))
    for name, spans in zip(read.ids, read.values("keywords"), strict=True):
        said = [word for word in text_of[name.removeprefix("train/")].lower().split() if word in digit_streams.WORDS]
        assert [span["label"] for span in spans] == said


@pytest.mark.parametrize("name", data.SOURCES)
def test_every_card_is_whole(name):
    source = data.SOURCES[name]
    card = source.card
    assert card.name == name
    assert all((card.summary, card.licence, card.citation, card.rows > 0, card.size_bytes > 0))
    assert card.homepage.startswith("https://")
    options = {key for key, given in inspect.signature(source.load).parameters.items()
               if given.kind is inspect.Parameter.KEYWORD_ONLY} - {"folder"}
    assert set(card.options) == options
    for file in card.files:
        assert file.address.startswith("https://")
        assert file.sha256 or card.fingerprint
        assert file.sha256 is None or len(file.sha256) == 64
    assert sum(file.size_bytes or card.size_bytes for file in card.files) in (0, card.size_bytes)


@pytest.mark.parametrize("name", [*HERE, *(pytest.param(name, marks=pytest.mark.slow) for name in MADE)])
def test_the_real_corpus_is_what_its_card_says(name, real_data):
    corpus, card = data.load(name), data.SOURCES[name].card
    assert (len(corpus), corpus.root) == (card.rows, data.SOURCES[name].find())
    assert {column: kind.kind for column, kind in corpus.columns.items()} == {
        column: said.split()[0] for column, said in card.columns.items()}
    if card.fingerprint:
        assert corpus.fingerprint == card.fingerprint
    assert data.restore(corpus.origin).ids == corpus.ids


def test_clinc150(real_data):
    whole, closed = data.load("clinc150"), data.load("clinc150", oos=False)
    assert Counter(whole.values("split")) == {"train": 15100, "validation": 3100, "test": 5500}
    assert Counter(closed.values("split")) == {"train": 15000, "validation": 3000, "test": 4500}
    assert (len(whole.column("intent").labels), len(closed.column("intent").labels)) == (151, 150)
    assert "oos" not in closed.column("intent").labels
    assert len(set(whole.values("domain"))) == 11
    assert Counter(data.load("clinc150", variant="small").values("split"))["train"] == 7600
    assert len(closed.take(range(3)).column("intent").labels) == 150
    with pytest.raises(LinnetError, match="unknown variant 'smal'; did you mean 'small'"):
        data.load("clinc150", variant="smal")
    with pytest.raises(LinnetError, match="option 'oos' takes true or false; got 'no'"):
        data.load("clinc150", oos="no")


def test_snips(real_data):
    whole = data.load("snips")
    assert Counter(whole.values("split")) == {"train": 13084, "validation": 700, "test": 700}
    held = whole.where(split="validation")
    assert Counter(held.values("intent")) == dict.fromkeys(snips.INTENTS, 100)
    assert Counter(data.load("snips", validation=False).values("split")) == {"train": 13784, "test": 700}
    assert Counter(data.load("snips", variant="small").values("split"))["validation"] == 210
    text, slots = whole.values("text")[0], whole.values("slots")[0]
    assert [(slot["label"], text[slot["start"]:slot["end"]]) for slot in slots] == [
        ("music_item", "song"), ("playlist", "Cita Romántica")]
    assert len(whole.column("slots").labels) == len(held.column("slots").labels) == 39


def test_cifar10(real_data):
    images = data.load("cifar10")
    assert Counter(images.values("split")) == {"train": 20000, "test": 5000}
    assert images.media("image", 0).shape == (32, 32, 3)
    assert images.column("label").labels[0] == "airplane"
    assert all(label == name.split("/")[1] for name, label in zip(images.ids, images.values("label"), strict=True))
    assert Counter(data.load("cifar10", validation=True).values("split"))["validation"] == 2000


def test_speechocean762(real_data, caplog):
    whole = data.load("speechocean762")
    assert " ".join(whole.values("phones")[0]) == "W IY0 K AO0 L IH0 T B EH0 R"
    assert len(whole.column("phones").labels) == 67
    assert whole.media("audio", 2500).sample_rate_hz == 16000
    children = [age for age, group in zip(whole.values("age"), whole.values("age_group"), strict=True)
                if group == "child"]
    assert max(children) == 15
    assert len(children) == 2440
    sure = data.load("speechocean762", approximate=False, validation=True)
    assert len(sure) == 4390
    held = set(sure.where(split="validation").values("speaker"))
    assert held
    assert not held & set(sure.where(split="train").values("speaker"))
    marked = data.load("speechocean762", stress=False, marks=True)
    assert marked.values("phone_marks")[0] == ["2.0", "2.0", "2.0", "1.8", "1.8", "2.0", "2.0", "2.0", "1.0", "1.0"]
    assert marked.values("word_marks")[0] == ["10", "10", "10", "6"]
    assert marked.values("word_lengths")[0] == ["2", "3", "2", "3"]
    assert sum(row.count(speechocean762.NO_MARK) for row in marked.values("phone_marks")) == 37
    assert all(len(row) == sum(map(int, words)) == len(phones) for row, words, phones in zip(
        *map(marked.values, ("phone_marks", "word_lengths", "phones")), strict=True))
    caplog.clear()
    exact = data.load("speechocean762", variant="flac")
    assert not caplog.records
    assert (len(exact), len(set(exact.values("speaker"))), exact.column("phones")) == (
        625, 125, whole.column("phones"))
    assert exact.media("audio", 0).seconds > 0.5


def test_a_partial_copy_of_speechocean762_says_what_is_left_out(tmp_path, caplog):
    row = {"split": "test", "speaker": "7", "gender": "f", "age": 9, "text": "HI",
           "words": [{"phones": ["HH", "AY1"]}], "approximate": False, **dict.fromkeys(speechocean762.SCORES, 9)}
    write_lines(tmp_path / "scores_train.jsonl", [])
    write_lines(tmp_path / "scores_test.jsonl", [{**row, "utterance": f"u{number}"} for number in range(3)])
    (tmp_path / "lexicon.txt").write_text("HI\tHH AY1\n")
    for split in ("train", "test"):
        (tmp_path / f"opus_{split}.zip").touch()
    with pytest.raises(LinnetError, match="none of the 625 recordings"):
        data.load("speechocean762", folder=str(tmp_path), variant="flac")
    (tmp_path / "flac").mkdir()
    for number in (0, 2):
        soundfile.write(tmp_path / "flac" / f"u{number}.flac", np.full(1600, 0.1), 16000)
    assert data.load("speechocean762", folder=str(tmp_path), variant="flac").ids == ["u0", "u2"]
    assert f"{tmp_path / 'flac'} holds 2 of the 625 recordings of speechocean762: 623 are left out" in caplog.text


def test_mot15(real_data):
    found = data.load("mot15")
    assert Counter(found.values("sequence"))["TUD-Campus"] == 321
    assert 0.5 <= min(found.values("confidence")) <= max(found.values("confidence")) <= 1
    truth = data.load("mot15", boxes="truth")
    assert (len(truth), len(set(truth.values("track")))) == (359, 8)
    assert len(data.load("mot15", boxes="example")) > 100


def test_boxes_that_are_no_numbers_are_said(tmp_path):
    (tmp_path / "a" / "det").mkdir(parents=True)
    (tmp_path / "a" / "det" / "det.txt").write_text("1,-1,2,3,4,5,0.9,-1,-1,-1\r\n1,-1,nan,3,4,5,0.9,-1,-1,-1\r\n")
    with pytest.raises(DamagedFileError, match=r"line 2: .*expected 10 numbers"):
        data.load("mot15", folder=str(tmp_path))


@pytest.mark.parametrize("name", [*HERE, "fsdd", "fashion_mnist", "speech_commands"])
def test_a_folder_of_something_else_is_refused(name, tmp_path):
    with pytest.raises(LinnetError, match=f"does not hold {name} .*expected "):
        data.load(name, folder=str(tmp_path))


def test_a_folder_of_its_name_with_something_else_in_it_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("LINNET_DATA", str(tmp_path))
    (tmp_path / "mot15").mkdir()
    with caplog.at_level(logging.WARNING, "linnet"), pytest.raises(LinnetError, match="mot15 is not on this machine"):
        data.load("mot15")
    assert "does not hold mot15: expected <sequence>/det/det.txt; looking elsewhere" in caplog.text


def test_clinc150_from_the_files_of_its_authors(tmp_path):
    files = {"domains.json": {"travel": ["visa", "translate"]}}
    parts = {f"{oos}{part}": [[f"{oos}{part} {number}", "oos" if oos else "visa"] for number in range(2)]
             for part in ("train", "val", "test") for oos in ("", "oos_")}
    files |= {f"data_{variant}.json": parts for variant in clinc150.VARIANTS}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "made").mkdir()
    clinc150._make({name: tmp_path / name for name in files}, tmp_path / "made")
    found = data.load("clinc150", folder=str(tmp_path / "made"), variant="small")
    assert Counter(found.values("split")) == {"train": 4, "validation": 4, "test": 4}
    assert found.where(id="train_small/00002").values("text") == ["oos_train 0"]
    assert found.column("intent").labels == ("translate", "visa", "oos")


def test_snips_from_the_files_of_its_authors(tmp_path):
    pieces = [{"text": " play "}, {"text": " Caf\xe9 ", "entity": "album"}, {"text": " \U0001f355 "}]
    files = {}
    for pattern in snips._ORIGIN.values():
        for intent in snips.INTENTS:
            file = files[pattern.format(intent)] = tmp_path / pattern.format(intent)
            text = json.dumps({intent: [{"data": pieces}]}, ensure_ascii=False)
            file.write_bytes(text.encode().replace("\xe9".encode(), b"\xe9"))
    (tmp_path / "made").mkdir()
    snips._make(files, tmp_path / "made")
    found = data.load("snips", folder=str(tmp_path / "made"), validation=False)
    assert found.values("text")[0] == "play  Caf\xe9  \U0001f355"
    assert found.values("slots")[0] == [{"label": "album", "start": 6, "end": 10}]
    assert Counter(found.values("split")) == {"train": 7, "test": 7}


def idx(kind: int, array: np.ndarray) -> bytes:
    return gzip.compress(np.array([kind, *array.shape], ">u4").tobytes() + array.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture
def clothes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fashion-MNIST with six and four images, in place of 60,000 and 10,000."""
    monkeypatch.setattr(fashion_mnist, "_PARTS", {"train": ("train", 6), "test": ("t10k", 4)})
    rng = np.random.default_rng(0)
    for name, rows in fashion_mnist._PARTS.values():
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(2051, rng.integers(0, 255, (rows, 28, 28))))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(2049, np.arange(rows)))
    return tmp_path


def test_fashion_mnist(clothes):
    found = data.load("fashion_mnist", folder=str(clothes))
    assert (len(found), found.ids[6]) == (10, "test/00000")
    assert found.values("label")[:3] == ["t-shirt", "trouser", "pullover"]
    pixels = gzip.decompress((clothes / "t10k-images-idx3-ubyte.gz").read_bytes())[16:16 + 784]
    np.testing.assert_array_equal(found.media("image", 6)[..., 0], np.frombuffer(pixels, np.uint8).reshape(28, 28))
    assert len(found.column("label").labels) == 10


@pytest.mark.parametrize(("file", "content", "words"), [
    ("train-images-idx3-ubyte.gz", idx(2049, np.zeros(9)), r"begins with \(2049, 9.*expected \(2051, 6, 28, 28\)"),
    ("train-labels-idx1-ubyte.gz", idx(2049, np.zeros(5)), r"\(2049, 5\)"),
    ("train-labels-idx1-ubyte.gz", idx(2050, np.zeros(6)), r"\(2050, 6\)"),
    ("train-labels-idx1-ubyte.gz", idx(2049, np.full(6, 11)), "a label is 11"),
    ("t10k-labels-idx1-ubyte.gz", b"<html>", r"no whole \.gz"),
    ("t10k-labels-idx1-ubyte.gz", idx(2049, np.zeros(5000)), "more than 12 bytes")])
def test_files_that_are_not_fashion_mnist_are_refused(clothes, file, content, words):
    (clothes / file).write_bytes(content)
    with pytest.raises(LinnetError, match=words):
        data.load("fashion_mnist", folder=str(clothes))


def spoken(members: list[str]) -> bytes:
    buffer, sound = io.BytesIO(), io.BytesIO()
    soundfile.write(sound, np.random.default_rng(0).uniform(-0.5, 0.5, 160), 16000, format="WAV")
    listed = {"./validation_list.txt": b"bed/b_nohash_0.wav\n", "./testing_list.txt": b"yes/c_nohash_1.wav\r\n"}
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in [*listed, *members]:
            content = listed.get(name, sound.getvalue())
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_speech_commands(tmp_path, caplog):
    (tmp_path / "a.tar.gz").write_bytes(spoken([
        "./bed/b_nohash_0.wav", "./bed/a_nohash_0.wav", "./yes/c_nohash_1.wav", "./backward/d1_nohash_2.wav",
        "./_background_noise_/running_tap.wav", "./nonsense/b_nohash_0.wav", "./bed/../../evil_nohash_0.wav",
        "./bed/other.wav"]))
    speech_commands.unpack(tmp_path / "a.tar.gz", tmp_path / "corpus", wanted=speech_commands._wanted)
    with caplog.at_level(logging.WARNING, "linnet"):
        found = data.load("speech_commands", folder=str(tmp_path / "corpus"))
    assert "holds 4 of the 105829 recordings" in caplog.text
    assert found.ids == ["backward/d1_nohash_2", "bed/a_nohash_0", "bed/b_nohash_0", "yes/c_nohash_1"]
    assert found.values("split") == ["train", "train", "validation", "test"]
    assert found.values("speaker") == ["d1", "a", "b", "c"]
    assert isinstance(found.column("word"), LabelColumn)
    assert len(found.column("word").labels) == 35
    assert (tmp_path / "corpus" / "_background_noise_" / "running_tap.wav").is_file()
    assert not (tmp_path / "corpus" / "bed" / "other.wav").exists()
    with pytest.raises(LinnetError, match="holds 4 recordings; expected 105,829"):
        speech_commands._make({"a": tmp_path / "a.tar.gz"}, tmp_path / "other")


def test_a_corpus_is_restored_with_its_options_also_from_another_folder(tmp_path, monkeypatch):
    rows = [{"text": f"say {number}", "intent": intent, "domain": "travel"}
            for number, intent in enumerate(["visa", "oos"])]
    (tmp_path / "clinc150").mkdir()
    for name in ("train_full", "train_small", "validation", "test"):
        write_lines(tmp_path / "clinc150" / f"{name}.jsonl", rows)
    (tmp_path / "clinc150" / "domains.json").write_text('{"travel": ["visa"]}')
    monkeypatch.setenv("LINNET_DATA", str(tmp_path))
    small = data.load("clinc150", variant="small", oos=False)
    moved = (tmp_path / "clinc150").rename(tmp_path / "elsewhere")
    assert data.restore(small.origin, moved).fingerprint == small.fingerprint
    moved.rename(tmp_path / "clinc150")
    assert data.restore(small.origin, "clinc150").fingerprint == small.fingerprint
