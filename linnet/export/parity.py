"""Parity: the file answers what it was made from answers, sample by sample, or it is not written."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.nn import Model
from linnet.runtime import Parity
from linnet.tasks import Arrays

FLOAT_TOLERANCE = 1e-4
"""Largest difference of a logit between a float file and torch."""

INT8_TOLERANCE = 0.05
"""Largest difference of a logit between the engine's 8-bit kernels and the graph as written, as a share of the largest
logit. The kernels round in another way and may be a level off here and there; those that saturate are far off."""


def parity(content: bytes, model: Model, samples: Arrays, *, quantized: bool) -> Parity:
    """Compare the file's logits, as the engine runs it, with its source. Raises LinnetError naming the worst sample.

    A float file is compared with torch. A quantized one is compared with its own graph run as it is written, without
    the engine's rewriting; its `answers_changed` still counts against torch, as information.
    """
    logits = run(content, samples)
    (source,) = model(samples).values()
    changed = int((logits.argmax(axis=1) != source.argmax(axis=1)).sum())
    if quantized:
        return _judge(logits, run(content, samples, as_written=True), "the unoptimised QDQ graph", changed)
    return _judge(logits, source, "torch", changed)


def run(content: bytes, samples: Arrays, *, as_written: bool = False) -> NDArray[np.float32]:
    """Logits of every sample, one sample a run: engines may round a batch in another way."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    rows: list[Any] = []
    for row in range(len(next(iter(samples.values())))):
        rows += session.run(None, {name: values[row : row + 1] for name, values in samples.items()})
    return np.concatenate(rows)


def _judge(logits: NDArray[np.float32], source: NDArray[np.float32], compared_with: str, changed: int) -> Parity:
    tolerance = FLOAT_TOLERANCE if compared_with == "torch" else INT8_TOLERANCE * float(np.abs(source).max())
    differences = np.abs(logits.astype(np.float64) - source).max(axis=1)
    worst = int(np.argmax(np.where(np.isfinite(differences), differences, np.inf)))
    if not differences[worst] <= tolerance:
        raise LinnetError(f"the file does not answer as {compared_with} does: at sample {worst} a logit differs by "
                          f"{differences[worst]:.3g}, at most {tolerance:.3g} is allowed. Nothing was written.")
    return Parity(compared_with=compared_with, samples=len(logits), largest_difference=float(differences[worst]),
                  tolerance=tolerance, answers_changed=changed)
