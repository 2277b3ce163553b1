"""Label issues: the stated share of false ones is kept, and what cannot be judged is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from linnet import introspect
from linnet.errors import LinnetError

ROWS, LABELS, WRONG = 1500, 8, 0.06


def made(seed: int, *, sharpness: float = 1.0, share: float = WRONG) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, given labels, and which are wrong; `sharpness` makes the probabilities too sure, or not enough."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (ROWS, LABELS))
    logits[np.arange(ROWS), random.integers(0, LABELS, ROWS)] += random.gamma(9, 1, ROWS)
    right = np.exp(logits - logits.max(axis=1, keepdims=True))
    right /= right.sum(axis=1, keepdims=True)
    truth = (np.log(right) + random.gumbel(size=right.shape)).argmax(axis=1)
    wrong = random.random(ROWS) < share
    given = np.where(wrong, (truth + random.integers(1, LABELS, ROWS)) % LABELS, truth)
    told = right**sharpness
    return told / told.sum(axis=1, keepdims=True), given, wrong


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_false_discovery_rate_is_kept_however_sure_the_model_is(sharpness: float) -> None:
    shares, found = [], []
    for seed in range(20):
        probabilities, given, wrong = made(seed, sharpness=sharpness)
        flagged = np.array([int(one) for one in introspect.label_issues(probabilities, given, rate=0.1).subjects])
        shares.append(1 - wrong[flagged].mean())
        found.append(wrong[flagged].sum() / wrong.sum())
    margin = 2 * np.std(shares) / np.sqrt(len(shares))
    assert np.mean(shares) <= 0.1 + margin
    assert np.mean(shares) >= 0.05
    assert np.mean(found) > 0.8


def test_a_finding_says_what_the_label_is_and_what_it_should_be() -> None:
    probabilities, given, wrong = made(0)
    names = [f"label{number}" for number in range(LABELS)]
    found = introspect.label_issues(probabilities, [names[one] for one in given], names=names,
                                    ids=[f"s{row}" for row in range(ROWS)])
    first = found.items[0]
    row = int(first.subject[1:])
    assert first.evidence["given"] == names[given[row]]
    assert wrong[row]
    assert first.evidence["suggested"] == names[probabilities[row].argmax()]
    assert first.evidence["local_fdr"] < 0.01
    assert found.facts["n"] == ROWS
    assert found.facts["flagged"] == len(found)
    assert abs(found.facts["share_wrong"] - WRONG) < 0.02
    assert introspect.Findings.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_clean_labels_are_left_alone() -> None:
    flagged = [len(introspect.label_issues(*made(seed, share=0.0)[:2])) for seed in range(5)]
    assert np.mean(flagged) <= 2


@pytest.mark.parametrize(("change", "said"), [
    (lambda p, g: (p[:, :1], g), "at least two labels"),
    (lambda p, g: (p * 3, g), "sums to 3"),
    (lambda p, g: (np.where(np.arange(len(p))[:, None] == 4, np.nan, p), g), "nan"),
    (lambda p, g: (p, g[:-1]), "given label"),
    (lambda p, g: (p, [*g[:-1], 88]), "unknown label '88'"),
])
def test_what_cannot_be_judged_is_refused(change: object, said: str) -> None:
    probabilities, given, _ = made(0)
    with pytest.raises(LinnetError, match=said):
        introspect.label_issues(*change(probabilities, list(given)))  # type: ignore[operator]


def test_a_misspelt_label_gets_the_nearest_name() -> None:
    with pytest.raises(LinnetError, match="did you mean 'seven'"):
        introspect.label_issues([[0.5, 0.5]] * 3, ["six", "sevn", "six"], names=["six", "seven"])


def test_ids_that_repeat_are_refused() -> None:
    with pytest.raises(LinnetError, match="2 of them different"):
        introspect.label_issues([[0.5, 0.5]] * 3, [0, 1, 0], ids=["a", "b", "a"])


def test_one_label_given_throughout_is_looked_at_without_a_fault() -> None:
    probabilities, _, _ = made(0)
    found = introspect.label_issues(probabilities, np.zeros(ROWS, np.int64))
    assert found.facts["n"] == ROWS


def test_answers_that_are_all_sure_have_finite_evidence() -> None:
    probabilities, given = np.eye(3)[[0, 1, 2] * 40], [0, 1, 2] * 40
    given[5] = 0
    found = introspect.label_issues(probabilities, given)
    assert all(np.isfinite(item.evidence["local_fdr"]) for item in found)
