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
_EIGHT_BITS = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
_GEMM_TO_8_BITS = 9
"""Inputs of a QGemm that gives 8 bits: the last two say how it rounds its sum."""
_PRODUCT = "a product of two activations (attention): in float by design"
_MEANT = {
    "FusedMatMul": _PRODUCT,
    "GRU": "no 8-bit kernel: its weights are stored in 8 bits, it computes in float",
    "LayerNormalization": "a normalisation: in float by design",
    "MatMul": _PRODUCT,
    "SkipLayerNormalization": "a normalisation: in float by design",
    "Softmax": "a softmax (attention): in float by design",
}
"""Why an operator of the network was not to become an 8-bit one."""


def realised(content: bytes, *, quantized: bool, layers: Iterable[str] = (),
             asked: Iterable[str] | None = None, excluded: Iterable[str] = ()) -> Realised:
    """Operators by type and precision after onnxruntime has prepared the file; `layers` are the network's node names.

    An operator counts as int8 where it computes on 8-bit values: not one that stands between a pair of
    QuantizeLinear and DequantizeLinear which the engine did not melt into it. `asked` are the names of the nodes that
    were to become int8 ones, without it all layers; `excluded` those that were to stay in float.
    """
    graph = optimised(content).graph
    narrow, behind = _trace(graph)
    wanted, kept = set(layers if asked is None else asked), set(excluded)
    int8, wide = Counter[str](), Counter[str]()
    left: dict[str, list[str]] = {}
    front: set[str] = set()
    meant: set[str] = set()
    spared: dict[str, list[str]] = {}
    makers = {name: node.name for node in onnx.load_from_string(content).graph.node for name in node.output}
    for index, node in enumerate(graph.node):
        name = re.sub(r"(_token_\d+|/\w+/)$", "", node.name)
        name = makers.get(name.removesuffix("_nchwc"), name)  # in that layout a convolution is called as its output
        if index in narrow:
            int8[node.op_type] += 1
            continue
        wide[node.op_type] += 1
        if node.op_type in _BORDER:
            continue
        if name in wanted or (index in behind and asked is None):
            left.setdefault(node.op_type, []).append(name or node.op_type)
        elif name in kept:
            spared.setdefault(node.op_type, []).append(name)
        elif index in behind or name:
            meant.add(node.op_type)
        else:
            front.add(node.op_type)
    return Realised.model_validate({
        "engine": "onnxruntime", "version": onnxruntime.__version__, "processor": processor_name(),
        "int8": dict(sorted(int8.items())), "float": dict(sorted(wide.items())),
        "float_reasons": _reasons(wide, front, meant, spared, left) if quantized else {}})


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


def _trace(graph: onnx.GraphProto) -> tuple[set[int], set[int]]:
    """Nodes (by place, in the order of the signal) that compute on 8 bits, and all that come after a quantization."""
    eight_bits = {tensor.name for tensor in graph.initializer if tensor.data_type in _EIGHT_BITS}
    quantized: set[str] = set()
    narrow, behind = set(), set()
    for index, node in enumerate(graph.node):
        if any(name in quantized for name in node.input):
            behind.add(index)
            quantized.update(node.output)
        if node.op_type == "QuantizeLinear":
            quantized.update(node.output)
            eight_bits.update(node.output)
        elif node.op_type != "DequantizeLinear" and any(name in eight_bits for name in node.input):
            narrow.add(index)
            quantized.update(node.output)
            if node.op_type in _MOVES or node.op_type.startswith("QLinear") or len(node.input) == _GEMM_TO_8_BITS:
                eight_bits.update(node.output)
        elif any(name in eight_bits for name in node.input):
            quantized.update(node.output)
    return narrow, behind


def _reasons(wide: Counter[str], front: set[str], meant: set[str], spared: dict[str, list[str]],
             left: dict[str, list[str]]) -> dict[str, str]:
    reasons = {}
    for operator in sorted(wide):
        parts = ["the border between float and 8 bits"] if operator in _BORDER else []
        parts += ["front end: in float by design"] if operator in front else []
        parts += [_MEANT.get(operator, "between operators that are in float")] if operator in meant else []
        parts += [f"excluded: {', '.join(spared[operator])}"] if operator in spared else []
        parts += [f"onnxruntime kept {', '.join(left[operator])} in float"] if operator in left else []
        reasons[operator] = "; ".join(parts)
    return reasons
