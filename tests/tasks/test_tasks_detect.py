"""Events come back from frames, thresholds are chosen from costs and rates, and odd recordings are answered."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks
from linnet.errors import LinnetError
from linnet.tasks import Detect
from linnet.train.losses import frame_cross_entropy

RATE = 8000


@pytest.fixture
def task(scenes: data.Splits) -> Detect:
    return Detect(scenes, input="audio", target="tones")


def certain(frames: list[int], *, sure: float = 9.0) -> np.ndarray:
    return (sure * np.eye(3, dtype=np.float32)[frames])[None]


def silence(seconds: float) -> data.Audio:
    return data.Audio(np.zeros(round(seconds * RATE), np.float32), RATE)


def test_frames_become_events_and_end_with_the_recording(task: Detect) -> None:
    frames = [0, 1, 1, 0, 2, 2]
    assert json.loads(task.decode({"logits": certain(frames)})[0]) == [["high", 40, 120], ["low", 160, 240]]
    assert json.loads(task.decode({"logits": certain(frames)}, [silence(0.21)])[0])[-1] == ["low", 160, 210]


def test_a_delay_is_taken_off(scenes: data.Splits) -> None:
    later = Detect(scenes, input="audio", target="tones", delay_ms=80.0)
    assert json.loads(later.decode({"logits": certain([0, 0, 0, 1, 1, 0])})[0]) == [["high", 40, 120]]
    assert later.prepare([silence(1.0)])["lengths"].tolist() == [1.08 * RATE]
    one = Detect(scenes, input="audio", target="tones")
    assert np.array_equal(later.targets(scenes.test)[:, 2:], one.targets(scenes.test))


def test_answers_do_not_depend_on_the_batch(task: Detect) -> None:
    smooth = task.at(smooth_ms=200)
    short, padded = certain([0, 0, 1, 1]), certain([0, 0, 1, 1, 0, 0, 0, 0])
    assert smooth.decode({"logits": short}, [silence(0.16)]) == smooth.decode({"logits": padded}, [silence(0.16)])


def test_scores_and_figures(task: Detect) -> None:
    truth, answer = json.dumps([["low", 0, 400]]), json.dumps([["low", 100, 400], ["high", 500, 600]])
    assert task.score([answer, "[]"], [truth, "[]"]).tolist() == [0.6, 1.0]
    figures = task.metrics([answer], [truth])
    assert figures["time_precision"] == figures["time_recall"] == 0.75
    assert (figures["event_precision"], figures["event_recall"]) == (0.5, 1.0)


def noisy(task: Detect, dataset: data.Dataset, spread: float) -> list[dict[str, np.ndarray]]:
    """A network that is right more often than not."""
    rng = np.random.default_rng(0)
    targets = np.maximum(task.targets(dataset), 0)
    return [{"logits": (3 * np.eye(3)[row] + rng.normal(0, spread, (len(row), 3)))[None]} for row in targets]


def test_a_threshold_is_chosen_from_costs(task: Detect, scenes: data.Splits) -> None:
    outputs = noisy(task, scenes.train, 2.0)
    careful = task.chosen(outputs, scenes.train, miss=0.1, false_alarm=10)
    eager = task.chosen(outputs, scenes.train, miss=10, false_alarm=0.1)
    assert careful.rule.threshold > eager.rule.threshold

    def figures(chosen: Detect) -> dict[str, float]:
        answers = [answer for batch in outputs for answer in chosen.decode(batch)]
        return chosen.metrics(answers, task.expected(scenes.train))

    assert figures(careful)["time_precision"] > figures(eager)["time_precision"]
    assert figures(careful)["time_recall"] < figures(eager)["time_recall"]
    even = figures(task.chosen(outputs, scenes.train))
    assert even["time_f1"] >= figures(task)["time_f1"]


def test_a_threshold_is_chosen_that_keeps_a_rate(task: Detect, scenes: data.Splits) -> None:
    outputs = noisy(task, scenes.train, 1.5)
    chosen = task.chosen(outputs, scenes.train, false_alarms_an_hour=200)
    hours = sum(data.describe_audio(scenes.train, "audio").seconds) / 3600
    answers = [answer for batch in outputs for answer in chosen.decode(batch)]
    false = [len(json.loads(answer)) for answer in answers]
    figures = chosen.metrics(answers, task.expected(scenes.train))
    assert sum(false) * (1 - figures["event_precision"]) / hours <= 200
    assert figures["event_recall"] > 0.5
    empty = scenes.train.where(lambda row: not row["tones"])
    with pytest.raises(LinnetError, match="no threshold keeps 1 false alarms an hour"):
        task.chosen([{"logits": certain([1] * 60, sure=30.0)}] * len(empty), empty, false_alarms_an_hour=1)


@pytest.mark.parametrize("wanted", [{"false_alarm": float("nan")}, {"false_alarms_an_hour": 1, "miss": 1}, {"miss": -1},
                                    {"miss": True}])
def test_what_cannot_be_wanted_is_refused(task: Detect, scenes: data.Splits, wanted: dict[str, float]) -> None:
    with pytest.raises(LinnetError):
        task.chosen(noisy(task, scenes.test, 1.0), scenes.test, **wanted)


def test_settings_travel_and_unknown_ones_are_refused(task: Detect) -> None:
    moved = task.at(threshold=0.8, gap_ms=100)
    assert tasks.from_json(json.loads(json.dumps(moved.to_json()))) == moved
    assert (moved.operating["threshold"], task.operating["threshold"]) == (0.8, 0.5)
    with pytest.raises(LinnetError, match="threshold"):
        task.at(treshold=0.8)


def test_spans_must_be_of_the_recordings_and_lie_in_them(scenes: data.Splits, sentences: data.Splits) -> None:
    with pytest.raises(LinnetError, match="listens to recordings"):
        Detect(sentences, input="text", target="slots")
    with pytest.raises(LinnetError, match="'voice' holds group"):
        Detect(scenes, input="audio", target="voice")
    span = {"label": "high", "start": 9000, "end": 9100}
    far = scenes.train.map("audio", lambda _: [span], name="tones", kind="spans")
    with pytest.raises(LinnetError, match="begin behind the end"):
        Detect(far, input="audio", target="tones").targets(far)


@pytest.mark.parametrize("seconds", [0.2, 30.0])
@pytest.mark.parametrize("sound", ["silence", "noise", "clipped"])
def test_a_causal_network_answers_short_long_silent_and_clipped_recordings(task: Detect, sound: str,
                                                                        seconds: float) -> None:
    rng = np.random.default_rng(0)
    loud = {"silence": 0.0, "noise": 0.1, "clipped": 30.0}[sound]
    samples = np.clip(loud * rng.normal(size=round(seconds * RATE)), -1, 1).astype(np.float32)
    model = nn.zoo.crnn(task, width=8, causal=True, seed=0)
    answer = tasks.answer(model, task, data.Audio(samples, RATE))
    assert all(0 <= onset < offset <= 1000 * seconds for _, onset, offset in json.loads(answer.label))


def test_the_loss_counts_frames_that_both_sides_have() -> None:
    targets = torch.tensor([[1, 0, -100, -100, -100], [0, 1, 1, 1, -100]])
    logits = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0))
    rows = [torch.nn.functional.cross_entropy(logits[0, :2], targets[0, :2], reduction="sum"),
            torch.nn.functional.cross_entropy(logits[1, :4], targets[1, :4], reduction="sum")]
    assert frame_cross_entropy(logits, targets, 0.0, {}).item() == pytest.approx(float(sum(rows)) / 6)
    padded = logits.clone()
    padded[0, 1] = torch.tensor([0.0, -1e4])
    assert frame_cross_entropy(padded, targets, 0.1, {}).item() < 10
    with pytest.raises(LinnetError, match="frame_ms"):
        frame_cross_entropy(torch.zeros(2, 16, 2), targets, 0.0, {})
