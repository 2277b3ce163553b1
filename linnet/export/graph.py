"""From a torch network to a small ONNX graph: constants stay computed, names stay short, nothing idle stays."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any

import onnx
import onnx_ir as ir
import onnxscript.optimizer
import torch
from onnx_ir.passes import common
from onnxscript import rewriter
from onnxscript.rewriter.rules.common import fuse_pad_into_conv_rule

from linnet.errors import LinnetError
from linnet.export.samples import LENGTHS, LONGEST
from linnet.nn import Model, fold_normalisation
from linnet.nn.carrying import kept_by, step_samples, streaming
from linnet.nn.recurrent import in_onnx_order
from linnet.runtime.card import GIVEN_ON, KEPT

OPSET = 20
FRONT = "front"
"""The name of the value that the front end hands to the network."""

_LARGEST_STORED = 8
"""Larger constants stay formulas: a stored DFT basis would outweigh a small network, and engines fold it at load."""

_SCOPES = "pkg.torch.onnx.name_scopes"
_NOTHING = "empty_nn_module_stack"
"""In the name of what the exporter made of no module."""


def to_graph(model: Model) -> onnx.ModelProto:
    """The model in evaluation mode as float32 ONNX: batch normalisation folded, any batch size.

    The nodes of the network carry the names of their layers, those of the front end none; its output is named FRONT.
    A causal network of recordings takes its state, too, and gives it on; the recordings may then have any length.
    """
    graph = _export(model)
    onnxscript.optimizer.fold_constants(graph, input_size_limit=_LARGEST_STORED, output_size_limit=_LARGEST_STORED)
    rewriter.rewrite(graph, [fuse_pad_into_conv_rule])  # a pad before a convolution would stay in float
    common.RemoveUnusedNodesPass()(graph)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(graph)
    common.DeduplicateInitializersPass(size_limit=_LARGEST_STORED)(graph)
    common.CommonSubexpressionEliminationPass()(graph)
    common.RemoveUnusedNodesPass()(graph)
    _name_nodes(graph.graph)
    _name_sizes(graph.graph)
    common.ClearMetadataAndDocStringPass()(graph)
    return ir.to_proto(graph)


def _export(model: Model) -> ir.Model:
    inputs, module = model.spec["inputs"], in_onnx_order(fold_normalisation(model.module).cpu())
    given, taken = tuple(map(_example, inputs)), list[str]()
    answers = [model.spec["output"]["name"]]
    dynamic: tuple[Any, ...] = tuple(_dynamic(entry) for entry in inputs)
    if step_samples(model) is not None:  # a chunk has any length, whatever the task's recordings have
        dynamic = tuple(_dynamic({**entry, "shape": [None] * len(entry["shape"])}) for entry in inputs)
        module = streaming(module)
        state = kept_by(module, given)
        given = (*given, *(torch.zeros(2, *shape) for shape in state.values()))
        dynamic = ((*dynamic, *(_dynamic({"shape": shape}) for shape in state.values())),)
        taken, answers = [KEPT + name for name in state], [*answers, *(GIVEN_ON + name for name in state)]
    with _quiet():
        program = torch.onnx.export(
            module, given, dynamo=True, optimize=False, verbose=False, opset_version=OPSET,
            input_names=[*(entry["name"] for entry in inputs), *taken], output_names=answers, dynamic_shapes=dynamic)
    if program is None:
        raise LinnetError(f"torch {torch.__version__} gave no ONNX graph for model '{model.name}'; "
                          "it needs torch 2.9 or later.")
    return program.model


def _example(entry: Mapping[str, Any]) -> torch.Tensor:
    """Two samples of what the network takes: zeros; lengths are those of the other array."""
    sizes = [LONGEST if size is None else size for size in entry["shape"]]
    return torch.full((2, *sizes), LONGEST if entry["name"] == LENGTHS else 0, dtype=getattr(torch, entry["dtype"]))


def _dynamic(entry: Mapping[str, Any]) -> dict[int, Any]:
    """The batch, and every size that the spec leaves open; a named size would be traced twice."""
    varying = [place for place, size in enumerate(entry["shape"], start=1) if size is None]
    return dict.fromkeys([0, *varying], torch.export.Dim.DYNAMIC)


def _name_sizes(graph: ir.Graph) -> None:
    """The batch is called that; another size by its array, an output's by the output."""
    for value in (*graph.inputs, *graph.outputs):
        if value.shape is not None:
            value.shape = ir.Shape([_size_name(str(value.name), place, size) for place, size in enumerate(value.shape)])


def _size_name(name: str, place: int, size: int | ir.SymbolicDim) -> int | str:
    if isinstance(size, int):
        return size
    return "batch" if place == 0 else f"{name}_size"


def _name_nodes(graph: ir.Graph) -> None:
    """Layers' names for the network's nodes; FRONT for the one value that the network takes from the front end."""
    inside: set[ir.Node] = set()
    for node in reversed(graph):  # the exporter gives some nodes no scope: whatever the front end needs is part of it
        if FRONT in _scopes(node) or any(use.node in inside for value in node.outputs for use in value.uses()):
            inside.add(node)
    seen = Counter[str]()
    handed = [value for node in graph if node in inside for value in node.outputs
              if any(use.node not in inside for use in value.uses())]
    for value in handed[-1:]:  # sizes, too, are handed over; the picture is what comes last
        value.name = FRONT
    for node in graph:
        layer = _layer(node)
        seen[layer] += node not in inside
        node.name = None if node in inside else layer if seen[layer] == 1 else f"{layer}.{seen[layer]}"


def _layer(node: ir.Node) -> str:
    """ "stem.conv" for a node in the module layers.stem.conv; the function's own name for one outside of any."""
    *modules, function = _scopes(node)
    name = modules[-1] or function
    return node.op_type.lower() if not name or _NOTHING in name else name.removeprefix("layers.")


def _scopes(node: ir.Node) -> list[str]:
    """Modules from the outermost, named "", to the innermost, then the function: ["", "head", "linear"]."""
    text = node.metadata_props.get(_SCOPES, "['', '']")
    return [part.strip(" '") for part in text.strip("[]").split(",")]


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's notes on its own insides are not for the user; levels and filters are as before afterwards."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
