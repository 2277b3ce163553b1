"""What every family, every kind of task and every option keeps to: the same seed, the same weights, stopped or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tone_ears import EARS

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.tasks import Task
from linnet.train import Options

TINY: dict[str, dict[str, Any]] = {"resnet": {"depth": 8}, "mobilenet": {"width": 0.25}, "transformer": {"width": 32}}
"""The smallest dial of each family; width 8 where none is named."""
TABLE = ["length", "width", "colour"]
MEMBERS: dict[str, tuple[str, Callable[[data.Splits], Task]]] = {
    "recordings": ("tones", lambda splits: tasks.Classify(splits, input="audio", target="pitch")),
    "images": ("squares", lambda splits: tasks.Classify(splits, input="image", target="side")),
    "texts": ("sentences", lambda splits: tasks.Classify(splits, input="text", target="intent")),
    "scale": ("numbers", lambda splits: tasks.Classify(splits, input=TABLE, target="size")),
    "many": ("sentences", lambda splits: tasks.Classify(splits, input="text", target="topics", tokenizer="word")),
    "tag": ("sentences", lambda splits: tasks.Tag(splits, input="text", target="slots")),
    "transcribe": ("tunes", lambda splits: tasks.Transcribe(splits, input="audio", target="notes")),
    "assess": ("recitals", lambda splits: tasks.Assess(splits, acoustic=EARS)),
    "regress": ("numbers", lambda splits: tasks.Regress(splits, input=TABLE, target="weight", tolerance=1.0)),
}


def some(splits: data.Splits, rows: int = 40) -> data.Splits:
    """The first rows of each part."""
    return replace(splits, **{part: getattr(splits, part).take(range(min(rows, len(getattr(splits, part)))))
                              for part in ("train", "validation", "test")})


def stop_in_the_second_epoch(done: int, total: int, text: str) -> None:
    if done > total // 2:
        raise KeyboardInterrupt


def assert_resumes(model: nn.Model, task: Task, splits: data.Splits, folder: Path, **wanted: Any) -> nn.Model:
    """A training that is stopped in its second epoch of two, and then goes on, ends with the same weights."""
    whole = train.fit(model, task, splits, epochs=2, **wanted)
    part = train.fit(model, task, splits, epochs=2, folder=folder, progress=stop_in_the_second_epoch, **wanted)
    assert part.notes["stopped"].startswith("by the user after epoch 1 of 2")
    resumed = train.fit(model, task, splits, epochs=2, folder=folder, **wanted)
    assert len(resumed.history) == 2
    assert resumed.identity == whole.identity != model.identity
    return whole


@pytest.mark.parametrize("family", nn.FAMILIES)
def test_every_family_resumes_to_the_same_weights(
        family: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    trained = []
    for kind, (fixture, make) in MEMBERS.items():
        splits = some(request.getfixturevalue(fixture))
        task = make(request.getfixturevalue(fixture))
        try:
            model = nn.FAMILIES[family](task, seed=0, **TINY.get(family, {"width": 8}))
        except LinnetError:
            continue  # not what this family takes
        assert_resumes(model, task, splits, tmp_path / kind, options=Options(batch=16, device="cpu", keep="last"))
        trained.append(kind)
    assert trained, f"{family} takes none of the tasks; add its smallest dial to TINY, or a task to MEMBERS"


OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd"}, "muon": {"optimizer": "muon"}, "sam": {"optimizer": "sam"},
    "cosine": {"schedule": "cosine"}, "constant": {"schedule": "constant"}, "bfloat16": {"precision": "bfloat16"},
    "ema": {"ema": 0.9}, "mixup": {"mixup": 0.4}, "cutmix": {"cutmix": 1.0}, "accumulate": {"accumulate": 2},
    "clip": {"clip": 0.1}, "balance": {"balance": "target"}, "workers": {"workers": 2}, "anew": {"cache": "none"},
    "all": {"optimizer": "muon", "ema": 0.9, "mixup": 0.4, "cutmix": 1.0, "accumulate": 2, "clip": 1.0,
            "precision": "bfloat16", "balance": "target", "workers": 1},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_resumes_to_the_same_weights_and_changes_them(
        name: str, squares: data.Splits, tmp_path: Path) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    model = nn.zoo.smallcnn(task, width=8, seed=0)
    base = {"batch": 8, "device": "cpu", "keep": "last"}
    with_option = assert_resumes(model, task, squares, tmp_path, options=Options(**base, **OPTIONS[name]),
                                 augment="photographs")
    without = train.fit(model, task, squares, epochs=2, options=Options(**base), augment="photographs")
    is_only_how = name in ("workers", "anew")
    assert (with_option.identity == without.identity) == is_only_how


@pytest.mark.parametrize("family", ["textcnn", "transformer"])
def test_a_text_network_learns_its_sentences(family: str, sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent")
    model = nn.FAMILIES[family](task, seed=0, width=32)
    fitted = train.fit(model, task, sentences, epochs=8, options=Options(batch=16, device="cpu"))
    assert fitted.history[-1]["validation_accuracy"] > 0.9


def test_a_tagger_finds_its_slots(sentences: data.Splits) -> None:
    task = tasks.Tag(sentences, input="text", target="slots")
    fitted = train.fit(nn.zoo.textcnn(task, width=32, seed=0), task, sentences, epochs=10,
                       options=Options(batch=16, device="cpu"))
    assert fitted.history[-1]["validation_accuracy"] > 0.8


@pytest.mark.parametrize(("kind", "least"), [("scale", 0.7), ("regress", 0.7)])
def test_rows_are_learnt(kind: str, least: float, numbers: data.Splits) -> None:
    task = MEMBERS[kind][1](numbers)
    fitted = train.fit(nn.zoo.mlp(task, width=32, seed=0), task, numbers, epochs=20,
                       options=Options(batch=16, device="cpu"))
    assert max(row["validation_accuracy"] for row in fitted.history) > least


def test_what_an_epoch_cost_is_in_the_history(squares: data.Splits) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    (row,) = train.fit(nn.zoo.smallcnn(task, width=8), task, squares, epochs=1, options=Options(device="cpu")).history
    assert 0 < row["step_seconds"] < row["seconds"]
    assert 0 < row["stalled_seconds"] < row["seconds"]
    assert row["peak_memory_bytes"] > 1e7
