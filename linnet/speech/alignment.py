"""Forced alignment: when each phone of a known text was said, from a network's answers frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

BLANK = 0
"""The answer that says nothing; it may stand between any two tokens."""
_STAY, _STEP, _SKIP = 0, 1, 2


@dataclass(frozen=True)
class Alignment:
    """Token n is said in the frames from `starts[n]` to before `ends[n]`; frames between two tokens are blank."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    log_likelihood: float
    """Of the best path, summed over frames."""


def align(likelihoods: NDArray[np.floating], tokens: Sequence[int] | NDArray[np.int64]) -> Alignment:
    """The likeliest way to say `tokens` (n,) in frames of log likelihoods (frames, 1 + labels), the blank first.

    Viterbi's search over the states of connectionist temporal classification (Graves et al. 2006): every token takes
    one frame or more, in order; blanks may stand before, between and after, and must stand between equal tokens.
    Raises LinnetError for tokens that the frames do not know, and for fewer frames than the tokens need.

    >>> likelihoods = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    >>> found = align(likelihoods, [1, 2])
    >>> found.starts.tolist(), found.ends.tolist()
    ([1, 3], [3, 4])
    """
    frames, said = checked(likelihoods, tokens)
    if len(frames) < (needed := frames_needed(said)):
        raise LinnetError(f"{len(said)} tokens need {needed} frames, and the recording has {len(frames)}: it is too "
                          "short for what is said to be in it. Give the whole recording, or the text of this part.")
    path, total = _best_path(frames, said)
    places = np.arange(len(said)) * 2 + 1
    return Alignment(np.searchsorted(path, places, side="left"), np.searchsorted(path, places, side="right"), total)


def checked(likelihoods: NDArray[np.floating],
            tokens: Sequence[int] | NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Both as arrays; raises LinnetError where they do not fit each other or are not finite."""
    frames, said = np.asarray(likelihoods, np.float64), np.asarray(tokens, np.int64)
    if frames.ndim != 2 or frames.shape[1] < 2 or not len(frames) or not np.isfinite(frames).all():
        raise LinnetError(f"likelihoods are finite and of shape (frames, 1 + labels), one frame or more; got "
                          f"{frames.shape}.")
    if said.ndim != 1 or not len(said):
        raise LinnetError("there is nothing to align: the text holds no phones. Give what was to be said.")
    if said.min() <= BLANK or said.max() >= frames.shape[1]:
        raise LinnetError(f"tokens are whole numbers from 1 to {frames.shape[1] - 1}, as the frames have them; got "
                          f"{sorted(set(said.tolist()))}.")
    return frames, said


def frames_needed(tokens: NDArray[np.int64]) -> int:
    """A frame for each token (n,), and one of silence between two that are equal.

    >>> frames_needed(np.array([3, 3, 5]))
    4
    """
    return len(tokens) + int((tokens[1:] == tokens[:-1]).sum())


def _best_path(frames: NDArray[np.float64], tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """The state of each frame, blank 0, first token 1, blank 2 and so on, and the path's log likelihood."""
    labels = np.zeros(2 * len(tokens) + 1, np.int64)
    labels[1::2] = tokens
    skips = np.zeros(len(labels), bool)
    skips[3::2] = tokens[1:] != tokens[:-1]
    said = frames[:, labels]
    moves = np.zeros(said.shape, np.int8)
    best = np.full(len(labels), -np.inf)
    best[:2] = said[0, :2]
    options = np.full((3, len(labels)), -np.inf)
    for place in range(1, len(said)):
        options[_STAY] = best
        options[_STEP, 1:] = best[:-1]
        options[_SKIP, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        moves[place] = np.argmax(options, axis=0)
        best = np.max(options, axis=0) + said[place]
    state = len(labels) - 1 - int(best[-2] >= best[-1])
    total, path = float(best[state]), np.empty(len(said), np.int64)
    for place in range(len(said) - 1, -1, -1):
        path[place] = state
        state -= moves[place, state]
    return path, total
