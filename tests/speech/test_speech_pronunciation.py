"""Features of phones, and what was likely said instead, on made-up frames in which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.pronunciation import LEFT_OUT, PHONE, UTTERANCE, judge, likely_instead

LABELS = tuple("ABCDEF")
FRAME_S = 0.04


def spoken(tokens: list[int], rng: np.random.Generator, *, noise: float = 1.0) -> NDArray[np.float64]:
    """Logits in which these tokens are said: three frames each, then two of blank, and noise over all."""
    path = [0, *(state for token in tokens for state in [token] * 3 + [0, 0])]
    return 5 * np.eye(1 + len(LABELS))[path] + rng.normal(0, noise, (len(path), 1 + len(LABELS)))


def test_synthetic_substitutions_are_found() -> None:
    """One phone in five was said as another, or not at all: what was said is named, and the others stay right."""
    rng, right, named, kept, wrong, correct = np.random.default_rng(0), 0, 0, 0, 0, 0
    for _ in range(60):
        text = rng.integers(1, 1 + len(LABELS), 10).tolist()
        said = [int(rng.integers(0, 1 + len(LABELS))) if rng.random() < 0.2 else token for token in text]
        logits = spoken([token for token in said if token], rng)
        found = judge(logits, text, [4, 6], frame_s=FRAME_S)
        for token, true, other in zip(text, said, likely_instead(found.phones, text, LABELS), strict=True):
            changed = other.ratio > 0
            wrong += token != true
            correct += token == true
            right += changed and token != true
            named += changed and token != true and other.said == (LABELS[true - 1] if true else LEFT_OUT)
            kept += not changed and token == true
    assert right > 0.9 * wrong
    assert named > 0.85 * wrong
    assert kept > 0.9 * correct


def test_goodness_falls_with_a_wrong_text_and_times_follow_the_frames() -> None:
    rng = np.random.default_rng(1)
    logits = spoken([1, 2, 3, 4], rng)
    right, wrong = (judge(logits, text, [2, 2], frame_s=FRAME_S) for text in ([1, 2, 3, 4], [5, 6, 5, 6]))
    assert (right.phones[:, 0] > -0.5).all()
    assert (wrong.phones[:, 0] < -3).all()
    assert right.times == pytest.approx([(1 + 5 * number + 1.5) * FRAME_S for number in range(4)], abs=0.5 * FRAME_S)
    named = dict(zip(UTTERANCE, right.utterance, strict=True))
    assert named["edits"] == 0
    assert np.exp(named["phones"]) == pytest.approx(4)
    assert dict(zip(UTTERANCE, wrong.utterance, strict=True))["edits"] == 1


def test_shapes_and_finite_numbers_whatever_is_heard() -> None:
    for frames in (np.zeros((1, 7)), np.zeros((50, 7)), np.eye(7)[np.zeros(20, int)] * 1e4,
                   np.random.default_rng(2).normal(0, 100, (30, 7))):
        found = judge(frames, [1, 1, 2], [1, 2], frame_s=FRAME_S)
        assert found.phones.shape == (3, len(PHONE) + 7)
        assert np.isfinite(found.phones).all()
        assert np.isfinite(found.utterance).all()
        assert found.utterance.shape == (len(UTTERANCE),)


def test_no_text_is_refused() -> None:
    with pytest.raises(LinnetError, match="nothing to align"):
        judge(np.zeros((5, 7)), [], [], frame_s=FRAME_S)
