from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from linnet import data, tasks
from linnet.data import Audio
from linnet.errors import LinnetError


def frames(*numbers: int, of: int = 4) -> dict[str, Any]:
    return {"logits": np.eye(of, dtype=np.float32)[[numbers]]}


def test_repeats_count_once_and_blanks_not_at_all(tunes: data.Splits) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    assert task.labels == ("high", "low", "middle")
    assert task.output == ("logits", (None, 4))
    assert task.decode(frames(0, 2, 2, 0, 0, 2, 3, 3, 1)) == ['["low", "low", "middle", "high"]']
    assert task.decode(frames(0, 0)) == ["[]"]
    spelt = tasks.Transcribe(tunes, input="audio", target="spelt")
    assert spelt.labels == ("h", "l", "m")
    assert spelt.decode(frames(2, 2, 0, 2, 3)) == ["llm"]


def test_whole_recordings_with_their_lengths(tunes: data.Splits) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    sounds = [Audio(np.full(5, 0.5, np.float32), 8000), Audio(np.full(12, 0.5, np.float32), 8000)]
    arrays = task.prepare(sounds)
    assert task.arrays == {"audio": ("float32", (None,)), "lengths": ("int64", ())}
    assert arrays["audio"].shape == (2, 12)
    assert arrays["lengths"].tolist() == [5, 12]
    assert not arrays["audio"][0, 5:].any()
    assert arrays["audio"][0, :5].all()


def test_targets_are_padded_behind(tunes: data.Splits) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    few = tunes.train.take(range(8))
    targets, notes = task.targets(few), few.values("notes")
    assert targets.shape == (8, max(map(len, notes)))
    for row, labels in zip(targets, notes, strict=True):
        assert [task.labels[number - 1] for number in row[: len(labels)]] == labels
        assert (row[len(labels):] == -1).all()


def test_recordings_that_are_too_long_are_refused_and_never_cut(tunes: data.Splits) -> None:
    with pytest.raises(LinnetError, match=r"train: \d+ of 144 recordings are longer than 0.5 s: t"):
        tasks.Transcribe(tunes, input="audio", target="notes", seconds=0.5)
    task = tasks.Transcribe(tunes, input="audio", target="notes", seconds=2)
    with pytest.raises(LinnetError, match=r"lasts 3 s; this task takes up to 2 s"):
        task.prepare([Audio(np.zeros(24000, np.float32), 8000)])


def test_errors_over_all_labels(tunes: data.Splits) -> None:
    notes = tasks.Transcribe(tunes, input="audio", target="notes")
    answers, wanted = ['["low"]', '["low", "high"]'], ['["low", "low", "high"]', '["low", "high"]']
    assert notes.score(answers, wanted).tolist() == [0, 1]
    assert notes.metrics(answers, wanted) == {"token_error_rate": 0.4}
    spelt = tasks.Transcribe(tunes, input="audio", target="spelt")
    assert spelt.metrics(["ab c"], ["ab d"]) == {"token_error_rate": 0.25, "word_error_rate": 0.5}


def test_a_label_that_cannot_be_learnt_is_said(tunes: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    train = tunes.train.where(lambda row: "m" not in row["spelt"])
    poor = data.Splits(train, tunes.validation, tunes.test)
    task = tasks.Transcribe(poor, input="audio", target="spelt")
    assert "'m' never occur in 'spelt' of the train part" in caplog.text
    assert task.labels == ("h", "l", "m")
    with pytest.raises(LinnetError, match="does not know: 'm'"):
        tasks.Transcribe(train, input="audio", target="spelt").targets(tunes.test)


@pytest.mark.parametrize(("keywords", "message"), [
    ({"input": "spelt", "target": "notes"}, "takes recordings; 'spelt' holds text"),
    ({"input": "audio", "target": "highest"}, "'highest' holds value"),
    ({"input": "audio", "target": "notes", "seconds": -1.0}, "above 0; got -1.0"),
    ({"input": "audio", "target": "notes", "length": 3}, "unknown option for an input of audio 'length'"),
    ({"input": "audio", "target": "notes", "sample_rate_hz": 0}, "at least 1 Hz"),
])
def test_what_cannot_be_transcribed_is_refused(tunes: data.Splits, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        tasks.Transcribe(tunes, **keywords)


def test_other_samples_are_refused(tunes: data.Splits) -> None:
    with pytest.raises(LinnetError, match="takes sounds"):
        tasks.Transcribe(tunes, input="audio", target="notes").prepare(["la la"])


def test_partly_right_answers_score_partly(tunes: data.Splits) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes", partly=True)
    answers = ['["low", "high"]', '["low"]', '["high", "high", "high"]', "[]"]
    expected = ['["low", "high"]', '["low", "high"]', '["low"]', '["low"]']
    assert task.score(answers, expected).tolist() == [1.0, 0.5, 0.0, 0.0]
    assert tasks.from_json(task.to_json()) == task
    old = {name: value for name, value in task.to_json().items() if name != "partly"}
    assert tasks.from_json(old).partly is False
