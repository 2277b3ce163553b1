"""What a scorer is told of each phone and of the whole utterance: numbers from a network's answers and the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linnet.speech.alignment import BLANK
from linnet.speech.pronunciation.alternatives import Alternatives, alternatives

Numbers = NDArray[np.float64]
PHONE = ("goodness", "best other", "left out", "log posterior", "logit margin", "entropy", "logit", "frames said",
         "peak", "since last", "until next", "spread in time", "goodness less mean", "margin less mean", "begins word",
         "ends word", "phones in word", "place in text")
"""What is said of each phone before the ratios of its alternatives; first the plain goodness of pronunciation."""
UTTERANCE = ("mean goodness", "least goodness", "deviation of goodness", "share below -1", "share below -3",
             "mean margin", "phones a second", "seconds", "phones", "share of blank", "longest pause", "pauses",
             "less than free", "edits", "insertions", "deviation of intervals", "mean entropy", "mean left out")
"""What is said of the whole: rate, pauses, and how far the text is from what is heard without knowing it."""
_CLIP = 12.0
_PAUSE_S = 0.24
_TINY = 1e-9


@dataclass(frozen=True)
class Judged:
    """What a network's answers say of a text of n phones, before any scorer is asked."""

    phones: Numbers
    """(n, features): PHONE, then the log ratio of the phone left out and of each label in its place."""
    utterance: Numbers
    """(len(UTTERANCE),)"""
    times: Numbers
    """(n,): when each phone is said, the middle of it, in seconds."""


def judge(logits: NDArray[np.floating], tokens: Sequence[int] | NDArray[np.int64], lengths: Sequence[int], *,
          frame_s: float) -> Judged:
    """Features of a text of `tokens` (n,), its words so many phones long, from logits (frames, 1 + labels).

    `frame_s` is how many seconds a frame lasts. Raises LinnetError as `alternatives`.
    """
    heard = np.asarray(logits, np.float64)
    heard = heard - heard.max(axis=1, keepdims=True)
    said = np.asarray(tokens, np.int64)
    likelihoods = heard - np.log(np.exp(heard).sum(axis=1, keepdims=True))
    found = alternatives(likelihoods, said)
    weights = found.occupancy / np.maximum(found.occupancy.sum(axis=1, keepdims=True), _TINY)
    frames = np.arange(len(heard))
    middle = weights @ frames
    columns = {**_ratios(found, said), **_heard(heard, likelihoods, weights, said),
               **_timed(found, weights, middle, len(heard)), **_placed(lengths)}
    for name, source in (("goodness less mean", "goodness"), ("margin less mean", "logit margin")):
        columns[name] = columns[source] - columns[source].mean()
    phones = np.stack([columns[name] for name in PHONE], axis=1)
    ratios = np.clip(found.changed, -_CLIP, _CLIP)
    whole = _whole(columns, likelihoods, found, said, (middle, frame_s))
    return Judged(np.concatenate([phones, ratios], axis=1), whole, (middle + 0.5) * frame_s)


def _ratios(found: Alternatives, said: NDArray[np.int64]) -> dict[str, Numbers]:
    """Goodness: the log posterior of each phone among all that may stand in its place, nothing included."""
    others = found.changed.copy()
    others[np.arange(len(said)), said] = -np.inf
    goodness = -np.logaddexp(np.logaddexp.reduce(others, axis=1), 0.0)
    return {"goodness": np.maximum(goodness, -2 * _CLIP),
            "best other": np.clip(others[:, 1:].max(axis=1), -_CLIP, 2 * _CLIP),
            "left out": np.clip(found.changed[:, BLANK], -_CLIP, 2 * _CLIP)}


def _heard(logits: Numbers, likelihoods: Numbers, weights: Numbers, said: NDArray[np.int64]) -> dict[str, Numbers]:
    """Averages over the frames in which a phone is said, weighted by how surely."""
    labels = logits[:, 1:]
    own = np.take_along_axis(weights @ logits, said[:, None], axis=1)[:, 0]
    first = np.argsort(labels, axis=1)[:, -2:]
    best, second = (np.take_along_axis(labels, first[:, place, None], axis=1)[:, 0] for place in (1, 0))
    rival = np.where(first[:, 1, None] == said[None, :] - 1, second[:, None], best[:, None])
    chosen = labels - labels.max(axis=1, keepdims=True)
    shares = np.exp(chosen) / np.exp(chosen).sum(axis=1, keepdims=True)
    entropy = -(shares * np.log(shares + _TINY)).sum(axis=1)
    return {"log posterior": np.maximum((weights * likelihoods[:, said].T).sum(axis=1), -_CLIP),
            "logit margin": (weights * (labels[:, said - 1] - rival).T).sum(axis=1),
            "entropy": weights @ entropy, "logit": own}


def _timed(found: Alternatives, weights: Numbers, middle: Numbers, frames: int) -> dict[str, Numbers]:
    """How long, how surely and how far from its neighbours each phone is said; intervals in log frames."""
    places = np.arange(frames)
    spread = np.sqrt(np.maximum((weights * (places[None, :] - middle[:, None]) ** 2).sum(axis=1), 0.0))
    steps = np.log1p(np.maximum(np.diff(middle, prepend=middle[0] - 2, append=middle[-1] + 2), 0.0))
    return {"frames said": np.log1p(found.occupancy.sum(axis=1)), "peak": found.occupancy.max(axis=1),
            "since last": steps[:-1], "until next": steps[1:], "spread in time": np.log1p(spread)}


def _placed(lengths: Sequence[int]) -> dict[str, Numbers]:
    sizes = np.repeat(lengths, lengths).astype(np.float64)
    inside = np.concatenate([np.arange(length) for length in lengths])
    return {"begins word": (inside == 0).astype(np.float64), "ends word": (inside == sizes - 1).astype(np.float64),
            "phones in word": np.log(sizes), "place in text": np.linspace(0, 1, len(sizes))}


def _whole(columns: dict[str, Numbers], likelihoods: Numbers, found: Alternatives, said: NDArray[np.int64],
           timing: tuple[Numbers, float]) -> Numbers:
    """The numbers of UTTERANCE, in its order."""
    middle, frame_s = timing
    goodness, best = columns["goodness"], likelihoods.argmax(axis=1)
    changes = np.flatnonzero(np.diff(best, prepend=-1))
    free = [int(best[place]) for place in changes if best[place] != BLANK]
    edits, extra = _edits(free, said.tolist())
    runs = [later - first for first, later in pairwise([*changes.tolist(), len(best)]) if best[first] == BLANK]
    pauses = [run * frame_s for run in runs[1:-1]]
    spoken = max((middle[-1] - middle[0]) * frame_s, frame_s)
    intervals = np.log1p(np.maximum(np.diff(middle), 0.0)) if len(middle) > 1 else np.zeros(1)
    return np.array([
        goodness.mean(), goodness.min(), goodness.std(), (goodness < -1).mean(), (goodness < -3).mean(),
        columns["logit margin"].mean(), len(said) / spoken, np.log(len(best) * frame_s), np.log(len(said)),
        (best == BLANK).mean(), max(pauses, default=0.0), sum(pause > _PAUSE_S for pause in pauses) / len(said),
        max((found.log_likelihood - likelihoods.max(axis=1).sum()) / len(said), -2 * _CLIP), edits / len(said),
        extra / len(said), intervals.std(), columns["entropy"].mean(), columns["left out"].mean()])


def _edits(heard: Sequence[int], said: Sequence[int]) -> tuple[int, int]:
    """Edits from one to the other, and how many more phones were heard than said, none below 0."""
    row = list(range(len(said) + 1))
    for place, one in enumerate(heard, 1):
        corner, row[0] = row[0], place
        for other, wanted in enumerate(said, 1):
            corner, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, corner + (one != wanted))
    return row[-1], max(0, len(heard) - len(said))
