"""Observe: run a graph on samples and look at values inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.samples import beginning

Sample = Mapping[str, NDArray[Any]]
Seen = dict[str, NDArray[np.float32]]


def observe(model: onnx.ModelProto, names: Sequence[str], samples: Iterable[Sample]) -> Iterator[Seen]:
    """The float32 values of these names, one dict a sample; the graph computes as it is written. Where a stream
    keeps something, nothing was heard before a sample.

    Raises LinnetError with the engine's words where it cannot run, or a value is not finite.
    """
    session = _session(cut(model, names))
    first = beginning(session)
    for number, sample in enumerate(samples):
        try:
            values = session.run(list(names), {port.name: first[port.name] if port.name in first else sample[port.name]
                                               for port in session.get_inputs()})
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"the graph cannot be run on sample {number}: {' '.join(str(error).split())}.") from error
        for name, value in zip(names, values, strict=True):
            if not np.isfinite(value).all():
                raise LinnetError(f"at calibration sample {number} the value '{name}' is not finite: its range cannot "
                                  "be read. Look for NaN or very large numbers in the samples.")
        yield dict(zip(names, values, strict=True))


def cut(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The part of the graph that leads to these values, which are its outputs."""
    needed, nodes = set(names), []
    for node in reversed(model.graph.node):
        if needed.intersection(node.output):
            nodes.append(node)
            needed.update(node.input)
            needed.update(_inside(node))
    part = onnx.ModelProto()
    part.CopyFrom(model)
    graph = part.graph
    del graph.node[:], graph.output[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in needed)
    inputs = [port for port in model.graph.input if port.name in needed]
    del graph.input[:]
    graph.input.extend(inputs)
    graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    return part


def _inside(node: onnx.NodeProto) -> Iterator[str]:
    """What the branches of a node take from outside of them."""
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from inner.input
                yield from _inside(inner)
            yield from (port.name for port in graph.output)


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see above
        raise LinnetError(f"onnxruntime cannot load the graph: {' '.join(str(error).split())}.") from error
