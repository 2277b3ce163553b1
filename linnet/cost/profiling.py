"""Layers of a file as onnxruntime runs them: its optimised graph, run again with the engine's own profiler."""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.cost.counting import Layer, count, values_bytes
from linnet.errors import LinnetError
from linnet.runtime.artifact import read
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs, varying_samples

_MARK = re.compile(r"(_token_\d+|_nchwc|/\w+/)$")
"""What the engine appends to the name of a node, or of a value, when it makes another node of it."""
_BLOCKED = "com.microsoft.nchwc"
_SILENT = 4
_RUNS = 20


def layers(file: Path | bytes, *, runs: int = _RUNS, threads: int = 1) -> list[Layer]:
    """Every operator that the engine runs for one sample, in order, with its counts and its measured time.

    The engine's profiler itself takes a microsecond or two an operator. Raises LinnetError where the file cannot run.
    """
    session = start(file, threads=threads)
    inputs = random_inputs(session, samples=varying_samples(read(file)))
    content = file if isinstance(file, bytes) else file.read_bytes()
    graph, names = _prepared(content, file if isinstance(file, Path) else None)
    constants = {tensor.name: (_type(tensor.data_type), tuple(tensor.dims)) for tensor in graph.graph.initializer}
    weights = {node.name: [constants[name] for name in node.input if name in constants] for node in graph.graph.node}
    operators = {node.name: node.op_type for node in graph.graph.node}
    seen, taken = _profiled(graph, dict(inputs), runs, threads)
    blocked = {node.name for node in graph.graph.node if node.domain == _BLOCKED}
    return [count(names[name], operators[name], seen[name], weights[name], statistics.median(taken[name]),
                  is_blocked=name in blocked)
            for name in seen if name in operators]


def sizes_of(file: Path | bytes) -> tuple[onnx.ModelProto, dict[str, str], dict[str, int]]:
    """The prepared graph, what its nodes were called, and the bytes of every value that one sample makes."""
    session = start(file)
    inputs = random_inputs(session, samples=varying_samples(read(file)))
    graph, names = _prepared(file if isinstance(file, bytes) else file.read_bytes(),
                             file if isinstance(file, Path) else None)
    seen, _ = _profiled(graph, dict(inputs), 1, 1)
    sizes = {name: int(values.nbytes) for name, values in inputs.items()}
    for node in graph.graph.node:
        given = values_bytes(seen.get(node.name, {}).get("output_type_shape", ()))
        sizes |= dict(zip((name for name in node.output if name), given, strict=False))
    return graph, names, sizes


def _prepared(content: bytes, path: Path | None) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The graph after the engine's rewriting, every node with a name of its own, and what it was called."""
    import onnxruntime

    with TemporaryDirectory() as folder:
        written = Path(folder) / "prepared.onnx"
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(written)
        options.log_severity_level = _SILENT
        onnxruntime.InferenceSession(str(path) if path else content, options, providers=["CPUExecutionProvider"])
        graph = onnx.load(written)
    given = onnx.load_from_string(content)
    known = {name: node.name for node in given.graph.node for name in node.output if node.name}
    names = {}
    for place, node in enumerate(graph.graph.node):
        plain = _MARK.sub("", node.name)
        names[f"n{place}"] = known.get(plain, plain) or node.op_type
        node.name = f"n{place}"
    return graph, names


def _profiled(graph: onnx.ModelProto, inputs: dict[str, NDArray[Any]], runs: int,
              threads: int) -> tuple[dict[str, dict[str, Any]], dict[str, list[float]]]:
    """By node, in the order of the first run: what the profile says, and milliseconds of each run."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.log_severity_level = _SILENT
    options.enable_profiling = True
    seen: dict[str, dict[str, Any]] = {}
    taken: dict[str, list[float]] = defaultdict(list)
    with TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = onnxruntime.InferenceSession(graph.SerializeToString(), options,
                                                   providers=["CPUExecutionProvider"])
            for _ in range(runs):
                session.run(None, inputs)
            events = json.loads(Path(session.end_profiling()).read_text())
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"onnxruntime cannot profile the file: {' '.join(str(error).split())}") from error
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            name = event["name"].removesuffix("_kernel_time")
            seen.setdefault(name, event["args"])
            taken[name].append(event["dur"] / 1000)
    return seen, taken


def _type(data_type: int) -> str:
    """The engine's name of a type of ONNX."""
    return {"float32": "float", "float64": "double"}.get(
        name := np.dtype(onnx.helper.tensor_dtype_to_np_dtype(data_type)).name, name)
