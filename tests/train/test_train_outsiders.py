"""Texts out of scope, joined from halves of others."""

from __future__ import annotations

import numpy as np
import pytest

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import outsiders


@pytest.fixture(scope="module")
def task(sentences: data.Splits) -> tasks.Classify:
    return tasks.Classify(sentences, input="text", target="intent", reject="food")


def test_halves_of_two_labels_become_out_of_scope(task: tasks.Classify) -> None:
    texts = ["will it rain in rome today", "book a train to oslo"] * 200
    targets = np.array([2, 1] * 200)
    found, answers = outsiders.join(texts, targets, task=task, share=0.3, rng=np.random.default_rng(0))
    changed = [place for place, (old, new) in enumerate(zip(texts, found, strict=True)) if old != new]
    assert 0.08 < len(changed) / len(texts) < 0.22  # half of the partners have the same label
    assert answers[changed].tolist() == [0] * len(changed)
    assert {found[place] for place in changed} == {"will it rain train to oslo", "book a in rome today"}
    kept = sorted(set(range(len(texts))) - set(changed))
    assert answers[kept].tolist() == targets[kept].tolist()
    assert targets.tolist() == [2, 1] * 200


def test_what_is_out_of_scope_already_stays(task: tasks.Classify) -> None:
    texts, targets = ["order soup now", "i want rice"] * 20, np.zeros(40, np.int64)
    found, answers = outsiders.join(texts, targets, task=task, share=0.5, rng=np.random.default_rng(0))
    assert found == texts
    assert answers.tolist() == targets.tolist()


def test_a_task_that_never_rejects_is_refused(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent")
    with pytest.raises(LinnetError, match="needs reject="):
        train.fit(nn.zoo.bag(task, width=4), task, sentences, options=train.Options(outsiders=0.2))
    tag = tasks.Tag(sentences, input="text", target="slots")
    with pytest.raises(LinnetError, match="another kind"):
        train.fit(nn.zoo.gru(tag, width=4), tag, sentences, options=train.Options(outsiders=0.2))


def test_the_same_seed_gives_the_same_weights(task: tasks.Classify, sentences: data.Splits) -> None:
    fitted = [train.fit(nn.zoo.bag(task, width=4), task, sentences, epochs=1, augment=[{"step": "word_dropout"}],
                        options=train.Options(outsiders=share)) for share in (0.3, 0.3, 0.0)]
    assert fitted[0].identity == fitted[1].identity != fitted[2].identity
