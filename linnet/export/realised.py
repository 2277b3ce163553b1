"""Realised precision: what an engine made of the file, read from the engine's own optimised graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import onnxruntime

from linnet.runtime import Realised
from linnet.runtime.processor import processor_name

_BORDER = ("QuantizeLinear", "DequantizeLinear")
_MOVES = ("Concat", "Flatten", "Gather", "MaxPool", "NhwcMaxPool", "Pad", "Reshape", "Slice", "Split", "Squeeze",
          "Transpose", "Unsqueeze", "ReorderInput", "ReorderOutput")
"""Operators whose output is as many bits wide as their input."""


def realised(content: bytes, *, quantized: bool, layers: Iterable[str] = ()) -> Realised:
    """Operators by type and precision after onnxruntime has prepared the file; `layers` are the network's node names.

    An operator counts as int8 where it computes on 8-bit values: not one that stands between a pair of
    QuantizeLinear and DequantizeLinear which the engine did not melt into it.
    """
    nodes = optimised(content).graph.node
    narrow, behind = _trace(nodes)
    names = set(layers)
    int8, wide = Counter[str](), Counter[str]()
    left: dict[str, list[str]] = {}
    front: set[str] = set()
    for index, node in enumerate(nodes):
        name = re.sub(r"_token_\d+$", "", node.name)
        if index in narrow:
            int8[node.op_type] += 1
            continue
        wide[node.op_type] += 1
        if node.op_type not in _BORDER and (index in behind or name in names):
            left.setdefault(node.op_type, []).append(name or node.op_type)
        elif node.op_type not in _BORDER:
            front.add(node.op_type)
    return Realised.model_validate({
        "engine": "onnxruntime", "version": onnxruntime.__version__, "processor": processor_name(),
        "int8": dict(sorted(int8.items())), "float": dict(sorted(wide.items())),
        "float_reasons": _reasons(wide, front, left) if quantized else {}})


def optimised(content: bytes) -> onnx.ModelProto:
    """The graph that onnxruntime runs on this machine, after all of its rewriting."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "optimised.onnx"
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return onnx.load(path)


def _trace(nodes: Iterable[onnx.NodeProto]) -> tuple[set[int], set[int]]:
    """Nodes (by place, in the order of the signal) that compute on 8 bits, and all that come after a quantization."""
    eight_bits: set[str] = set()
    quantized: set[str] = set()
    narrow, behind = set(), set()
    for index, node in enumerate(nodes):
        if any(name in quantized for name in node.input):
            behind.add(index)
            quantized.update(node.output)
        if node.op_type == "QuantizeLinear":
            quantized.update(node.output)
            eight_bits.update(node.output)
        elif node.op_type != "DequantizeLinear" and node.input and node.input[0] in eight_bits:
            narrow.add(index)
            if node.op_type in _MOVES or node.op_type.startswith("QLinear"):
                eight_bits.update(node.output)
    return narrow, behind


def _reasons(wide: Counter[str], front: set[str], left: dict[str, list[str]]) -> dict[str, str]:
    reasons = {}
    for operator in sorted(wide):
        parts = ["the border between float and 8 bits"] if operator in _BORDER else []
        parts += ["front end: in float by design"] if operator in front else []
        parts += [f"onnxruntime kept {', '.join(left[operator])} in float"] if operator in left else []
        reasons[operator] = "; ".join(parts)
    return reasons
