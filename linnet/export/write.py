"""write: a model becomes the one file that ships, checked before it is there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet import __version__
from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.export import packing
from linnet.export.choose import eight_bit_nodes
from linnet.export.compact import compact
from linnet.export.friendly import friendly
from linnet.export.graph import FRONT, to_graph
from linnet.export.parity import parity
from linnet.export.ptq import nodes_under, quantize
from linnet.export.realised import realised
from linnet.export.samples import made_up
from linnet.nn import Model
from linnet.nn.carrying import step_samples
from linnet.runtime import ArraySpec, Card, Parity, Realised, artifact, with_metadata
from linnet.runtime.card import KEPT, KEY
from linnet.tasks import Arrays, Task

log = logging.getLogger("linnet")
_SAMPLES = 256


def write(model: Model, task: Task, path: str | Path, *, samples: Arrays | Dataset | None = None) -> Path:
    """Write `model` as one ONNX file with its card, in 8 bits where `model.bits` says so. Same model, same bytes.

    `samples` are for the parity check: input arrays, or a dataset (its first 256 rows); without them the calibration
    samples, or noise. Raises LinnetError where the file would answer otherwise than its model, or nothing became int8.
    """
    _check(model, task)
    target = Path(path)
    given = _arrays(model, task, samples)
    graph, layers, asked, excluded = _graph(model)
    content, stored = _content(graph, model)
    quantized = model.bits == 8
    found = realised(content, quantized=quantized, layers=layers, asked=asked, excluded=excluded)
    if quantized:
        _judge(model, found, layers)
    card = _card(model, task, found, parity(content, model, given, quantized=quantized), stored)
    card = card.model_copy(update={"state": _state(graph.graph), "step_samples": step_samples(model)})
    target.parent.mkdir(parents=True, exist_ok=True)
    artifact.write(target, with_metadata(content, {KEY: card.to_json()}))
    return target


def draft(model: Model) -> bytes:
    """The file that `write` would make, without its card and unchecked: for a model of which only the cost matters."""
    return _content(to_graph(model), model)[0]


def _graph(model: Model) -> tuple[onnx.ModelProto, list[str], list[str], set[str]]:
    """The float graph, the names of the network's nodes, of those that are to compute in 8 bits, and of those that the
    model keeps in float.
    """
    graph = to_graph(model)
    layers = [node.name for node in graph.graph.node if node.name]
    excluded = nodes_under(graph.graph, model.encoding.exclude)
    asked = eight_bit_nodes(graph.graph, exclude=excluded)
    return graph, layers, asked, excluded


def _content(graph: onnx.ModelProto, model: Model) -> tuple[bytes, dict[str, int]]:
    """The file without its card, and how many of its tensors are stored in which form."""
    values = packing.find(graph.graph, model)
    if model.bits == 8:
        quantized = quantize(graph, model.calibration or {}, model.encoding, originals=_originals(model))
        graph, narrow = packing.on_grids(quantized, graph, values)
        values = {**values, **narrow}
        graph, values = friendly(graph, values)
    packed, stored = packing.pack(graph, values)
    small = compact(packed, keep=(FRONT,))
    onnx.checker.check_model(small, full_check=True)
    return small.SerializeToString(deterministic=True), dict(sorted(stored.items()))


def _originals(model: Model) -> dict[str, NDArray[np.float32]]:
    """The weights of the layers with learned scales, before normalisation is folded into them."""
    parameters = dict(model.module.named_parameters())
    for layer in model.encoding.scales:
        if f"{layer}.weight" not in parameters:
            known = [name.removesuffix(".weight") for name in parameters if name.endswith(".weight")]
            raise unknown("layer with weights", layer, known)
    return {layer: parameters[f"{layer}.weight"].detach().cpu().numpy() for layer in model.encoding.scales}


def _judge(model: Model, found: Realised, layers: list[str]) -> None:
    """Say what stayed in float against the model's wish; refuse a file in which nothing changed."""
    if not found.int8:
        raise LinnetError(f"model '{model.name}' asks for 8 bits, but {found.engine} {found.version} runs none of its "
                          f"{len(layers)} operators in int8 on this processor. Export it in float.")
    for operator, reason in found.float_reasons.items():
        if "kept" in reason:
            log.warning("%s: %s", operator, reason)


def _card(model: Model, task: Task, found: Realised, checked: Parity, stored: Mapping[str, int]) -> Card:
    streams = step_samples(model) is not None
    inputs = {name: ArraySpec(dtype=dtype, shape=(None,) if streams and name == "audio" else shape)
              for name, (dtype, shape) in task.arrays.items()}
    name, shape = task.output
    outputs = {name: ArraySpec(dtype="float32", shape=shape)}
    return Card(name=model.name, task=task.to_json(), input=inputs, output=outputs, labels=task.labels,
                parameters=model.parameters_count, model=dict(model.spec),
                bits="int8" if model.bits == 8 else "float32",
                stored=dict(stored), training=dict(model.notes), realised=found, parity=checked,
                linnet_version=__version__)


def _state(graph: onnx.GraphProto) -> dict[str, ArraySpec]:
    """What the graph keeps of a stream."""
    return {port.name.removeprefix(KEPT): ArraySpec(
        dtype="float32", shape=tuple(size.dim_value for size in port.type.tensor_type.shape.dim[1:]))
        for port in graph.input if port.name.startswith(KEPT)}


def _check(model: Model, task: Task) -> None:
    if model.bits == 8 and not model.calibration:
        raise LinnetError(f"model '{model.name}' asks for 8 bits but has no calibration samples; use shrink.apply, "
                          "or replace(model, encoding=nn.Encoding(bits=8), calibration=task.prepare(...)).")
    tokenizer, size = getattr(task, "tokenizer", None), model.spec.get("vocabulary")
    if tokenizer is not None and size is not None and tokenizer.size != size:
        raise LinnetError(f"the task's tokenizer does not fit model '{model.name}': it knows {tokenizer.size} tokens, "
                          f"the model {size}. Give the task for which the model was made.")
    given = {entry["name"]: (entry["dtype"], tuple(entry["shape"])) for entry in model.spec["inputs"]}
    gives = (model.spec["output"]["name"], tuple(model.spec["output"]["shape"]))
    if dict(task.arrays) != given or task.output != gives:
        raise LinnetError(f"model '{model.name}' takes {given} and answers {gives}; the task has {dict(task.arrays)} "
                          f"and {task.output}. Give the task for which the model was made.")


def _arrays(model: Model, task: Task, samples: Arrays | Dataset | None) -> Arrays:
    if isinstance(samples, Dataset):
        first = samples.take(range(min(_SAMPLES, len(samples))))
        return task.prepare(task.read(first))
    given: Mapping[str, Any] = samples or model.calibration or made_up(model.spec)
    return {name: values[:_SAMPLES] for name, values in given.items()}
