"""Choosing when to answer: confidence learnt on recordings inside and outside of grammars, and its threshold."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.language import grammar as grammars
from linnet.speech.decoding import Calibration, calibrated
from linnet.speech.decoding.confidence import Evidence

if TYPE_CHECKING:
    from linnet.tasks.recognize import Recognize

log = logging.getLogger("linnet")

_FEWEST = 20
"""Recordings of texts that the grammar holds, and as many of others, to choose by its own texts."""

_MOST_GRAMMARS = 5

Heard = tuple[str, list[tuple[str, Evidence]]]
"""What is expected of a recording ("" outside of the grammar), and what was read."""


def chosen_point(task: Recognize, rows: Sequence[NDArray[Any]], texts: Sequence[str],
                 false_rejects: float) -> tuple[Calibration, float]:
    """The calibration, and the threshold under which that share of recordings inside a grammar is refused."""
    heard = [one for stand_in, chosen in _grammars(task, texts) for one in _heard(stand_in, rows, chosen)]
    inside = sum(bool(expected) for expected, _ in heard)
    if not 0 < inside < len(heard):
        raise LinnetError(f"of {len(heard)} recordings {inside} are of texts that the grammar holds; when to answer is "
                          "chosen on recordings of both kinds: give some that the grammar does not hold.")
    share = {True: 1 / inside, False: 1 / (len(heard) - inside)}
    pieces = [(evidence, bool(expected) and text == expected, share[bool(expected)])
              for expected, read in heard for text, evidence in read]
    if not any(is_right for _, is_right, _ in pieces):
        log.warning("none of %d recordings of texts that the grammar holds was recognized, so there is nothing to "
                    "learn confidence from: every answer is given. Train the network for longer.", inside)
        return Calibration(), 0.0
    calibration = calibrated(*(list(column) for column in zip(*pieces, strict=True)))
    sure = [calibration.probability(read[0][1]) if read else 0.0 for expected, read in heard if expected]
    return calibration, float(np.quantile(sure, false_rejects, method="lower"))


def _grammars(task: Recognize, texts: Sequence[str]) -> Iterator[tuple[Recognize, Sequence[str]]]:
    """The task's own grammar where enough recordings lie inside and outside, else grammars dealt from the texts."""
    inside = sum(bool(task.grammar.acceptor.spelled(text)) for text in texts)
    if min(inside, len(texts) - inside) >= _FEWEST:
        yield task, texts
        return
    every = list(dict.fromkeys(text for text in texts if task.can_say(text)))
    size = int(min(max(task.grammar.acceptor.count(), len(every) / _MOST_GRAMMARS), max(len(every) // 2, 1)))
    order = np.random.default_rng(0).permutation(len(every))
    for start in range(0, len(every) - size + 1, size):
        yield task.speaking(grammars.sentences(every[place] for place in order[start : start + size])), texts


def _heard(task: Recognize, rows: Sequence[NDArray[Any]], texts: Sequence[str]) -> Iterator[Heard]:
    for text, row in zip(texts, rows, strict=True):
        yield task.grammar.acceptor.spelled(text), task.evidence(row)
