"""Tidy: any ONNX graph in the form that quantization works on; what it computes stays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnx_ir as ir
import onnxscript.optimizer
from onnx_ir.passes import common
from onnxscript import rewriter
from onnxscript.rewriter.rules.common import fuse_pad_into_conv_rule

from linnet.errors import LinnetError
from linnet.export.ptq.folding import fold_normalisation
from linnet.export.ptq.kernels import use_kernels

_OPSET = 17
"""Older graphs are converted: a scale per channel came with 13, and layer normalisation as one operator with 17."""
_LARGEST_FOLDED = 1 << 22


def tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with stored constants, batch normalisation folded into what it follows, operators for which there
    are 8-bit kernels where others would answer the same, and a name for every node.

    Every convolution has a bias then. Raises LinnetError for a graph of an older opset that cannot be converted.
    """
    named = onnx.ModelProto()
    named.CopyFrom(_recent(model))
    _name_nodes(named.graph)
    graph = ir.from_proto(named)
    onnxscript.optimizer.fold_constants(graph, input_size_limit=_LARGEST_FOLDED, output_size_limit=_LARGEST_FOLDED)
    common.IdentityEliminationPass()(graph)
    rewriter.rewrite(graph, [fuse_pad_into_conv_rule])
    common.RemoveUnusedNodesPass()(graph)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(graph)
    common.RemoveUnusedNodesPass()(graph)
    tidied = ir.to_proto(graph)
    fold_normalisation(tidied.graph)
    add_biases(tidied.graph)
    use_kernels(tidied.graph, _ranks(tidied))
    _name_nodes(tidied.graph)
    return tidied


def _ranks(model: onnx.ModelProto) -> dict[str, int]:
    """How many axes values have, where shape inference tells."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    return {value.name: len(value.type.tensor_type.shape.dim)
            for value in (*inferred.value_info, *inferred.input, *inferred.output)
            if value.type.tensor_type.HasField("shape")}


def add_biases(graph: onnx.GraphProto) -> None:
    """A bias of zeros for convolutions that have none, so that there is something to correct."""
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Conv" and len(node.input) == 2 and node.input[1] in shapes:
            name = f"{node.output[0]}/bias"
            zeros = np.zeros(shapes[node.input[1]][0], np.float32)
            graph.initializer.append(onnx.numpy_helper.from_array(zeros, name))
            node.input.append(name)


def _recent(model: onnx.ModelProto) -> onnx.ModelProto:
    opset = next((found.version for found in model.opset_import if found.domain in ("", "ai.onnx")), 0)
    if opset >= _OPSET:
        return model
    try:
        return onnx.version_converter.convert_version(model, _OPSET)
    except Exception as error:  # its errors have no class in common
        raise LinnetError(f"the graph is of opset {opset} and cannot be converted to {_OPSET}, which 8 bits need: "
                          f"{' '.join(str(error).split())}. Export it again, with opset_version={_OPSET} or later.") \
            from error


def _name_nodes(graph: onnx.GraphProto) -> None:
    """Its own name, else that of its operator, with a number where that occurs twice."""
    seen = Counter[str]()
    for node in graph.node:
        name = node.name or node.op_type.lower()
        seen[name] += 1
        node.name = name if seen[name] == 1 else f"{name}_{seen[name]}"
