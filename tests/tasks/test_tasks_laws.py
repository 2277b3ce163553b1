"""What every task keeps to, whatever goes in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tone_ears import EARS

from linnet import data, tasks
from linnet.errors import LinnetError
from linnet.language.lexicon import Lexicon
from linnet.tasks import Arrays, Task
from linnet.tasks.inputs import INPUTS
from linnet.tasks.spans import PADDED

Make = Callable[[pytest.FixtureRequest], tuple[data.Splits, Task]]


def made(splits: str, kind: str, **keywords: Any) -> Make:
    def make(request: pytest.FixtureRequest) -> tuple[data.Splits, Task]:
        found: data.Splits = request.getfixturevalue(splits)
        return found, tasks.TASKS[kind](found, **keywords)

    return make


TABLE = ["length", "width", "colour"]
TUNES = ["".join(notes) for length in (1, 2, 3, 4) for notes in itertools.product("hlm", repeat=length)]
NOTES = {"h": "high", "l": "low", "m": "middle"}
PLAYED = Lexicon({tune: (tuple(NOTES[letter] for letter in tune),) for tune in TUNES})
MEMBERS = {
    "classify recordings": made("tones", "classify", input="audio", target="pitch", groups=["voice"]),
    "classify images": made("squares", "classify", input="image", target="side"),
    "classify texts": made("sentences", "classify", input="text", target="intent", groups=["asker"]),
    "classify raw texts": made("sentences", "classify", input="text", target="intent", tokenizer=None),
    "classify rows": made("numbers", "classify", input=["length", "width", "weight"], target="colour"),
    "classify on a scale": made("numbers", "classify", input=["length", "width"], target="size"),
    "classify or reject": made("sentences", "classify", input="text", target="intent", reject="food"),
    "classify with many labels": made("sentences", "classify", input="text", target="topics", tokenizer="word"),
    "understand texts": made("sentences", "understand", input="text", target="intent", slots="slots", groups=["asker"]),
    "tag words": made("sentences", "tag", input="text", target="slots", groups=["asker"]),
    "tag characters": made("sentences", "tag", input="text", target="slots", tokenizer="character", length=60),
    "transcribe labels": made("tunes", "transcribe", input="audio", target="notes", groups=["voice"]),
    "transcribe texts": made("tunes", "transcribe", input="audio", target="spelt", seconds=2.0),
    "detect labels": made("scenes", "detect", input="audio", target="tones", groups=["voice"]),
    "detect later": made("scenes", "detect", input="audio", target="tones", delay_ms=120.0),
    "recognize by phones": made("tunes", "recognize", input="audio", target="spelt", tokens="notes", lexicon=PLAYED,
                                grammar=TUNES, groups=["voice"]),
    "recognize by characters": made("tunes", "recognize", input="audio", target="spelt", grammar=TUNES),
    "regress recordings": made("tunes", "regress", input="audio", target="highest", tolerance=50, seconds=1.0),
    "regress images": made("squares", "regress", input="image", target="darkness", tolerance=5, size=6),
    "regress texts": made("sentences", "regress", input="text", target="letters", tolerance=0.5),
    "assess recordings": made("recitals", "assess", acoustic=EARS, groups=["voice"]),
    "regress rows": made("numbers", "regress", input=TABLE, target="weight", tolerance=1.0),
    "verify strangers": made("tones", "verify", input="audio", target="voice"),
    "verify sounds": made("tones", "verify", input="audio", target="pitch", groups=["voice"]),
}


@pytest.fixture(params=MEMBERS)
def member(request: pytest.FixtureRequest) -> tuple[data.Splits, Task]:
    return MEMBERS[request.param](request)


def perfect(task: Task, dataset: data.Dataset) -> Arrays:
    """The outputs of a network that knows the targets."""
    name, shape = task.output
    targets = task.targets(dataset)
    if task.loss in ("huber", "marks"):
        return {name: targets}
    if task.loss == "binary_cross_entropy":
        return {name: 20 * targets - 10}
    if task.loss == "ctc":  # a blank after every label
        frames = np.zeros((len(targets), 2 * targets.shape[1] + 1), np.int64)
        frames[:, 1::2] = np.maximum(targets, 0)
        return {name: np.eye(shape[-1] or 0, dtype=np.float32)[frames]}
    if task.loss == "angular_margin":  # those without a direction have targets below 0
        return {name: np.eye(shape[-1] or 0, dtype=np.float32)[np.unique(targets, return_inverse=True)[1]]}
    if task.loss == "joint_cross_entropy":
        count, scores = int(targets[0, 0]), 20 * np.eye(shape[-1] or 0, dtype=np.float32)
        return {name: scores[count + np.maximum(targets[:, 2:], 0)] + scores[targets[:, 1:2]]}
    return {name: 20 * np.eye(shape[-1] or 0, dtype=np.float32)[np.maximum(targets, 0)]}


def test_every_input_and_task_is_a_member() -> None:
    assert {name.split()[0] for name in MEMBERS} == set(tasks.TASKS)
    assert len(INPUTS) == 6


def test_a_perfect_network_is_right_everywhere(member: tuple[data.Splits, Task]) -> None:
    splits, task = member
    answers = task.decode(perfect(task, splits.test), task.read(splits.test))
    expected = task.expected(splits.test)
    assert answers == expected or getattr(task, "answers_are_compared", False)
    assert task.score(answers, expected).tolist() == [1.0] * len(splits.test)
    for name, value in task.metrics(answers, expected).items():
        assert value == pytest.approx(0 if "error" in name else 1), name


def test_arrays_are_what_the_task_says(member: tuple[data.Splits, Task]) -> None:
    splits, task = member
    batch = task.prepare(task.read(splits.test.take(range(5))))
    assert list(batch) == list(task.arrays)
    for name, (dtype, shape) in task.arrays.items():
        assert batch[name].dtype == ("object" if dtype == "string" else dtype)
        assert len(batch[name]) == 5
        assert all(size in (None, found) for size, found in zip(shape, batch[name].shape[1:], strict=True))
    targets = task.targets(splits.train)
    assert len(targets) == len(splits.train)
    assert ({"cross_entropy": (), "earth_mover": (), "binary_cross_entropy": task.output[1],
            "token_cross_entropy": task.output[1][:1], "huber": (1,), "ctc": targets.shape[1:],
            "frame_cross_entropy": targets.shape[1:], "angular_margin": (), "marks": task.output[1]} | {
                "joint_cross_entropy": targets.shape[1:]})[task.loss] \
        == targets.shape[1:]
    assert targets.dtype == (np.float32 if task.loss in ("binary_cross_entropy", "huber", "marks") else np.int64)
    if task.loss == "token_cross_entropy":
        assert (targets[task.prepare(task.read(splits.train))["tokens"] == 0] == PADDED).all()


class Guesser:
    """The same answer to the same input, and else without sense."""

    def __init__(self, task: Task) -> None:
        self.output = task.output

    def __call__(self, arrays: Arrays) -> Arrays:
        name, shape = self.output
        rows = []
        for row in range(len(next(iter(arrays.values())))):
            values = {key: array[row] for key, array in arrays.items()}
            if "lengths" in values:
                values["audio"] = values["audio"][: values["lengths"]]
            seen = b"".join(str(value).encode() if key == "text" else value.tobytes() for key, value in values.items())
            rows.append(np.random.default_rng(list(seen[-64:])).normal(size=[size or 7 for size in shape]))
        return {name: np.stack(rows).astype(np.float32)}


def test_evaluate_has_a_row_a_sample_and_no_order(member: tuple[data.Splits, Task]) -> None:
    splits, task = member
    scores = tasks.evaluate(Guesser(task), task, splits.test, batch=7)
    assert list(scores.ids) == splits.test.ids
    assert list(scores.targets) == task.expected(splits.test)
    assert set(scores.groups) == set(task.groups)
    order = np.random.default_rng(0).permutation(len(splits.test)).tolist()
    other = tasks.evaluate(Guesser(task), task, splits.test.take(order), batch=11)
    assert dict(zip(scores.ids, zip(scores.answers, scores.score, strict=True), strict=True)) \
        == dict(zip(other.ids, zip(other.answers, other.score, strict=True), strict=True))


def test_json_makes_the_same_task_again(member: tuple[data.Splits, Task]) -> None:
    splits, task = member
    again = tasks.from_json(json.loads(json.dumps(task.to_json())))
    assert again == task
    assert isinstance(again, Task)
    samples = task.read(splits.test)
    for name, array in task.prepare(samples).items():
        assert np.array_equal(again.prepare(samples)[name], array)
    answers = perfect(task, splits.test)
    assert again.decode(answers, samples) == task.decode(answers, samples)
    assert (again.kind, again.loss, again.arrays, again.output, again.labels, again.inputs, again.noun) \
        == (task.kind, task.loss, task.arrays, task.output, task.labels, task.inputs, task.noun)


@pytest.mark.parametrize("kind", tasks.TASKS)
@pytest.mark.parametrize("broken", [{}, {"takes": {"kind": "smell"}, "choice": "one", "unit": "word"}, {"takes": 3}])
def test_other_json_is_refused(kind: str, broken: dict[str, Any]) -> None:
    with pytest.raises(LinnetError):
        tasks.from_json({"kind": kind, **broken})
