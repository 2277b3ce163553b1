"""Classify with `reject`: thresholds from costs, temperatures, and the promise of a certified one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from linnet import data, tasks
from linnet.errors import LinnetError
from linnet.tasks.rejecting import Costs, best_temperature, certified, cheapest, softmax


@pytest.fixture(scope="session")
def open_task(sentences: data.Splits) -> tasks.Classify:
    """Food is out of scope, and learnt as such."""
    return tasks.Classify(sentences, input="text", target="intent", reject="food")


@pytest.fixture(scope="session")
def without_food(sentences: data.Splits) -> data.Splits:
    train = sentences.train.where(lambda row: row["intent"] != "food")
    return data.Splits(train=train, validation=sentences.validation, test=sentences.test)


def logits(rows: Any) -> dict[str, np.ndarray]:
    return {"logits": np.log(np.array(rows, np.float32))}


def test_a_label_is_answered_from_the_threshold_on(open_task: tasks.Classify) -> None:
    outputs = logits([[0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.45, 0.4, 0.15], [0.3, 0.3, 0.4]])
    assert open_task.labels == ("food", "travel", "weather")
    assert open_task.decode(outputs) == ["travel", "weather", "food", "food"]
    assert open_task.at(threshold=0.39).decode(outputs) == ["travel", "weather", "travel", "weather"]
    assert open_task.at(threshold=0.45).decode(outputs) == ["travel", "weather", "food", "food"]
    assert open_task.at(threshold=0.45, temperature=0.5).decode(outputs) == ["travel", "weather", "food", "weather"]


def test_an_empty_text_is_turned_down_however_sure_the_network_is(open_task: tasks.Classify) -> None:
    outputs = logits([[0.01, 0.98, 0.01]] * 3)
    assert open_task.decode(outputs, ["", " \t", "book"]) == ["food", "food", "travel"]


def test_what_training_lacks_may_be_the_answer_to_the_rest(without_food: data.Splits) -> None:
    task = tasks.Classify(without_food, input="text", target="intent", reject="food")
    assert task.labels == ("travel", "weather")
    outputs = logits([[0.55, 0.45], [0.1, 0.9]])
    assert task.at(threshold=0.6).decode(outputs) == ["food", "weather"]
    assert "food" in task.expected(without_food.validation)
    with pytest.raises(LinnetError, match="labels that the task does not know: food"):
        task.targets(without_food.validation)
    assert tasks.from_json(json.loads(json.dumps(task.at(threshold=0.25).to_json()))) == task.at(threshold=0.25)


def test_another_label_without_training_rows_is_still_refused(without_food: data.Splits) -> None:
    with pytest.raises(LinnetError, match="without a sample in the training part: food"):
        tasks.Classify(without_food, input="text", target="intent", reject="unknown")


def test_a_file_of_before_is_read_as_it_was(sentences: data.Splits) -> None:
    old = tasks.Classify(sentences, input="text", target="intent").to_json()
    assert set(old) == {"kind", "takes", "target", "groups", "labels", "choice"}
    assert tasks.Classify.from_json(old).operating == {"temperature": 1.0}


def test_metrics_tell_scopes_apart(open_task: tasks.Classify) -> None:
    found = open_task.metrics(["travel", "food", "food", "weather"], ["travel", "weather", "food", "food"])
    assert found == {"in_scope_accuracy": 0.5, "out_of_scope_recall": 0.5}
    assert open_task.metrics(["travel"], ["travel"]) == {"in_scope_accuracy": 1.0}


@pytest.mark.parametrize(("keywords", "said"), [
    ({"target": "topics", "reject": "city"}, "lists of labels"),
    ({"target": "intent", "ordered": True, "reject": "food"}, "a scale")])
def test_only_one_label_without_order_can_be_rejected(sentences: data.Splits, keywords: Any, said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        tasks.Classify(sentences, input="text", **keywords)


def test_many_labels_have_nothing_to_choose(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="topics", tokenizer="word")
    with pytest.raises(LinnetError, match="always answers"):
        tasks.operate(task, lambda _: {"logits": np.zeros((60, 2), np.float32)}, sentences.validation)


@pytest.mark.parametrize("settings", [{"threshold": 1.5}, {"temperature": 0}, {"threshold": "high"},
                                      {"threshold": float("nan")}, {"threshold": True}])
def test_settings_out_of_range_are_refused(open_task: tasks.Classify, settings: Any) -> None:
    with pytest.raises(LinnetError, match="is a number from"):
        open_task.at(**settings)


def test_an_unknown_setting_or_cost_is_named(open_task: tasks.Classify, sentences: data.Splits) -> None:
    with pytest.raises(LinnetError, match="threshold"):
        open_task.at(treshold=0.5)
    outputs = [{"logits": np.zeros((len(sentences.validation), 3), np.float32)}]
    with pytest.raises(LinnetError, match="missed"):
        open_task.chosen(outputs, sentences.validation, costs={"mised": 2.0})
    with pytest.raises(LinnetError, match="both at once"):
        open_task.chosen(outputs, sentences.validation, costs={"missed": 2.0}, error=0.05)


@pytest.mark.parametrize("wrong", [{"missed": -1.0}, {"share": 1.0}, {"rejected": 0.0}, {"wrong": 0.0, "missed": 0.0},
                                   {"missed": float("inf")}])
def test_costs_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(LinnetError):
        Costs(**wrong)


def rows(rng: np.random.Generator, count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    in_scope = rng.random(count) < 0.8
    confidence = np.where(in_scope, rng.beta(4, 2, count), rng.beta(2, 4, count)).round(2)
    return confidence, (rng.random(count) < confidence) & in_scope, in_scope


@pytest.mark.parametrize("share", [None, 0.05, 0.5])
def test_the_cheapest_threshold_is_that_of_trying_them_all(share: float | None) -> None:
    for seed in range(20):
        confidence, right, in_scope = rows(np.random.default_rng(seed))
        costs = Costs(wrong=1.0, missed=3.0, rejected=0.4, share=share)
        weight = np.full(len(right), 1.0) if share is None else np.where(
            in_scope, (1 - share) / in_scope.mean(), share / (1 - in_scope.mean()))

        def cost(threshold: float, seen: Any = (confidence, right, in_scope, weight)) -> float:
            sure, good, known, weights = seen
            paid = np.where(sure >= threshold, np.where(known, np.where(good, 0, 1.0), 3.0), np.where(known, 0.4, 0))
            return float((paid * weights).sum())

        found = cheapest(confidence, right, in_scope, costs)
        best = min(cost(threshold) for threshold in np.linspace(-0.005, 1.005, 102))
        assert cost(found) == pytest.approx(best)


def test_a_threshold_falls_as_turning_down_gets_dearer() -> None:
    confidence, right, in_scope = rows(np.random.default_rng(1), 4000)
    found = [cheapest(confidence, right, in_scope, Costs(rejected=cost)) for cost in (0.1, 0.3, 0.6, 1.0, 5.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.5
    assert found[-1] < 0.3


def test_a_share_needs_rows_of_both_scopes() -> None:
    with pytest.raises(LinnetError, match="only rows in scope"):
        cheapest(np.ones(3), np.ones(3, bool), np.ones(3, bool), Costs(share=0.2))


def test_the_temperature_is_that_by_which_logits_were_multiplied() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(20000, 5)) * 2
    targets = np.array([rng.choice(5, p=row) for row in softmax(honest)])
    assert best_temperature(3 * honest, targets) == pytest.approx(3, rel=0.05)
    assert best_temperature(0.5 * honest, targets) == pytest.approx(0.5, rel=0.05)
    assert best_temperature(10 * np.eye(5), np.arange(5)) < 0.2


def test_a_certified_threshold_keeps_its_error() -> None:
    """1,000 rows, wrong by 1 - confidence: of 300 thresholds at 95 % at most 5 % (and chance) may exceed the error."""
    rng, broken, found = np.random.default_rng(5), 0, 0
    for _ in range(300):
        confidence = rng.beta(6, 1, 1000)
        threshold = certified(confidence, rng.random(1000) < confidence, error=0.1, level=0.95)
        fresh = rng.beta(6, 1, 200_000)
        broken += (1 - fresh[fresh >= threshold]).mean() > 0.1
        found += 1
    assert broken / found <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / found)


def test_what_cannot_be_certified_is_said() -> None:
    with pytest.raises(LinnetError, match=r"no threshold keeps wrong answers at 0\.01"):
        certified(np.linspace(0, 1, 50), np.ones(50, bool), error=0.01, level=0.95)


def test_operate_chooses_on_answers_and_the_json_keeps_them(open_task: tasks.Classify, sentences: data.Splits) -> None:
    """A network that is four times too sure, and guesses on what is out of scope."""
    rng = np.random.default_rng(2)
    labels = {label: number for number, label in enumerate(open_task.labels)}

    def guess(arrays: tasks.Arrays) -> tasks.Arrays:
        rows = rng.normal(size=(len(arrays["tokens"]), 3)).astype(np.float32)
        expected = [open_task.expected(sentences.validation)[i] for i in range(len(rows))]
        for row, label in zip(rows, expected, strict=True):
            row[labels[label]] += 3.0 * (label != "food")
            row[0] -= 1.0
        return {"logits": 4 * rows}

    size = len(sentences.validation)
    chosen = tasks.operate(open_task, guess, sentences.validation, batch=size, costs={"missed": 3.0, "rejected": 0.3})
    assert isinstance(chosen, tasks.Classify)
    assert chosen.temperature > 2
    assert chosen.threshold > 0.5
    again = tasks.from_json(json.loads(json.dumps(chosen.to_json())))
    assert again == chosen
    assert again.operating == chosen.operating
    before, after = (tasks.evaluate(guess, task, sentences.validation, batch=size) for task in (open_task, chosen))
    found = [task.metrics(scores.answers, scores.targets) for task, scores in ((open_task, before), (chosen, after))]
    assert found[0]["out_of_scope_recall"] < found[1]["out_of_scope_recall"]
    assert found[1]["out_of_scope_recall"] > 0.5
