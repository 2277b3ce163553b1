"""Out-of-fold probabilities: nobody answers what it was trained on, groups stay whole, a stop resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet import data, introspect, nn, tasks, train
from linnet.errors import LinnetError

OPTIONS = train.Options(batch=16, device="cpu", label_smoothing=0.0)
HOW: dict[str, Any] = {"epochs": 6, "options": OPTIONS}


@pytest.fixture(scope="module")
def whole(squares: data.Splits) -> data.Dataset:
    return squares.train


def model_of(task: tasks.Classify) -> nn.Model:
    return nn.zoo.smallcnn(task, width=8, seed=0)


def test_wrong_labels_show_because_no_model_saw_them(whole: data.Dataset) -> None:
    wrong = [3, 20, 41]
    sides = whole.values("side")
    given = {whole.ids[row]: (sides[row], "left" if sides[row] == "right" else "right") for row in wrong}
    findings = introspect.Findings("label_issues", tuple(
        introspect.Finding(name, "", {"given": one, "suggested": other}) for name, (one, other) in given.items()))
    dirty = introspect.relabel(whole, findings, column="side")
    task = tasks.Classify(dirty, input="image", target="side")
    found = train.out_of_fold(model_of(task), task, dirty, folds=3, how=HOW)
    assert set(found.fold.tolist()) == {0, 1, 2}
    assert found.probabilities.shape == (len(dirty), 2)
    right = found.probabilities[np.arange(len(dirty)), [found.names.index(one) for one in found.given]]
    assert set(np.argsort(right)[:3].tolist()) == set(wrong)


def test_a_stop_resumes_to_the_same_probabilities(whole: data.Dataset, tmp_path: Path) -> None:
    task = tasks.Classify(whole, input="image", target="side")
    how = {"epochs": 2, "options": OPTIONS}
    expected = train.out_of_fold(model_of(task), task, whole, folds=2, how=how)
    calls = []

    def stop_in_the_second_fold(done: int, total: int, text: str) -> None:
        calls.append(done)
        if len(calls) > 1.6 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.out_of_fold(model_of(task), task, whole, folds=2, folder=tmp_path,
                          how={**how, "progress": stop_in_the_second_fold})
    assert (tmp_path / "fold0.npy").exists()
    assert not (tmp_path / "fold1.npy").exists()
    again = train.out_of_fold(model_of(task), task, whole, folds=2, folder=tmp_path, how=how)
    np.testing.assert_array_equal(again.probabilities, expected.probabilities)
    with pytest.raises(LinnetError, match="another folds, how"):
        train.out_of_fold(model_of(task), task, whole, folds=3, folder=tmp_path, how={"epochs": 1})


def test_groups_and_copies_stay_in_one_fold(tones: data.Splits) -> None:
    from linnet.train.folds import _folds

    group = next(name for name, column in tones.train.columns.items() if column.kind == "group")
    fold, values = _folds(tones.train, group, 2, 0), tones.train.values(group)
    assert all(len({one for one, value in zip(fold, values, strict=True) if value == name}) == 1
               for name in set(values))
    with pytest.raises(LinnetError, match="fewer folds"):
        _folds(tones.train, group, 50, 0)


def test_what_was_trained_already_is_refused(whole: data.Dataset) -> None:
    task = tasks.Classify(whole, input="image", target="side")
    with pytest.raises(LinnetError, match="trained already"):
        train.out_of_fold(replace(model_of(task), history=({"epoch": 1},)), task, whole)
    with pytest.raises(LinnetError, match="at least 2"):
        train.out_of_fold(model_of(task), task, whole, folds=1)


def test_what_cannot_be_folded_is_refused_in_words(whole: data.Dataset) -> None:
    task = tasks.Classify(whole, input="image", target="side")
    for given, says in [({"folds": 2.5}, "folds must be a whole number"), ({"how": {"seed": "a"}}, "seed"),
                        ({"how": {"epoch": 1}}, "did you mean 'epochs'"),
                        ({"how": {"folder": "x"}}, "unknown keyword of fit 'folder'")]:
        with pytest.raises(LinnetError, match=says):
            train.out_of_fold(model_of(task), task, whole, **given)
    with pytest.raises(LinnetError, match="only one sample left to learn from"):
        train.out_of_fold(model_of(task), task, whole.take(range(2)), folds=2, how=HOW)


def test_few_groups_are_enough(tones: data.Splits, tone_task: tasks.Classify) -> None:
    found = train.out_of_fold(nn.zoo.dscnn(tone_task, width=4), tone_task, tones.train, folds=3, by="voice",
                              how={"epochs": 1, "options": OPTIONS})
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
