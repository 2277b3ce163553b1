"""The Free Spoken Digit Dataset in its two layouts."""

import io
import logging
from collections import Counter

import numpy as np
import pytest
import soundfile

from linnet import data
from linnet.data.sources import fsdd
from linnet.errors import LinnetError

NAMES = [f"{digit}_{speaker}_{index}" for digit in (1, 9) for speaker in ("ann", "bob", "eve") for index in (0, 7)]


def corpus(root, layout, kind):
    folder = root / layout
    folder.mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        buffer = io.BytesIO()
        samples = np.random.default_rng(seed).integers(-9999, 9999, 300).astype(np.int16)
        soundfile.write(buffer, samples, 8000, format=kind, subtype="PCM_16")
        (folder / f"{name}.{kind.lower()}").write_bytes(buffer.getvalue())
    (folder / "README.wav").write_text("not a clip")
    return root


def test_both_layouts_are_the_same_data(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("LINNET_DATA", str(tmp_path))
    corpus(tmp_path / "fsdd", "audio", "FLAC")
    with caplog.at_level(logging.WARNING, "linnet"):
        ours = data.load("fsdd")
    assert "12 of the 3000 recordings" in caplog.text
    theirs = data.load("fsdd", folder=str(corpus(tmp_path / "original", "recordings", "WAV")))
    assert ours.fingerprint == theirs.fingerprint
    assert {name: column.kind for name, column in ours.columns.items()} == {
        "audio": "audio", "digit": "label", "speaker": "group", "index": "value", "split": "group"}
    assert ours.where(split="test").values("index") == [0] * 6
    assert set(ours.where(id="9_bob_7").values("digit")) == {"9"}


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(LinnetError, match=r"does not hold fsdd .Free Spoken Digit Dataset.*expected audio/"):
        data.load("fsdd", folder=str(tmp_path))
    assert not fsdd.SOURCE.recognises(tmp_path)


def test_the_real_corpus_is_the_known_one(real_data):
    digits = data.load("fsdd")
    assert digits.root == real_data / "fsdd"
    assert digits.fingerprint == fsdd.PLACE.card.fingerprint
    assert Counter(digits.values("speaker")) == dict.fromkeys(
        ("george", "jackson", "lucas", "nicolas", "theo", "yweweler"), 500)
    assert (len(digits.where(split="train")), len(digits.where(split="test"))) == (2700, 300)
    splits = digits.split(by="speaker", seed=0)
    assert [len(set(part.values("speaker"))) for _, part in splits] == [4, 1, 1]
