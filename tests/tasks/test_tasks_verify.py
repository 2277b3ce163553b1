"""Verify: voices as text, what counts as right, how voices are compared and which threshold is certified."""

from __future__ import annotations

import csv
import json
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet import data, tasks
from linnet.data import Audio
from linnet.errors import LinnetError

SPEAKERS, EACH = 60, 6


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> data.Splits:
    """Sixty speakers in each part, six recordings each (of nothing: what is judged are given outputs)."""
    folder = tmp_path_factory.mktemp("crowd")
    for place, part in enumerate(("train", "validation", "test")):
        soundfile.write(folder / f"{part}.wav", np.full(800, 0.1 * (1 + place), np.float32), 8000)
    with (folder / "crowd.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "audio", "speaker", "said", "part"])
        for part in ("train", "validation", "test"):
            rows.writerows([f"{part}{n}", f"{part}.wav", f"{part} {n // EACH}", "hello", part]
                           for n in range(SPEAKERS * EACH))
    kinds = {"speaker": "group", "said": "text", "part": "group"}
    return data.load(folder / "crowd.csv", columns=kinds).split(parts="part")


@pytest.fixture
def task(crowd: data.Splits) -> tasks.Verify:
    return tasks.Verify(crowd, input="audio", target="speaker")


def said(task: tasks.Verify, names: list[str], *, seed: int, noise: float = 0.7) -> dict[str, np.ndarray]:
    """What a network might say: a direction a speaker in some of the values, and noise."""
    random = np.random.default_rng(seed)
    known, index = np.unique(names, return_inverse=True)
    rows = noise * random.normal(size=(len(names), task.output[1][0] or 0))
    rows[:, 20:] *= 3
    rows[:, :20] += random.normal(size=(len(known), 20))[index]
    return {"voice": rows.astype(np.float32)}


def test_strangers_are_told_apart_from_those_of_the_training_part(task: tasks.Verify, crowd: data.Splits) -> None:
    assert sorted(set(task.targets(crowd.train).tolist())) == list(range(SPEAKERS))
    strangers = task.targets(crowd.test)
    assert strangers.max() == -1
    assert len(set(strangers.tolist())) == SPEAKERS


def test_similarity_is_the_cosine_until_it_is_learned(task: tasks.Verify, crowd: data.Splits) -> None:
    rows = said(task, task.expected(crowd.test), seed=0)
    answers = task.decode(rows)
    even = rows["voice"] / np.linalg.norm(rows["voice"], axis=1, keepdims=True)
    np.testing.assert_allclose(task.similarity(answers), even @ even.T, atol=1e-5)
    np.testing.assert_allclose(task.similarity(answers[:2], answers), (even @ even.T)[:2], atol=1e-5)


def test_what_is_learned_from_speakers_compares_new_ones_better(task: tasks.Verify, crowd: data.Splits) -> None:
    learned = task.chosen([said(task, task.expected(crowd.train), seed=1)], crowd.train, dimensions=20)
    names = task.expected(crowd.test)
    rows = said(task, names, seed=0)
    errors = [one.metrics(one.decode(rows), names)["equal_error_rate"] for one in (task, learned)]
    assert errors[1] < 0.7 * errors[0]
    again = tasks.from_json(json.loads(json.dumps(learned.to_json())))
    assert again == learned != task
    assert again.decode(rows) == tasks.from_json(learned.to_json()).decode(rows)
    np.testing.assert_allclose(again.similarity(again.decode(rows)), learned.similarity(learned.decode(rows)),
                               atol=1e-3)


def test_a_certified_threshold_is_strict_and_travels(task: tasks.Verify, crowd: data.Splits) -> None:
    names = task.expected(crowd.validation)
    rows = said(task, names, seed=2, noise=0.2)
    strict = task.chosen([rows], crowd.validation, false_accepts=0.05)
    assert strict.operating["threshold"] == strict.threshold
    found = strict.metrics(strict.decode(rows), names)
    assert found["false_accept_error_rate"] < 0.05
    assert tasks.from_json(json.loads(json.dumps(strict.to_json()))) == strict
    assert strict.at(threshold=0.9).threshold == 0.9
    assert strict.at() == strict


def test_a_recording_scores_by_the_pairs_that_it_is_in(task: tasks.Verify) -> None:
    directions = {"ann": [1, 0, 0], "bob": [0, 1, 0]}
    rows = np.zeros((4, task.output[1][0] or 0), np.float32)
    rows[:, :3] = [directions["ann"], directions["ann"], directions["bob"], directions["ann"]]
    names = ["ann", "ann", "bob", "bob"]
    answers = task.decode({"voice": rows})
    assert task.score(answers, names).tolist() == pytest.approx([0.75, 0.75, 0.5, 0.0])  # ties count one half
    at = task.at(threshold=0.5)
    assert at.score(answers, names).tolist() == pytest.approx([0.75, 0.75, 0.5, 0.0])
    assert at.score(answers[:1], names[:1]).tolist() == [1.0]
    assert at.metrics(answers, names) == pytest.approx({
        "equal_error_rate": 0.5, "least_error_cost": 1.0, "false_accept_error_rate": 0.5,
        "false_reject_error_rate": 0.5}, abs=0.1)


def test_silence_is_a_voice_like_any_other_and_alike_to_none(task: tasks.Verify) -> None:
    voices = task.decode({"voice": np.zeros((2, task.output[1][0] or 0), np.float32)})
    assert np.isfinite(task.similarity(voices)).all()


def test_a_part_without_pairs_of_one_kind_is_said(task: tasks.Verify, caplog: pytest.LogCaptureFixture) -> None:
    rows = {"voice": np.eye(2, task.output[1][0], dtype=np.float32)}
    assert task.metrics(task.decode(rows), ["ann", "bob"]) == {}
    assert "nothing to verify" in caplog.text


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "x", True, None])
def test_a_threshold_is_a_finite_number(task: tasks.Verify, threshold: Any) -> None:
    with pytest.raises(LinnetError, match="a threshold of similarity is a finite number"):
        task.at(threshold=threshold)


def test_a_sound_that_is_no_number_has_no_voice(task: tasks.Verify) -> None:
    with pytest.raises(LinnetError, match="holds 1 samples that are NaN or infinite"):
        task.prepare([data.Audio(np.array([0, np.nan], np.float32), 8000)])


def test_what_makes_no_sense_is_refused(task: tasks.Verify, crowd: data.Splits) -> None:
    with pytest.raises(LinnetError, match="'said' holds text"):
        tasks.Verify(crowd, input="audio", target="said")
    with pytest.raises(LinnetError, match="listens to recordings"):
        tasks.Verify(crowd, input="said", target="speaker")
    with pytest.raises(LinnetError, match="train 0 in every training row"):
        tasks.Verify(crowd.train.take(range(EACH)), input="audio", target="speaker")
    rows = said(task, task.expected(crowd.train), seed=1)
    for wanted in ({}, {"dimensions": 5, "false_accepts": 0.1}):
        with pytest.raises(LinnetError, match="one thing at a time"):
            task.chosen([rows], crowd.train, **wanted)
    few = crowd.validation.take(range(4 * EACH))
    with pytest.raises(LinnetError, match=r"no threshold can be certified.*4 speakers"):
        task.chosen([{"voice": rows["voice"][: len(few)]}], few, false_accepts=0.01)
    with pytest.raises(LinnetError, match="threshold"):
        task.at(temperature=1)
    with pytest.raises(LinnetError, match="no voices"):
        task.similarity(["hello"])
    with pytest.raises(LinnetError, match="no voices"):
        task.similarity([*task.decode({"voice": rows["voice"][:1]}), "AAAAAA=="])
    broken = {**task.to_json(), "threshold": float("nan")}
    with pytest.raises(LinnetError, match="describes no verification task"):
        tasks.from_json(broken)


def test_a_recording_of_any_length_goes_in(task: tasks.Verify) -> None:
    batch = task.prepare([Audio(np.zeros(10, np.float32), 8000), Audio(np.zeros(90, np.float32), 8000)])
    assert batch["audio"].shape == (2, 90)
    assert batch["lengths"].tolist() == [10, 90]
