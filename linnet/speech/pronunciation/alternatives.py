"""What else may have been said in place of each phone: how much likelier a recording becomes with one phone changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.speech.alignment import BLANK, checked, frames_needed

_LEAST = float(np.log(1e-7))
"""The log of the least probability of a frame's answer, so that a wrong text is unlikely and not impossible."""
_FAR = -500.0
"""Log ratios below this are given as this."""
Logs = NDArray[np.float64]


@dataclass(frozen=True)
class Alternatives:
    """For n phones in a recording of `frames` frames and a network of so many labels."""

    changed: NDArray[np.float64]
    """(n, 1 + labels): log likelihood of the recording with phone n replaced by each label, less that of the text as
    it is. Column 0: with phone n left out. 0 at the phone itself."""
    occupancy: NDArray[np.float64]
    """(n, frames): the probability that phone n is said in a frame, given that the text is said."""
    log_likelihood: float
    """Of the text, over all alignments, summed over frames."""
    repeated: int
    """How many times each frame was repeated, 1 where the recording is long enough for the text."""


def alternatives(likelihoods: NDArray[np.floating], tokens: Sequence[int] | NDArray[np.int64]) -> Alternatives:
    """How likely each phone of `tokens` (n,) was another or none, from frames (frames, 1 + labels) of log likelihoods.

    Sums over all alignments, so that it does not matter where a network peaks: the alignment-free ratios of Cao et al.
    2024, "A Framework for Phoneme-Level Pronunciation Assessment Using CTC" (Interspeech), from one forward and one
    backward pass of connectionist temporal classification. Frames of a recording that is too short for its text are
    repeated. Raises LinnetError for tokens that the frames do not know, and for none.
    """
    frames, said = checked(likelihoods, tokens)
    times = -(-frames_needed(said) // len(frames))
    heard = np.logaddexp(np.repeat(frames, times, axis=0), _LEAST)
    heard -= np.logaddexp.reduce(heard, axis=1, keepdims=True)
    states = _states(said)
    forward, backward = _forward(heard[:, states], states), _backward(heard[:, states], states)
    text = float(np.logaddexp(backward[0, 0], backward[0, 1]))
    before, after = _before(forward), _after(backward)
    changed = np.concatenate([_left_out(before, after, said)[:, None] - text,
                              _replaced(heard, before, after, said, text)], axis=1)
    inside = np.exp(forward[:, 1::2] + backward[:-1, 1::2] - heard[:, said] - text)
    return Alternatives(np.maximum(changed, _FAR), inside.T.reshape(len(said), -1, times).mean(axis=2), text / times,
                        times)


def _states(said: NDArray[np.int64]) -> NDArray[np.int64]:
    """What each state says: blank, first token, blank, second token ... blank."""
    states = np.full(2 * len(said) + 1, BLANK)
    states[1::2] = said
    return states


def _skips(states: NDArray[np.int64]) -> Logs:
    """0 where a state may follow the last but one, else minus infinity: between different tokens."""
    may = np.zeros(len(states), bool)
    may[3::2] = states[3::2] != states[1:-2:2]
    return np.where(may, 0.0, -np.inf)


def _forward(said: Logs, states: NDArray[np.int64]) -> Logs:
    """(frames, states): log likelihood of all beginnings that are in a state at the end of a frame."""
    skips, found = _skips(states), np.empty(said.shape)
    now = np.full(len(states), -np.inf)
    now[0] = 0.0  # before the first frame
    for place, frame in enumerate(said):
        reached = now.copy()
        reached[1:] = np.logaddexp(now[1:], now[:-1])
        if place:
            reached[2:] = np.logaddexp(reached[2:], now[:-2] + skips[2:])
        now = found[place] = reached + frame
    return found


def _backward(said: Logs, states: NDArray[np.int64]) -> Logs:
    """(frames + 1, states): log likelihood of all endings that begin in a state with a frame; last, of the end."""
    skips, found = _skips(states), np.empty((len(said) + 1, len(states)))
    now = np.full(len(states), -np.inf)
    now[-1] = 0.0
    found[-1] = now
    for place in range(len(said) - 1, -1, -1):
        reached = now.copy()
        reached[:-1] = np.logaddexp(now[:-1], now[1:])
        reached[:-2] = np.logaddexp(reached[:-2], now[2:] + skips[2:])
        now = found[place] = reached + said[place]
    return found


def _before(forward: Logs) -> tuple[Logs, Logs]:
    """Two of (frames + 1, n), from before the first frame on: all before a phone is said, and now it is blank, or not.
    """
    frames, states = forward.shape
    blank, token = (np.full((frames + 1, states // 2), -np.inf) for _ in range(2))
    blank[0, 0] = 0.0
    blank[1:], token[1:, 1:] = forward[:, :-1:2], forward[:, 1:-2:2]
    return blank, token


def _after(backward: Logs) -> tuple[Logs, Logs]:
    """Two of (frames + 1, n): all after a phone is said from a frame on, which is blank, or not."""
    blank = backward[:, 2::2]
    token = np.full(blank.shape, -np.inf)
    token[:, :-1] = backward[:, 3::2]
    return blank, token


def _replaced(heard: Logs, before: tuple[Logs, Logs], after: tuple[Logs, Logs], said: NDArray[np.int64],
              text: float) -> Logs:
    """(n, labels): log likelihood of the text with phone n replaced by each label, less that of the text.

    The sum over where the replaced phone begins and ends, one frame at a time; what is summed is kept near 1 by the
    likelihood of what comes after, `rest`.
    """
    labels = np.arange(1, heard.shape[1])
    follows = (np.concatenate([[BLANK], said[:-1]])[:, None] != labels).astype(np.float64)
    precedes = (np.concatenate([said[1:], [BLANK]])[:, None] != labels).astype(np.float64)
    rest = np.logaddexp(*after)
    possible = np.isfinite(rest)
    steps = np.subtract(rest[1:], rest[:-1], out=np.full(rest[1:].shape, -np.inf), where=possible[1:])
    growth, rest = np.exp(steps), np.where(possible, rest, 0.0)
    entering = [np.exp(np.clip(part[:-1] + rest[:-1] - text, _FAR, -_FAR)) for part in before]
    leaving = [np.exp(part - rest) for part in after]
    likelihoods = np.exp(heard[:, 1:])
    inside, total = np.zeros(follows.shape), np.full(follows.shape, np.exp(_FAR))
    for place, frame in enumerate(likelihoods):
        inside += entering[0][place][:, None] + entering[1][place][:, None] * follows
        inside *= growth[place][:, None] * frame
        total += inside * (leaving[0][place + 1][:, None] + leaving[1][place + 1][:, None] * precedes)
    return np.asarray(np.log(total), np.float64)


def _left_out(before: tuple[Logs, Logs], after: tuple[Logs, Logs], said: NDArray[np.int64]) -> Logs:
    """(n,): log likelihood of the text without phone n."""
    differ = np.zeros(len(said))
    differ[1:-1] = np.where(said[2:] != said[:-2], 0.0, -np.inf)
    direct = np.logaddexp(before[0], before[1] + differ) + after[1]
    direct[:, -1] = -np.inf
    direct[-1, -1] = np.logaddexp(before[0][-1, -1], before[1][-1, -1])
    return np.asarray(np.logaddexp.reduce(direct, axis=0), np.float64)
