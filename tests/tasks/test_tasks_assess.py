"""Assess: hearing, marks, the operating point, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tone_ears import EARS, RATE

from linnet import data, export, nn, runtime, tasks, train
from linnet.cli import app
from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.language.lexicon import Lexicon
from linnet.speech.pronunciation import PHONE, UTTERANCE
from linnet.tasks.inputs.spoken import said_as


@pytest.fixture(scope="module")
def task(recitals: data.Splits) -> tasks.Assess:
    return tasks.Assess(recitals, acoustic=EARS, groups=["voice"])


@pytest.fixture(scope="module")
def scorer(recitals: data.Splits, task: tasks.Assess) -> nn.Model:
    return train.fit(nn.zoo.phonescorer(task, width=16), task, recitals, epochs=12,
                     options=train.Options(learning_rate=0.005, batch=16))


def test_a_scorer_finds_the_tones_that_were_not_played(recitals: data.Splits, task: tasks.Assess,
                                                       scorer: nn.Model) -> None:
    chosen = tasks.operate(task, scorer, recitals.validation)
    scores = tasks.evaluate(scorer, chosen, recitals.test)
    found = chosen.metrics(scores.answers, scores.targets)
    assert found["phones_pearson"] > 0.8
    assert found["total_pearson"] > 0.8
    assert found["bad_phones_f1"] > 0.8


def test_a_wrong_text_scores_lower(recitals: data.Splits, task: tasks.Assess, scorer: nn.Model) -> None:
    part = recitals.test
    right = [one for one, total in zip(task.read(part), part.values("total"), strict=True) if total == 10]
    sounds = [sound for sound, total in zip(part.decode("audio"), part.values("total"), strict=True) if total == 10]
    swap = {"high": "low", "low": "middle", "middle": "high"}
    wrong = [{"audio": sound, "words": [[swap[phone] for phone in word] for word in heard.words]}
             for sound, heard in zip(sounds, right, strict=True)]
    totals = [[json.loads(answer)["total"] for answer in task.decode(scorer(task.prepare(samples)), samples)]
              for samples in (right, wrong)]
    assert len(right) > 3
    assert all(good > bad for good, bad in zip(*totals, strict=True))


def test_the_file_finds_its_acoustic_model_beside_it(recitals: data.Splits, tunes: data.Splits, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    hearing = tasks.Transcribe(tunes, input="audio", target="notes")
    ears = export.write(nn.zoo.crnn(hearing, width=16), hearing, tmp_path / "ears.onnx")
    made = tasks.Assess(recitals, acoustic=runtime.load(ears))
    path = export.write(nn.zoo.phonescorer(made, width=8), made, tmp_path / "scorer.onnx", samples=recitals.validation)
    (sample,) = recitals.test.take([0]).decode("audio")
    asked = {"audio": sample, "words": [["low"], "high middle"]}
    shipped = runtime.load(path)
    said = json.loads(tasks.answer(shipped, shipped.task, asked).label)
    assert [len(said[level]) for level in ("words", "phones")] == [2, 3]
    soundfile.write(tmp_path / "clip.wav", sample.samples, sample.sample_rate_hz)
    line = json.dumps({"audio": str(tmp_path / "clip.wav"), "words": ["low", "high middle"]})
    assert app.answer(["try", str(path), line]) == 0
    assert f"{said['total']:.1f} of 10; words" in capsys.readouterr().out
    assert app.answer(["try", str(path), '{"audio": "clip.wav"}', "clip.wav"]) == 3
    assert "a recording and a text were expected" in capsys.readouterr().err
    (tmp_path / "elsewhere").mkdir()
    alone = runtime.load(path.rename(tmp_path / "elsewhere" / "scorer.onnx"))
    with pytest.raises(LinnetError, match="not found beside"):
        tasks.answer(alone, alone.task, asked)
    export.write(nn.zoo.crnn(hearing, width=16, seed=1), hearing, tmp_path / "elsewhere" / "ears.onnx")
    with pytest.raises(LinnetError, match="means something else"):
        runtime.load(tmp_path / "elsewhere" / "scorer.onnx")


def test_a_larger_acoustic_model_plugs_in_as_a_predictor(recitals: data.Splits) -> None:
    """One with more frames a second and a phone more, as a user's may have."""
    def predictor(arrays: tasks.Arrays) -> tasks.Arrays:
        assert EARS.predictor is not None
        frames = np.repeat(EARS.predictor(arrays)["logits"], 2, axis=1)
        return {"logits": np.concatenate([frames, np.full_like(frames[:, :, :1], -20)], axis=2)}

    larger = tasks.Acoustic((*EARS.labels, "rest"), RATE, "larger", predictor=predictor)
    made = tasks.Assess(recitals, acoustic=larger)
    plain = tasks.Assess(recitals, acoustic=EARS)
    rows = [row for row, total in enumerate(recitals.test.values("total")) if total == 10][:4]
    part = recitals.test.take(rows)
    for one, other in zip(made.read(part), plain.read(part), strict=True):
        assert one.phones.shape[1] == other.phones.shape[1] + 1
        assert one.times == pytest.approx(other.times, abs=0.05)
        assert (one.phones[:, 0] > -0.5).all()


def test_features_have_names(task: tasks.Assess) -> None:
    assert task.takes.width == len(PHONE) + 1 + 3
    assert len(UTTERANCE) <= task.takes.width
    assert len(task.takes.centre) == len(task.takes.scale) == task.takes.width + len(UTTERANCE)


@pytest.mark.parametrize(("name", "sound"), [
    ("silence", np.zeros(8000, np.float32)), ("clipped", np.full(8000, 1.0, np.float32)),
    ("noise", np.random.default_rng(0).normal(0, 0.3, 8000).astype(np.float32)),
    ("200 ms", np.zeros(1600, np.float32))])
def test_sounds_without_the_text_get_no_mark(task: tasks.Assess, scorer: nn.Model, name: str,
                                             sound: np.ndarray) -> None:
    sample: dict[str, Any] = {"audio": Audio(sound, RATE), "words": [["low", "high", "low"], ["middle"] * 9]}
    heard = task.takes.hear(sample)
    assert (heard.phones[:, 0] < -3).mean() > 0.5
    (answer,) = task.decode(scorer(task.prepare([heard])), [heard])
    assert len(json.loads(answer)["phones"]) == 12
    if name != "noise":  # these ears hear tones in it
        assert json.loads(answer)["total"] == 0
        assert set(json.loads(answer)["phones"]) == {0}


def test_a_text_is_spelt_by_a_lexicon_and_what_it_lacks_is_guessed_and_said(caplog: pytest.LogCaptureFixture) -> None:
    lexicon = Lexicon({"bear": (("B", "EH", "R"),), "it's": (("IH", "T", "S"),)})
    assert said_as("It's, bear!", lexicon) == (("IH", "T", "S"), ("B", "EH", "R"))
    pytest.importorskip("phonemizer")
    assert said_as("bear fish", lexicon)[1] == ("F", "IH", "SH")
    assert "not in the lexicon" in caplog.text
    with pytest.raises(LinnetError, match="cannot be guessed"):
        said_as("медведь", lexicon)
    with pytest.raises(LinnetError, match="nothing to judge"):
        said_as(" ... ", lexicon)


@pytest.mark.parametrize(("sample", "words"), [
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": []}, "nothing to judge"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": [[]]}, "nothing to judge"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": [["schlecht"]]}, "does not know the phones 'schlecht'"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": [["low"] * 1000]}, "has 1000 phones"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": "low high"}, "words are a list.*got .low high.$"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": [1, 2]}, "words are a list"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": None}, "words are a list.*got None"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "words": [[1]]}, "words are a list"),
    ({"audio": Audio(np.zeros(800, np.float32), RATE), "text": 5}, "a text is.*got 5"),
    ({"audio": Audio(np.zeros(0, np.float32), RATE), "words": [["low"]]}, "the recording is empty"),
    ({"words": [["low"]]}, 'takes {"audio"'), ("low", 'takes {"audio"')])
def test_samples_that_cannot_be_judged_are_refused(task: tasks.Assess, sample: Any, words: str) -> None:
    with pytest.raises(LinnetError, match=words):
        task.prepare([sample])


def test_what_does_not_fit_is_refused(recitals: data.Splits, tones: data.Splits, task: tasks.Assess) -> None:
    short = replace(EARS, predictor=lambda _: {"logits": np.zeros((1, 5, 2), np.float32)})
    with pytest.raises(LinnetError, match="answered with"):
        tasks.Assess(recitals, acoustic=short)
    with pytest.raises(LinnetError, match="does not know: high, middle"):
        tasks.Assess(recitals, acoustic=replace(EARS, labels=("low",)))
    with pytest.raises(LinnetError, match="acoustic is a shipped file"):
        tasks.Assess(recitals, acoustic="ears")
    with pytest.raises(LinnetError, match="means something else"):
        task.hearing_with(replace(EARS, identity="other"))
    with pytest.raises(LinnetError, match="bad_below is a mark from 0 to 2"):
        task.at(bad_below=3)
    with pytest.raises(LinnetError, match="best F1 of bad phones"):
        task.chosen([], recitals.test, cost=1)
    with pytest.raises(LinnetError, match="its samples"):
        task.decode({"values": np.zeros((2, *task.output[1]), np.float32)})


def test_marks_of_words_are_means_over_their_phones(task: tasks.Assess, recitals: data.Splits) -> None:
    values = np.zeros((1, *task.output[1]), np.float32)
    values[0, 1:4, 1] = [0.5, -0.5, -1.0]
    sample = replace(task.read(recitals.test.take([0]))[0], words=(("low", "high"), ("low",)))
    said = json.loads(task.decode({"values": values}, [sample])[0])
    assert said["words"] == pytest.approx([task.mean[1], task.mean[1] - task.deviation[1]], abs=1e-3)
