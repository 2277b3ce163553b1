"""Parity: the file answers what it was made from answers, sample by sample, or it is not written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.samples import one_by_one
from linnet.nn import Model
from linnet.runtime import Parity
from linnet.tasks import Arrays

FLOAT_TOLERANCE = 1e-4
"""Largest difference of a logit between a float file and torch; of larger numbers, as a share of the largest."""

INT8_TOLERANCE = 0.05
"""Largest difference of a logit between the engine's 8-bit kernels and the graph as written, as a share of the largest
logit. The kernels round in another way and may be a level off here and there; those that saturate are far off."""

Outputs = Sequence[NDArray[np.float32]]
"""One array a sample; they may differ in length."""


def parity(content: bytes, model: Model, samples: Arrays, *, quantized: bool) -> Parity:
    """Compare the file's output, as the engine runs it, with its source. Raises LinnetError naming the worst sample.

    A float file is compared with torch. A quantized one is compared with its own graph run as it is written, without
    the engine's rewriting; its `answers_changed` still counts against torch, as information. The file is asked one
    sample at a time, without padding; torch all of them in padded batches: so padding must not matter either.
    """
    ((name, batch),) = model(samples).items()
    found = run(content, samples)
    source = [row[: len(own)] for row, own in zip(batch, found, strict=True)]
    changed = sum(_differ(own, row, name) for own, row in zip(found, source, strict=True))
    what = "value" if name == "values" else "logit"
    if quantized:
        largest = max(float(np.abs(row).max(initial=0)) for row in source)
        written = run(content, samples, as_written=True)
        return _judge(found, written, ("the unoptimised QDQ graph", what, INT8_TOLERANCE * largest), changed)
    largest = max(float(np.abs(row).max(initial=0)) for row in source) if what == "value" else 0.0
    return _judge(found, source, ("torch", what, FLOAT_TOLERANCE * max(1.0, largest)), changed)


def run(content: bytes, samples: Arrays, *, as_written: bool = False) -> Outputs:
    """The output of every sample, one sample a run: engines may round a batch in another way."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [session.run(None, sample)[0][0] for sample in one_by_one(samples)]


def _differ(answer: NDArray[np.float32], source: NDArray[np.float32], name: str) -> bool:
    """Another class, at any position; a value that moved by more than a twentieth."""
    if name == "values":
        return not np.allclose(answer, source, rtol=INT8_TOLERANCE, atol=FLOAT_TOLERANCE)
    return not np.array_equal(answer.argmax(axis=-1), source.argmax(axis=-1))


def _judge(found: Outputs, source: Outputs, terms: tuple[str, str, float], changed: int) -> Parity:
    compared_with, what, tolerance = terms
    differences = np.array([float(np.abs(own.astype(np.float64) - row).max(initial=0))
                            for own, row in zip(found, source, strict=True)])
    worst = int(np.argmax(np.where(np.isfinite(differences), differences, np.inf)))
    if not differences[worst] <= tolerance:
        raise LinnetError(f"the file does not answer as {compared_with} does: at sample {worst} a {what} differs by "
                          f"{differences[worst]:.3g}, at most {tolerance:.3g} is allowed. Nothing was written.")
    return Parity(compared_with=compared_with, samples=len(found), largest_difference=float(differences[worst]),
                  tolerance=tolerance, answers_changed=changed)
