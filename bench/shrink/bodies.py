"""A network's file cut where the front end hands over: what is compared is behind it, the same for both sides."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from networks import Network
from numpy.typing import NDArray

Row = dict[str, NDArray[Any]]
FRONT = "front"


def crossing(graph: onnx.ModelProto) -> list[str]:
    """What the network takes: the front end's picture, and what else crosses; the file's own inputs without a front."""
    made = {name for node in graph.graph.node for name in node.output}
    if FRONT not in made:
        return [entry.name for entry in graph.graph.input]
    before = {entry.name for entry in graph.graph.input}  # what depends on the inputs and is no network's yet
    taken = set()
    for node in graph.graph.node:  # the front end's nodes have no name, and neither have the quantizer's
        if node.name or node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            taken.update(before.intersection(node.input))
        elif before.intersection(node.input):
            before.update(node.output)
    return sorted(taken)


def cut(path: Path, out: Path) -> Path:
    """The part of the file behind its front end, all of it where it has none; without card, tokenizer and claims."""
    graph = onnx.load(path)
    del graph.metadata_props[:]
    taken = crossing(graph)
    if taken == [entry.name for entry in graph.graph.input]:
        onnx.save(graph, out)
    else:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "plain.onnx"
            onnx.save(onnx.shape_inference.infer_shapes(graph), plain)
            onnx.utils.extract_model(str(plain), str(out), taken, [entry.name for entry in graph.graph.output])
    return out


def fronts(path: Path, samples: list[Row]) -> list[Row]:
    """What the file's front end makes of each sample; the samples themselves where it has none."""
    graph = onnx.load(path)
    taken = crossing(graph)
    inputs = [entry.name for entry in graph.graph.input]
    if taken == inputs:
        return samples
    made = [name for name in taken if name not in inputs]
    shapes = {value.name: value for value in onnx.shape_inference.infer_shapes(graph).graph.value_info}
    graph.graph.output.extend(shapes[name] for name in made)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [{**dict(zip(made, session.run(made, row), strict=True)),
             **{name: row[name] for name in taken if name in inputs}} for row in samples]


def unpadded(network: Network, samples: list[Row]) -> list[Row]:
    """What the network's own front end makes of recordings, as torch has it."""
    with torch.no_grad():
        return [{FRONT: network.model.module.front(torch.from_numpy(row["audio"])).numpy()} for row in samples]


def store(path: Path, samples: list[Row]) -> None:
    """Arrays named "<row>/<input>", as peers.py reads them."""
    np.savez(path, **{f"{number}/{name}": values for number, row in enumerate(samples) for name, values in row.items()})
