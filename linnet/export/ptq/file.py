"""quantize_file: an ONNX file of anybody's becomes one that computes in 8 bits, checked before it is there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.choose import eight_bit_nodes
from linnet.export.compact import compact
from linnet.export.parity import INT8_TOLERANCE
from linnet.export.ptq.layers import nodes_under
from linnet.export.ptq.observe import Sample
from linnet.export.ptq.quantize import check_samples, quantize_samples
from linnet.export.ptq.tidy import tidy
from linnet.export.realised import realised
from linnet.export.samples import one_by_one
from linnet.nn.encoding import Encoding
from linnet.runtime import Card, Parity, Realised, artifact, with_metadata
from linnet.runtime.card import KEY, read_card
from linnet.runtime.engines import Session, start
from linnet.runtime.inputs import beginning
from linnet.tasks import Arrays

log = logging.getLogger("linnet")

QUANTIZED_KEY = "linnet.quantized"
"""The metadata entry that says, in a file without a card, what it was made from, how, and what came of it."""
_ENTRIES = (QUANTIZED_KEY, KEY, artifact.CLAIMS_KEY)
_ALREADY = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul",
                      "ConvInteger", "MatMulInteger"})
_COMPARED = 64
"""So many samples are asked of the file before it is written."""


def quantize_file(path: str | Path, out: str | Path, samples: Arrays, *, encoding: Encoding | None = None) -> Path:
    """Write the ONNX file `path` in 8 bits to `out`. Same file and samples, same bytes.

    `samples` are calibration samples by input name, the samples first; a file of a fixed batch is fed so many at a
    time. `encoding` says how (default: bits=8, min-max); its layers are node names, of a file with a card those of the
    model. A file with a card keeps it, brought up to date, but no claim: they were made of another file. Raises
    LinnetError for a file that is in 8 bits already or has nothing to quantize, for samples that do not fit or say
    nothing, and where the engine answers otherwise than the graph as it is written.
    """
    wanted = encoding or Encoding(bits=8)
    _check(wanted)
    source = artifact.read(path)
    session = start(Path(path))
    check_samples(samples)
    rows = list(in_batches(session, samples))
    graph = _graph(Path(path), has_card=KEY in source.metadata)
    content, found = _quantized(graph, rows, wanted)
    answered = [list(session.run(row).values()) for row in rows[:_COMPARED]]
    checked = _parity(content, rows[:_COMPARED], answered)
    entries = {name: value for name, value in source.metadata.items() if name not in _ENTRIES}
    if KEY in source.metadata:
        entries[KEY] = _card(read_card(source), found, checked, wanted, source.identity)
    else:
        entries[QUANTIZED_KEY] = json.dumps({
            "source": source.identity, "encoding": wanted.to_json(), "realised": found.model_dump(by_alias=True),
            "parity": checked.model_dump(by_alias=True)}, sort_keys=True)
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    artifact.write(target, with_metadata(content, entries))
    _say(target, found, checked)
    return target


def in_batches(session: Session, samples: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    """The samples as the file takes them: one by one, or in its fixed batch, of which no rest is left over."""
    sizes = {port.shape[0] for port in session.inputs.values() if port.shape and port.shape[0] is not None}
    count = len(next(iter(samples.values()), ()))
    samples = {**beginning(session.inputs, count), **samples}
    given, expected = sorted(samples), sorted(session.inputs)
    if given != expected:
        raise LinnetError(f"the file takes the inputs {', '.join(expected)}; samples were given for "
                          f"{', '.join(given)}.")
    counts = {len(values) for values in samples.values()}
    if len(counts) != 1:
        raise LinnetError(f"samples: every array has as many rows, the samples; received "
                          f"{', '.join(f'{name} {values.shape}' for name, values in samples.items())}.")
    size = max(sizes, default=1)
    if size == 1:
        yield from one_by_one(samples)
        return
    if (count := counts.pop()) < size:
        raise LinnetError(f"the file takes {size} samples at a time; {count} were given.")
    for first in range(0, count - size + 1, size):
        yield {name: values[first : first + size] for name, values in samples.items()}


def _check(encoding: Encoding) -> None:
    if encoding.bits != 8:
        raise LinnetError("quantize_file makes 8-bit files: give Encoding(bits=8, ...).")
    if encoding.palettes or encoding.sparse:
        raise LinnetError("palettes and sparse weights are stored by export.write, from a model; an ONNX file can have "
                          "bits, calibration, repairs, exclude, ranges and scales.")


def _graph(path: Path, *, has_card: bool) -> onnx.ModelProto:
    """The file's graph, tidied; one of ours is so already, and its front end is what has no names."""
    try:
        loaded = onnx.load(path)
    except Exception as error:  # protobuf's and the loader's errors have no class in common
        raise LinnetError(f"{path.name} cannot be loaded: {' '.join(str(error).split())}.") from error
    already = sorted({node.op_type for node in loaded.graph.node} & _ALREADY)
    if already:
        raise LinnetError(f"{path.name} is quantized already: it has {', '.join(already)}. Give the float file.")
    del loaded.metadata_props[:]
    return loaded if has_card else tidy(loaded)


def _quantized(graph: onnx.ModelProto, rows: Sequence[Sample], encoding: Encoding) -> tuple[bytes, Realised]:
    excluded = nodes_under(graph.graph, encoding.exclude)
    small = compact(quantize_samples(graph, rows, encoding))
    content = small.SerializeToString(deterministic=True)
    found = realised(content, quantized=True, layers=[node.name for node in graph.graph.node if node.name],
                     asked=eight_bit_nodes(graph.graph, exclude=excluded), excluded=excluded)
    if not found.int8:
        raise LinnetError(f"{found.engine} {found.version} runs none of the file's operators in int8 on this "
                          "processor: it would only be slower. Nothing was written.")
    return content, found


def _parity(content: bytes, rows: Sequence[Sample], source: Sequence[list[NDArray[Any]]]) -> Parity:
    """The engine against the graph as written; answers that changed against the float file."""
    found, written = _answers(content, rows, as_written=False), _answers(content, rows, as_written=True)
    largest = [max(float(np.abs(row[place]).max(initial=0)) for row in source) for place in range(len(source[0]))]
    worst, at = 0.0, 0
    for number, (own, other) in enumerate(zip(found, written, strict=True)):
        for values, wanted, scale in zip(own, other, largest, strict=True):
            if values.dtype.kind == "f":
                difference = float(np.abs(values.astype(np.float64) - wanted).max(initial=0)) / max(scale, 1e-30)
                if not difference <= worst:
                    worst, at = difference, number
    if not worst <= INT8_TOLERANCE:
        raise LinnetError(f"the engine does not answer as the quantized graph says: at sample {at} an output differs "
                          f"by {worst:.3g} of the largest one, at most {INT8_TOLERANCE} is allowed. Nothing was "
                          "written.")
    changed = sum(any(_differ(values, row) for values, row in zip(own, rows_, strict=True))
                  for own, rows_ in zip(found, source, strict=True))
    return Parity(compared_with="the unoptimised QDQ graph", samples=len(rows), largest_difference=worst,
                  tolerance=INT8_TOLERANCE, answers_changed=changed)


def _answers(content: bytes, rows: Sequence[Sample], *, as_written: bool) -> list[list[NDArray[Any]]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    if as_written:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [session.run(None, dict(row)) for row in rows]


def _differ(answer: NDArray[Any], source: NDArray[Any]) -> bool:
    """Another largest value along the last axis; of single values one that moved by more than a twentieth."""
    if answer.ndim and answer.shape[-1] > 1:
        return not np.array_equal(answer.argmax(axis=-1), source.argmax(axis=-1))
    return not np.allclose(answer, source, rtol=INT8_TOLERANCE, atol=1e-4)


def _card(card: Card, found: Realised, checked: Parity, encoding: Encoding, source: str) -> str:
    notes = {**card.notes, "quantized_from": source, "encoding": encoding.to_json()}
    return card.model_copy(update={"bits": "int8", "realised": found, "parity": checked, "notes": notes}).to_json()


def _say(path: Path, found: Realised, checked: Parity) -> None:
    log.info("%s: %d operators in int8, %d in float; %d of %d answers changed.", path.name, sum(found.int8.values()),
             sum(found.float_.values()), checked.answers_changed, checked.samples)
    for operator, reason in found.float_reasons.items():
        if "kept" in reason:
            log.warning("%s: %s", operator, reason)
