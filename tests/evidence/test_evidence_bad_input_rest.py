"""What drift, thresholds and power cannot take is refused in words: one line a mistake."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import drift, power, thresholds

ROWS = np.random.default_rng(0).normal(size=(2, 12, 3))
LABELS = ["a", "b"] * 20
HALVES = {"a": 0.5, "b": 0.5}

BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "embeddings of a size that has no squares": (
        lambda: drift.maximum_mean_discrepancy(ROWS[0] * 1e160, ROWS[1] * 1e160), "too large"),
    "the same, energy": (lambda: drift.energy_distance(ROWS[0] * 1e160, ROWS[1] * 1e160), "too large"),
    "the same, nearest": (lambda: drift.distance_to_nearest(ROWS[0] * 1e160, ROWS[1]), "too large"),
    "embeddings so small that all distances are 0": (
        lambda: drift.maximum_mean_discrepancy(ROWS[0] * 1e-170, ROWS[1] * 1e-170), "too small"),
    "the same, energy ": (lambda: drift.energy_distance(ROWS[0] * 1e-170, ROWS[1] * 1e-170), "too small"),
    "half a permutation": (
        lambda: drift.maximum_mean_discrepancy(*ROWS, permutations=20.5), "permutations is a whole number"),
    "permutations in words": (
        lambda: drift.energy_distance(*ROWS, permutations="99"), "permutations is a whole number"),
    "permutations of labels": (
        lambda: drift.labels_differ(LABELS, LABELS, permutations=20.5), "permutations is a whole number"),
    "too few permutations": (lambda: drift.energy_distance(*ROWS, permutations=3), "at least 19"),
    "a seed in words": (lambda: drift.energy_distance(*ROWS, seed="x"), "seed is a whole number"),
    "a bandwidth in words": (lambda: drift.maximum_mean_discrepancy(*ROWS, bandwidth="median"), "bandwidth is a"),
    "a bandwidth of 0": (lambda: drift.maximum_mean_discrepancy(*ROWS, bandwidth=0), "bandwidth is a"),
    "a bandwidth far below all distances": (
        lambda: drift.maximum_mean_discrepancy(*ROWS, bandwidth=1e-200), "bandwidth is a"),
    "clusters of one side": (
        lambda: drift.energy_distance(*ROWS, clusters=["a"] * 12), "clusters are the labels of both sides"),
    "clusters of one row each": (
        lambda: drift.energy_distance(*ROWS, clusters=5), "clusters are the labels of both sides"),
    "no whole number of neighbours": (
        lambda: drift.distance_to_nearest(*ROWS, neighbours=1.5), "neighbours is a whole number"),
    "a jump of five": (lambda: drift.conformal_martingale([0.5], jump=5), "jump is a share"),
    "a jump in words": (lambda: drift.conformal_martingale([0.5], jump="0.1"), "jump is a share"),
    "a single p-value": (lambda: drift.conformal_martingale(0.5), "samples along the last axis"),
    "p-values in words": (lambda: drift.conformal_martingale(["0.5"]), "no numbers"),
    "a p-value above one": (lambda: drift.conformal_martingale([1.5]), "p-values must lie"),
    "half a capacity": (lambda: drift.conformal_p_values([1.0], capacity=2.5), "capacity is a whole number"),
    "a single score": (lambda: drift.e_detector(0.1, 0.1), "samples along the last axis"),
    "scores in words": (lambda: drift.e_detector(["0.1"], 0.1), "no numbers"),
    "scores in words, one at a time": (lambda: drift.EDetector(0.1).update("0.1"), "no numbers"),
    "a score above one": (lambda: drift.EDetector(0.1).update(1.5), "from 0 to 1"),
    "a score that is none": (lambda: drift.EDetector(0.1).update(None), "from 0 to 1"),
    "labels that are one when written": (lambda: drift.LabelDetector({1: 0.5, "1": 0.5}), "written alike"),
    "shares in words": (lambda: drift.LabelDetector({"a": "0.5", "b": "0.5"}), "shares must name"),
    "shares that are none": (lambda: drift.LabelDetector({"a": None, "b": 1.0}), "shares must name"),
    "shares without names": (lambda: drift.LabelDetector([0.5, 0.5]), "shares must name"),
    "shares beyond one": (lambda: drift.labels_differ_from({"a": 0.9, "b": 0.9}, LABELS), "shares must name"),
    "draws below none": (lambda: drift.labels_differ_from(HALVES, LABELS, draws=-1), "draws is a whole number"),
    "half a draw": (lambda: drift.labels_differ_from(HALVES, LABELS, draws=99.5), "draws is a whole number"),
    "no draws": (lambda: drift.label_shift(LABELS, LABELS, LABELS, draws=0), "draws is a whole number"),
    "an order of parts of choices": (
        lambda: thresholds.learn_then_test(np.zeros((2, 50)), 0.1, orders=[[0.7, 1]]), "orders are lists of choices"),
    "a target in words": (lambda: thresholds.learn_then_test(np.zeros((2, 50)), "0.1"), "no numbers"),
    "a largest loss in words": (
        lambda: thresholds.conformal_risk(np.zeros((2, 9)), target=0.1, largest="1"), "largest must be a number"),
    "an error in words": (lambda: thresholds.selective([0.1, 0.2], [1, 1], error="0.1"), "error must lie"),
    "a rate in words": (
        lambda: thresholds.false_accept_threshold([0.1, 0.2], ["a", "b"], ["b", "c"], rate="0.01"), "rate must lie"),
    "a threshold in words": (
        lambda: thresholds.false_reject_rate([0.1, 0.2], ["a", "b"], threshold="x"), "no numbers"),
    "a clustering as a tuple": (
        lambda: power.samples_for_accuracy(0.8, 0.9, clusters=(20, 0.1)), "as a Clustering"),
    "a clustering as a tuple, paired": (
        lambda: power.samples_for_better(0.1, 0.12, clusters=(20, 0.1)), "as a Clustering"),
    "a clustering as a tuple, graded": (
        lambda: power.samples_for_mean(0.8, 0.9, deviation=0.1, clusters=(20, 0.1)), "as a Clustering"),
    "a clustering in words": (
        lambda: power.samples_for_accuracy(0.8, 0.9, clusters=power.Clustering("20", 0.1)), "at least 1 row"),
    "part of a row a cluster": (
        lambda: power.samples_for_accuracy(0.8, 0.9, clusters=power.Clustering(2.5, 0.1)), "at least 1 row"),
    "a look before the first": (lambda: power.samples_for_better(0.1, 0.12, look=0), "looks are counted"),
    "a look in words": (lambda: power.samples_for_mean(0.8, 0.9, deviation=0.1, look="1"), "looks are counted"),
    "a deviation in words": (lambda: power.samples_for_mean(0.8, 0.9, deviation="0.1"), "deviation must be"),
    "a difference in words": (lambda: power.samples_for_better("0.1", 0.12), "disagreement is a share"),
    "a difference of two shares in words": (
        lambda: power.samples_for_two_shares(0.1, 0.2, by="0"), "by is a difference"),
    "a seed for clusters in words": (
        lambda: power.samples_for_accuracy(0.8, 0.9, clusters=power.Clustering(5, 0.1), seed="x"), "seed is"),
    "a look every nothing": (
        lambda: power.stopping_time_of_lift(0.1, 0.2, minimum_lift=0.2, look_every=0), "at least one look"),
    "half a look": (
        lambda: power.stopping_time_of_lift(0.1, 0.2, minimum_lift=0.2, look_every=2.5), "look_every is a whole"),
    "an effect in words": (
        lambda: power.stopping_time_of_lift(0.1, "0.2", minimum_lift=0.2), "effect is"),
    "an effect that is none": (
        lambda: power.stopping_time_of_mean(float("nan"), 1.0, best_at=100), "effect is"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_it_is_refused_in_words(mistake: str) -> None:
    call, message = BAD[mistake]
    with pytest.raises(LinnetError, match=message):
        call()


def test_labels_may_be_numbers_of_one_kind() -> None:
    detector = drift.LabelDetector({1: 0.5, 2: 0.5})
    assert not detector.update([1, 2, 1])
    assert detector.n == 3


def test_one_draw_of_one_label_has_no_evidence() -> None:
    assert drift.labels_differ_from(HALVES, ["a"], draws=19) == 1.0
