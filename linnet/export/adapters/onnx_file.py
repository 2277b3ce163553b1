"""Any ONNX file: its graph with the task's arrays in front and the task's output behind.

Nobody can see in a file what its numbers mean: it gets the task's arrays, cast to its dtype and nothing else, and its
outputs are the labels in the task's order. `tasks.evaluate` shows at once where that is not so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import Foreign, Scale, both_columns, converting
from linnet.export.adapters.wiring import wire
from linnet.runtime.artifact import read
from linnet.runtime.engines import Port, start
from linnet.tasks import Arrays, Task

_PASSES = ("Identity", "Cast", "Reshape")
"""Operators that leave every number as it is."""


def foreign(source: str | Path, task: Task) -> Foreign:
    """The file's graph; weights that it keeps in other files are taken in."""
    path = Path(source)
    read(path)  # says in words where this is no ONNX file
    with converting(path.name, "onnx"):
        graph = onnx.load(path)
    session = start(path)
    output = _output(session.outputs, task, path.name)
    feeds = _feeds(session.inputs, task, path.name)
    _free_batch(graph, [*feeds, output])
    scale = _scale(graph, task, output, path.name)
    wired = wire(graph, task, output=output, scale=scale, feeds=feeds)

    def answers(arrays: Arrays) -> NDArray[Any]:
        rows = [session.run({port: _shaped(arrays[array][at : at + 1], session.inputs[port])
                             for port, array in feeds.items()})[output]
                for at in range(len(next(iter(arrays.values()))))]
        values = np.concatenate(rows)
        return both_columns(values, scale) if task.kind == "classify" and len(task.labels) == 2 else values

    return Foreign("ONNX", f"ir {graph.ir_version}", path.name, wired, answers, scale)


def _scale(graph: onnx.ModelProto, task: Task, output: str, name: str) -> Scale:
    """Probabilities where the last operator makes them; the task's sigmoid for many labels is not to come twice."""
    last = {value: node for node in graph.graph.node for value in node.output}.get(output)
    while last is not None and last.op_type in _PASSES:
        last = next((node for node in graph.graph.node if last.input[0] in node.output), None)
    if last is None or last.op_type not in ("Softmax", "Sigmoid") or task.kind != "classify":
        return "scores"
    if getattr(task, "choice", "one") == "many":
        raise LinnetError(f"{name} ends in {last.op_type}, the task takes the numbers before it: export it without.")
    return "probabilities"


def _feeds(ports: Mapping[str, Port], task: Task, name: str) -> dict[str, str]:
    if sorted(ports) == sorted(task.arrays):
        return {port: port for port in ports}
    if len(ports) == len(task.arrays) == 1:
        return {next(iter(ports)): next(iter(task.arrays))}
    raise LinnetError(f"{name} takes {', '.join(ports)}, the task gives {', '.join(task.arrays)}: name the inputs so.")


def _output(ports: Mapping[str, Port], task: Task, name: str) -> str:
    """The output of the task's name, else the only one with numbers in the shape of the task's."""
    if task.output[0] in ports:
        return task.output[0]
    size = len(task.output[1]) + 1
    single = (1,) if len(task.labels) == 2 else ()
    fitting = [port for port, spec in ports.items() if spec.dtype.startswith("float") and len(spec.shape) == size
               and all(a in (None, b, *single) or b is None
                       for a, b in zip(spec.shape[1:], task.output[1], strict=True))]
    if len(fitting) == 1:
        return fitting[0]
    known = "; ".join(f"{port}: {spec}" for port, spec in ports.items())
    raise LinnetError(f"{name} must have one output with {_shape(task)} numbers a sample, or one called "
                      f"'{task.output[0]}'; it has {known}. (ZipMap gives no array: convert with zipmap=False.)")


def _shape(task: Task) -> str:
    return " x ".join("any" if size is None else str(size) for size in task.output[1])


def _free_batch(graph: onnx.ModelProto, names: list[str]) -> None:
    """A batch of fixed size becomes free; where the graph insists on it, the check of its answers says so."""
    for port in (*graph.graph.input, *graph.graph.output):
        if port.name in names:
            port.type.tensor_type.shape.dim[0].dim_param = "batch"


def _shaped(values: NDArray[Any], port: Port) -> NDArray[Any]:
    """What `wiring.wire` does in the graph, done by hand: the source is asked beside it, not through it."""
    if port.dtype != "string":
        values = values.astype(port.dtype)
    if len(port.shape) == 2 and values.ndim != 2:
        return values.reshape(len(values), -1)
    if values.ndim == 4 and port.shape[1:] == (values.shape[3], *values.shape[1:3]) != values.shape[1:]:
        return values.transpose(0, 3, 1, 2)
    return values


