"""Alignment and alternatives against every path there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.alignment import align, frames_needed
from linnet.speech.pronunciation import alternatives

FRAMES, OUTPUTS = 5, 4
TEXTS = [[1, 2], [1, 1], [2], [1, 2, 1], [3, 2, 3], [2, 2, 3]]


def likelihoods(seed: int) -> NDArray[np.float64]:
    logits = 2 * np.random.default_rng(seed).normal(size=(FRAMES, OUTPUTS))
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float64)


def every_path(frames: NDArray[np.float64]) -> dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]]:
    """By text: log likelihood and states of each way to say it."""
    found: dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]] = {}
    for path in itertools.product(range(OUTPUTS), repeat=FRAMES):
        text = tuple(label for place, label in enumerate(path) if label and (not place or path[place - 1] != label))
        found.setdefault(text, []).append((float(frames[range(FRAMES), path].sum()), path))
    return found


def total(paths: dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]], text: list[int]) -> float:
    return sum(np.exp(value) for value, _ in paths.get(tuple(text), []))


@pytest.mark.parametrize("text", TEXTS)
def test_alignment_is_the_best_of_all_paths(text: list[int]) -> None:
    frames = likelihoods(0)
    best, path = max(every_path(frames)[tuple(text)])
    found = align(frames, text)
    assert found.log_likelihood == pytest.approx(best)
    for token, start, end in zip(text, found.starts, found.ends, strict=True):
        assert set(path[start:end]) == {token}
    said = {place for start, end in zip(found.starts, found.ends, strict=True) for place in range(start, end)}
    assert said == {place for place, state in enumerate(path) if state}


@pytest.mark.parametrize("text", TEXTS)
def test_alternatives_are_ratios_of_sums_over_all_paths(text: list[int]) -> None:
    frames = likelihoods(1)
    paths = every_path(frames)
    found = alternatives(frames, text)
    assert found.log_likelihood == pytest.approx(np.log(total(paths, text)))
    for place, label in itertools.product(range(len(text)), range(OUTPUTS)):
        other = text[:place] + [label] * bool(label) + text[place + 1 :]
        if total(paths, other):
            ratio = np.log(total(paths, other) / total(paths, text))
            assert found.changed[place, label] == pytest.approx(ratio, abs=1e-4)
        else:
            assert found.changed[place, label] < -100


def test_occupancy_is_the_share_of_paths_through_a_frame() -> None:
    frames = likelihoods(2)
    paths = every_path(frames)[(1, 3)]
    weights = np.exp([value for value, _ in paths])
    for place, label in enumerate((1, 3)):
        share = [sum(w for w, (_, path) in zip(weights, paths, strict=True) if path[frame] == label) / weights.sum()
                 for frame in range(FRAMES)]
        assert alternatives(frames, [1, 3]).occupancy[place] == pytest.approx(share, abs=1e-4)


def test_long_recordings_do_not_underflow() -> None:
    rng = np.random.default_rng(3)
    frames = np.log(rng.dirichlet(np.full(40, 0.05), size=3000) + 1e-12)
    found = alternatives(frames, rng.integers(1, 40, 400))
    assert np.isfinite(found.log_likelihood)
    assert np.isfinite(found.changed).all()
    assert found.occupancy.max(initial=0) <= 1 + 1e-6


def test_a_recording_too_short_for_its_text() -> None:
    frames = likelihoods(4)
    text = [1, 2, 3, 1, 2, 3, 1]
    with pytest.raises(LinnetError, match="7 tokens need 7 frames"):
        align(frames, text)
    found = alternatives(frames, text)
    assert found.repeated == 2
    assert found.occupancy.shape == (7, FRAMES)
    assert np.isfinite(found.changed).all()


@pytest.mark.parametrize(("text", "words"), [([], "nothing to align"), ([0], "from 1 to 3"), ([4], "from 1 to 3")])
def test_texts_that_frames_do_not_know_are_refused(text: list[int], words: str) -> None:
    for ask in (align, alternatives):
        with pytest.raises(LinnetError, match=words):
            ask(likelihoods(0), text)


def test_broken_likelihoods_are_refused() -> None:
    with pytest.raises(LinnetError, match="finite"):
        align(np.full((3, 4), np.nan), [1])
    assert frames_needed(np.array([1, 1, 1])) == 5
