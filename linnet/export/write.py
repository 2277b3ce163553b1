"""write: a model becomes the one file that ships, checked before it is there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from linnet import __version__
from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.export.compact import compact
from linnet.export.graph import FRONT, to_graph
from linnet.export.parity import parity
from linnet.export.quantize import quantize
from linnet.export.realised import realised
from linnet.nn import Model
from linnet.runtime import ArraySpec, Card, Parity, Realised, artifact, with_metadata
from linnet.runtime.card import KEY
from linnet.tasks import Arrays, Task

log = logging.getLogger("linnet")
_SAMPLES = 256
_LENGTH = 16_000
"""Of made-up samples where the length varies."""


def write(model: Model, task: Task, path: str | Path, *, samples: Arrays | Dataset | None = None) -> Path:
    """Write `model` as one ONNX file with its card, in 8 bits where `model.bits` says so. Same model, same bytes.

    `samples` are for the parity check: input arrays, or a dataset (its first 256 rows); without them the calibration
    samples, or noise. Raises LinnetError where the file would answer otherwise than its model, or nothing became int8.
    """
    _check(model, task)
    target = Path(path)
    given = _arrays(model, task, samples)
    content, layers = _content(model)
    quantized = model.bits == 8
    found = realised(content, quantized=quantized, layers=layers)
    if quantized:
        _judge(model, found, layers)
    card = _card(model, task, found, parity(content, model, given, quantized=quantized))
    target.parent.mkdir(parents=True, exist_ok=True)
    artifact.write(target, with_metadata(content, {KEY: card.to_json()}))
    return target


def _content(model: Model) -> tuple[bytes, list[str]]:
    """The file without its card, and the names of the network's nodes."""
    graph = to_graph(model)
    layers = [node.name for node in graph.graph.node if node.name]
    if model.bits == 8:
        graph = quantize(graph, model.calibration or {})
    small = compact(graph, keep=(FRONT,))
    onnx.checker.check_model(small, full_check=True)
    return small.SerializeToString(deterministic=True), layers


def _judge(model: Model, found: Realised, layers: list[str]) -> None:
    """Say what stayed in float against the model's wish; refuse a file in which nothing changed."""
    if not found.int8:
        raise LinnetError(f"model '{model.name}' asks for 8 bits, but {found.engine} {found.version} runs none of its "
                          f"{len(layers)} operators in int8 on this processor. Export it in float (bits=None).")
    for operator, reason in found.float_reasons.items():
        if "kept" in reason:
            log.warning("%s: %s", operator, reason)


def _card(model: Model, task: Task, found: Realised, checked: Parity) -> Card:
    inputs = {name: ArraySpec(dtype=dtype, shape=shape) for name, (dtype, shape) in task.arrays.items()}
    name, shape = task.output
    outputs = {name: ArraySpec(dtype="float32", shape=shape)}
    return Card(name=model.name, task=task.to_json(), input=inputs, output=outputs, labels=task.labels,
                parameters=model.parameters_count, model=dict(model.spec),
                bits="int8" if model.bits == 8 else "float32",
                training=dict(model.notes), realised=found, parity=checked, linnet_version=__version__)


def _check(model: Model, task: Task) -> None:
    if model.bits == 8 and not model.calibration:
        raise LinnetError(f"model '{model.name}' asks for 8 bits but has no calibration samples; use shrink.apply, "
                          "or replace(model, bits=8, calibration=task.prepare(...)).")
    given = {entry["name"]: (entry["dtype"], tuple(entry["shape"])) for entry in model.spec["inputs"]}
    gives = (model.spec["output"]["name"], tuple(model.spec["output"]["shape"]))
    if dict(task.arrays) != given or task.output != gives:
        raise LinnetError(f"model '{model.name}' takes {given} and answers {gives}; the task has {dict(task.arrays)} "
                          f"and {task.output}. Give the task for which the model was made.")


def _arrays(model: Model, task: Task, samples: Arrays | Dataset | None) -> Arrays:
    if isinstance(samples, Dataset):
        first = samples.take(range(min(_SAMPLES, len(samples))))
        return task.prepare(task.read(first))
    given: Mapping[str, Any] = samples or model.calibration or _noise(task)
    return {name: values[:_SAMPLES] for name, values in given.items()}


def _noise(task: Task) -> Arrays:
    """Sixteen samples of noise, every loudness from silence to full scale; or of random pixels."""
    rng = np.random.default_rng(0)
    arrays = {}
    for name, (dtype, varying) in task.arrays.items():
        shape = [_LENGTH if size is None else size for size in varying]
        if dtype == "uint8":
            arrays[name] = rng.integers(0, 256, (16, *shape), dtype=np.uint8)
        else:
            loudness = np.linspace(0, 1, 16).reshape(-1, *[1] * len(shape))
            arrays[name] = (loudness * rng.uniform(-1, 1, (16, *shape))).astype(dtype)
    return arrays
