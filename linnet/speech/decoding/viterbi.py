"""The likeliest path of a recording through a graph: token passing in numpy, a frame a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.decoding.graph import NO_WORD, Graph

Floats = NDArray[np.float32]

BLANK = 0
_LEAST = np.float32(-1e30)
"""In place of minus infinity, of which sums are not numbers."""
_MOST_CELLS = 500_000_000


@dataclass(frozen=True)
class Spoken:
    """A word on a path: frames [first, last] in which its phones were heard, and how many phones it has."""

    word: str
    first: int
    last: int
    phones: int
    score: float
    """Log likelihood of its frames."""


@dataclass(frozen=True)
class Path:
    """One text with the log likelihood of its best alignment; the words in order."""

    score: float
    words: tuple[Spoken, ...]

    @property
    def text(self) -> str:
        """The words, parted by spaces."""
        return " ".join(spoken.word for spoken in self.words)

    @property
    def phones(self) -> int:
        """How many phones were said."""
        return sum(spoken.phones for spoken in self.words)


def best_paths(graph: Graph, logs: Floats, *, count: int = 1) -> list[Path]:
    """Up to `count` texts with the likeliest alignments, the best first; (frames, labels) log probabilities.

    The alignments of connectionist temporal classification (Graves et al. 2006): a label lasts, blanks may stand
    between labels and must between equal ones. Texts differ in the word they end with, so that for a list of sentences
    these are exactly the best, and for a larger grammar the best of each ending. Empty where the recording has fewer
    frames than any text has labels.
    """
    if logs.shape[0] * (len(graph) + 1) > _MOST_CELLS:
        raise LinnetError(f"{logs.shape[0]:,} frames with a grammar of {len(graph):,} states do not fit in memory: cut "
                          "the recording at pauses (voice activity), or give a smaller grammar.")
    if not len(logs):
        return []
    said, quiet = _forward(graph, logs)
    last = np.maximum(said[-1, graph.finals], quiet[-1, graph.finals])
    paths: dict[str, Path] = {}
    for place in np.argsort(-last, kind="stable"):
        if last[place] <= _LEAST / 2 or len(paths) == count:
            break
        path = _traced(graph, logs, said, quiet, int(graph.finals[place]))
        paths.setdefault(path.text, path)
    return list(paths.values())


def _forward(graph: Graph, logs: Floats) -> tuple[Floats, Floats]:
    """(frames, states + start) scores of the best path that ends in a state's label, and in the blank after it."""
    states, labels = len(graph), graph.labels
    following = np.append(labels, -1)
    may_touch = following[graph.sources] != np.repeat(labels, np.diff(np.append(graph.first, len(graph.sources))))
    is_chain = len(graph.sources) == states
    said = np.full((len(logs), states + 1), _LEAST, np.float32)
    quiet = np.full((len(logs), states + 1), _LEAST, np.float32)
    penalty = np.where(may_touch, np.float32(0), _LEAST)
    emitted = logs[:, labels]
    before_said, before_quiet = np.full(states + 1, _LEAST, np.float32), np.full(states + 1, _LEAST, np.float32)
    before_quiet[states] = 0.0
    for frame in range(len(logs)):
        entering = np.maximum(before_quiet[graph.sources], before_said[graph.sources] + penalty)
        if not is_chain:
            entering = np.maximum.reduceat(entering, graph.first)
        np.maximum(entering, before_said[:states], out=entering)
        np.add(entering, emitted[frame], out=said[frame, :states])
        np.maximum(before_quiet, before_said, out=quiet[frame])
        quiet[frame] += logs[frame, BLANK]
        np.maximum(said[frame], _LEAST, out=said[frame])
        np.maximum(quiet[frame], _LEAST, out=quiet[frame])
        before_said, before_quiet = said[frame], quiet[frame]
    return said, quiet


def _traced(graph: Graph, logs: Floats, said: Floats, quiet: Floats, final: int) -> Path:
    """The best path that ends in this state, by going back over the scores."""
    states, frame, state = len(graph), len(logs) - 1, final
    is_said = bool(said[frame, state] >= quiet[frame, state])
    score = float(max(said[frame, state], quiet[frame, state]))
    visits: list[tuple[int, int, int]] = []  # state, first and last frame of its label, the latest first
    last = frame
    while state != states:
        if not is_said:
            frame, is_said = _quiet_before(said, quiet, frame, state)
            last = frame
            continue
        origin, was_said = _before(graph, said, quiet, frame, state)
        if origin != state or not was_said:
            visits.append((state, frame, last))
            last = frame - 1
        frame, state, is_said = frame - 1, origin, was_said
    return Path(score, _words(graph, logs, visits[::-1]))


def _quiet_before(said: Floats, quiet: Floats, frame: int, state: int) -> tuple[int, bool]:
    """The last frame before the blanks that end in `frame`."""
    while frame > 0 and quiet[frame - 1, state] > said[frame - 1, state]:
        frame -= 1
    return frame - 1, True


def _before(graph: Graph, said: Floats, quiet: Floats, frame: int, state: int) -> tuple[int, bool]:
    """The state in the frame before, and whether it was in its label rather than in the blank after it."""
    sources = graph.into(state)
    if frame == 0:
        return len(graph), False
    touching = np.where(np.append(graph.labels, -1)[sources] != graph.labels[state], said[frame - 1, sources], _LEAST)
    blanks = quiet[frame - 1, sources]
    best = int(np.argmax(np.maximum(touching, blanks)))
    if said[frame - 1, state] >= max(touching[best], blanks[best]):
        return state, True
    return int(sources[best]), bool(touching[best] > blanks[best])


def _words(graph: Graph, logs: Floats, visits: list[tuple[int, int, int]]) -> tuple[Spoken, ...]:
    words: list[Spoken] = []
    begun = 0
    for place, (state, _, last) in enumerate(visits):
        if graph.words[state] == NO_WORD:
            continue
        phones = visits[begun : place + 1]
        first = phones[0][1]
        score = logs[first : last + 1, BLANK].astype(np.float64)
        for label, start, end in phones:
            score[start - first : end - first + 1] = logs[start : end + 1, graph.labels[label]]
        words.append(Spoken(graph.vocabulary[graph.words[state]], first, last, len(phones), float(score.sum())))
        begun = place + 1
    return tuple(words)
