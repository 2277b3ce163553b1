"""Whether two engines give the same answers to the same inputs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from linnet.runtime.latency import Call
from linnet.tasks import Arrays

log = logging.getLogger("linnet")
SAME = 0.05
"""Engines round 8-bit sums in different ways; answers further apart than this share of the largest are not the same."""


def differences(files: Sequence[str], calls: Sequence[Call]) -> list[float | None]:
    """How far each call's answers lie from those of the first call of the same file, on another engine, as a share of
    the largest answer; None for that first one. Warns of answers that are not the same.
    """
    first: dict[str, tuple[str, Arrays]] = {}
    found: list[float | None] = []
    for name, call in zip(files, calls, strict=True):
        answers, engine = call(), call.session.engine
        reference_engine, reference = first.setdefault(name, (engine, answers))
        apart = None if reference is answers else difference(reference, answers)
        if apart is not None and not apart <= SAME:
            log.warning("%s answers otherwise on %s than on %s: by %.1f %% of the largest answer.", name, engine,
                        reference_engine, 100 * apart)
        found.append(apart)
    return found


def difference(reference: Arrays, answers: Arrays) -> float:
    """The largest difference of a number, as a share of the largest; infinite where forms, texts or NaN differ."""
    shares = [0.0]
    for name, wanted in reference.items():
        given = answers.get(name)
        if given is None or given.shape != wanted.shape or wanted.dtype.kind in "OUSb":
            shares.append(0.0 if given is not None and np.array_equal(given, wanted) else np.inf)
            continue
        largest = max(float(np.abs(wanted).max(initial=0)), float(np.finfo(np.float32).tiny))
        share = np.abs(given.astype(np.float64) - wanted.astype(np.float64)).max(initial=0) / largest
        shares.append(float(share) if np.isfinite(share) else np.inf)
    return max(shares)
