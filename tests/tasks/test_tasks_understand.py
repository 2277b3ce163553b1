"""Understand: intents and slots together; the laws of all tasks are elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from linnet import data, export, nn, runtime, tasks, train
from linnet.errors import LinnetError
from linnet.train.losses import joint_cross_entropy, token_cross_entropy


@pytest.fixture(scope="module")
def task(sentences: data.Splits) -> tasks.Understand:
    return tasks.Understand(sentences, input="text", target="intent", slots="slots", groups=["asker"])


def test_metrics_tell_intents_from_slots(task: tasks.Understand) -> None:
    said = [json.dumps({"intent": "food", "slots": [["dish", 0, 4]]}), json.dumps({"intent": "food", "slots": []})]
    wanted = [json.dumps({"intent": "food", "slots": [["dish", 0, 5]]}), json.dumps({"intent": "travel", "slots": []})]
    assert task.metrics(said, wanted) == {"intent_accuracy": 0.5, "slot_f1": 0, "slot_precision": 0, "slot_recall": 0}
    assert task.score(said, wanted).tolist() == [0.0, 0.0]


def test_padding_has_no_say_in_the_intent(task: tasks.Understand) -> None:
    texts = ["order soup"]
    is_real = task.prepare(texts)["tokens"][0] != 0
    logits = np.zeros((1, *[size or 0 for size in task.output[1]]), np.float32)
    logits[0, is_real, 1] = 1.0
    logits[0, ~is_real, 0] = 100.0
    assert json.loads(task.decode({"logits": logits}, texts)[0])["intent"] == task.labels[1]


def test_the_loss_is_that_of_both_questions(task: tasks.Understand, sentences: data.Splits) -> None:
    few = sentences.train.take(range(6))
    arrays, targets = task.prepare(task.read(few)), torch.from_numpy(task.targets(few))
    tokens = {"tokens": torch.from_numpy(arrays["tokens"])}
    logits = torch.randn(6, *[size or 0 for size in task.output[1]], generator=torch.Generator().manual_seed(0))
    count = len(task.labels)
    whole = joint_cross_entropy(logits, targets, 0.0, tokens)
    alone = [joint_cross_entropy(logits[[row]], targets[[row]], 0.0, {"tokens": tokens["tokens"][[row]]})
             for row in range(6)]
    assert float(whole) == pytest.approx(float(torch.stack(alone).mean()), rel=1e-5)
    means = torch.stack([row[:, :count][real != 0].mean(dim=0)
                         for row, real in zip(logits, tokens["tokens"], strict=True)])
    intents = torch.nn.functional.cross_entropy(means, targets[:, 1])
    tags = torch.stack([token_cross_entropy(logits[[row], :, count:], targets[[row], 2:], 0.0, {}) for row in range(6)])
    assert float(whole) == pytest.approx(float(intents + tags.mean()), rel=1e-5)


def test_it_learns_and_its_file_says_both(task: tasks.Understand, sentences: data.Splits, tmp_path: Path) -> None:
    options = train.Options(learning_rate=1e-2, batch=16, swaps=0.2, keep="last")
    model = train.fit(nn.zoo.reader(task, width=16), task, sentences, epochs=14, options=options)
    file = runtime.load(export.write(model, task, tmp_path / "both.onnx", samples=sentences.validation))
    assert file.task == task
    scores = tasks.evaluate(file, file.task, sentences.test)
    found = file.task.metrics(scores.answers, scores.targets)
    assert found["intent_accuracy"] > 0.8
    assert found["slot_f1"] > 0.8
    assert json.loads(tasks.answer(file, file.task, "").label)["slots"] == []


def test_a_teacher_of_both_is_followed(task: tasks.Understand, sentences: data.Splits) -> None:
    teacher, student = nn.zoo.reader(task, width=8, seed=1), nn.zoo.reader(task, width=4)
    options = train.Options(teacher_weight=1.0, keep="last")
    fitted = train.fit(student, task, sentences, epochs=1, teacher=teacher, options=options)
    assert np.isfinite(fitted.history[-1]["train_loss"])


def test_what_does_not_fit_is_refused(task: tasks.Understand, sentences: data.Splits) -> None:
    with pytest.raises(LinnetError, match="one intent a text"):
        tasks.Understand(sentences, input="text", target="letters", slots="slots")
    with pytest.raises(LinnetError, match="decode needs the texts"):
        task.decode({"logits": np.zeros((2, *[size or 0 for size in task.output[1]]), np.float32)})
    with pytest.raises(LinnetError, match="does not know: dance"):
        task.tagged(["dance"], ["dance"], [[]])
