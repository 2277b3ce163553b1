"""Parity: the file answers what it was made from answers, sample by sample, or it is not written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.samples import LENGTHS, beginning, one_by_one
from linnet.nn import Model
from linnet.nn.carrying import step_samples
from linnet.runtime import Parity
from linnet.tasks import Arrays

FLOAT_TOLERANCE = 1e-4
"""Largest difference of a logit between a float file and torch; of values, as a share of the largest."""

_LARGE = 10.0
"""A float logit beyond it may differ by that share more: float32 has seven digits, and sums lose two of them."""

INT8_TOLERANCE = 0.05
"""Largest difference of a logit between the engine's 8-bit kernels and the graph as written, as a share of the largest
logit. The kernels round in another way and may be a level off here and there; those that saturate are far off."""

_STREAMED = 4
"""So many samples are also heard in chunks."""

Outputs = Sequence[NDArray[np.float32]]
"""One array a sample; they may differ in length."""


def parity(content: bytes, model: Model, samples: Arrays, *, quantized: bool) -> Parity:
    """Compare the file's output, as the engine runs it, with its source. Raises LinnetError naming the worst sample.

    A float file is compared with torch. A quantized one is compared with its own graph run as it is written, without
    the engine's rewriting; its `answers_changed` still counts against torch, as information. The file is asked one
    sample at a time, without padding; torch all of them in padded batches: so padding must not matter either. A file
    that takes a stream is also given its longest samples step by step, and must answer as for the whole.
    """
    ((name, batch),) = model(samples).items()
    found = run(content, samples)
    source = [row[: len(own)] for row, own in zip(batch, found, strict=True)]
    changed = sum(_differ(own, row, name) for own, row in zip(found, source, strict=True))
    what = "value" if name == "values" else "logit"
    largest = max(float(np.abs(row).max(initial=0)) for row in source)
    if quantized:
        written = run(content, samples, as_written=True)
        terms = "the unoptimised QDQ graph", what, INT8_TOLERANCE * largest
        checked = _judge(found, written, terms, changed, large=math.inf)
    else:
        terms = "torch", what, FLOAT_TOLERANCE * max(1.0, largest if what == "value" else 0.0)
        checked = _judge(found, source, terms, changed, large=_LARGE if what == "logit" else math.inf)
    step = step_samples(model)
    if step is not None:
        _in_chunks(content, samples, found, step, terms)
    return checked


def _in_chunks(content: bytes, samples: Arrays, found: Outputs, step: int, terms: tuple[str, str, float]) -> None:
    """Raise LinnetError where samples that are heard step by step are answered otherwise than as a whole."""
    session = _session(content)
    single = list(one_by_one(samples))
    longest = sorted(range(len(single)), key=lambda row: -single[row]["audio"].shape[1])[:_STREAMED]
    heard = [in_chunks(session, single[row], step) for row in longest]
    whole = [found[row] for row in longest]
    pooled = whole[0].ndim == 1
    _judge([parts[-1][0] if pooled else np.concatenate(parts, axis=1)[0] for parts in heard], whole,
           ("the whole recording at once, given chunk by chunk", *terms[1:]), 0, large=_LARGE)


def in_chunks(session: Any, sample: Mapping[str, NDArray[Any]], size: int) -> list[NDArray[np.float32]]:
    """What an InferenceSession answers to each chunk of a recording, a batch of one; the last may be shorter."""
    state, answers = beginning(session), []
    for start in range(0, sample["audio"].shape[1], size):
        chunk: dict[str, NDArray[Any]] = {"audio": sample["audio"][:, start : start + size]}
        if LENGTHS in sample:
            chunk[LENGTHS] = np.array([chunk["audio"].shape[1]], sample[LENGTHS].dtype)
        answer, *kept = session.run(None, {**chunk, **state})
        answers.append(answer)
        state = dict(zip(state, kept, strict=True))
    return answers


def run(content: bytes, samples: Arrays, *, as_written: bool = False) -> Outputs:
    """The output of every sample, one sample a run: engines may round a batch in another way."""
    session = _session(content, as_written=as_written)
    first = beginning(session)
    return [session.run(None, {**sample, **first})[0][0] for sample in one_by_one(samples)]


def _session(content: bytes, *, as_written: bool = False) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _differ(answer: NDArray[np.float32], source: NDArray[np.float32], name: str) -> bool:
    """Another class, at any position; a value that moved by more than a twentieth."""
    if name == "values":
        return not np.allclose(answer, source, rtol=INT8_TOLERANCE, atol=FLOAT_TOLERANCE)
    return not np.array_equal(answer.argmax(axis=-1), source.argmax(axis=-1))


def _judge(found: Outputs, source: Outputs, terms: tuple[str, str, float], changed: int, *, large: float) -> Parity:
    compared_with, what, tolerance = terms
    worst = [_worst(own, row, large) for own, row in zip(found, source, strict=True)]
    scaled = np.array([difference / more for difference, more in worst])
    place = int(np.argmax(np.where(np.isfinite(scaled), scaled, np.inf)))
    difference, more = worst[place]
    if not scaled[place] <= tolerance:
        raise LinnetError(f"the file does not answer as {compared_with} does: at sample {place} a {what} differs by "
                          f"{difference:.3g}, at most {tolerance * more:.3g} is allowed. Nothing was written.")
    return Parity(compared_with=compared_with, samples=len(found), largest_difference=float(scaled[place]),
                  tolerance=tolerance, answers_changed=changed)


def _worst(own: NDArray[np.float32], row: NDArray[np.float32], large: float) -> tuple[float, float]:
    """The difference that weighs most, and how many times as much is allowed there as of a small number."""
    more = np.maximum(1, np.abs(row.astype(np.float64)) / large)
    differences = np.abs(own.astype(np.float64) - row)
    if not differences.size:
        return 0.0, 1.0
    place = np.unravel_index(np.argmax(np.nan_to_num(differences / more, nan=np.inf)), differences.shape)
    return float(differences[place]), float(more[place]) if np.isfinite(more[place]) else 1.0
