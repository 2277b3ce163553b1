"""From a torch network to a small ONNX graph: constants stay computed, names stay short, nothing idle stays."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import onnx
import onnx_ir as ir
import onnxscript.optimizer
import torch
from onnx_ir.passes import common

from linnet.errors import LinnetError
from linnet.nn import Model, fold_normalisation

OPSET = 20
FRONT = "front"
"""The name of the value that the front end hands to the network."""

_LARGEST_STORED = 8
"""Larger constants stay formulas: a stored DFT basis would outweigh a small network, and engines fold it at load."""

_SCOPES = "pkg.torch.onnx.name_scopes"


def to_graph(model: Model) -> onnx.ModelProto:
    """The model in evaluation mode as float32 ONNX: batch normalisation folded, any batch size.

    The nodes of the network carry the names of their layers, those of the front end none; its output is named FRONT.
    """
    graph = _export(model)
    onnxscript.optimizer.fold_constants(graph, input_size_limit=_LARGEST_STORED, output_size_limit=_LARGEST_STORED)
    common.RemoveUnusedNodesPass()(graph)
    common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(graph)
    common.DeduplicateInitializersPass(size_limit=_LARGEST_STORED)(graph)
    common.CommonSubexpressionEliminationPass()(graph)
    common.RemoveUnusedNodesPass()(graph)
    _name_nodes(graph.graph)
    common.ClearMetadataAndDocStringPass()(graph)
    return ir.to_proto(graph)


def _export(model: Model) -> ir.Model:
    inputs = model.spec["inputs"]
    examples = tuple(torch.zeros((2, *entry["shape"]), dtype=getattr(torch, entry["dtype"])) for entry in inputs)
    module = fold_normalisation(model.module).cpu()
    with _quiet():
        program = torch.onnx.export(
            module, examples, dynamo=True, optimize=False, verbose=False, opset_version=OPSET,
            input_names=[entry["name"] for entry in inputs], output_names=[model.spec["output"]["name"]],
            dynamic_shapes=tuple({0: torch.export.Dim("batch")} for _ in inputs))
    if program is None:
        raise LinnetError(f"torch {torch.__version__} gave no ONNX graph for model '{model.name}'; "
                          "it needs torch 2.9 or later.")
    return program.model


def _name_nodes(graph: ir.Graph) -> None:
    """Layers' names for the network's nodes; FRONT for the one value that the network takes from the front end."""
    inside: set[ir.Node] = set()
    for node in reversed(graph):  # the exporter gives some nodes no scope: whatever the front end needs is part of it
        if FRONT in _scopes(node) or any(use.node in inside for value in node.outputs for use in value.uses()):
            inside.add(node)
    seen = Counter[str]()
    for node in graph:
        layer = _layer(node)
        seen[layer] += node not in inside
        node.name = None if node in inside else layer if seen[layer] == 1 else f"{layer}.{seen[layer]}"
        for value in node.outputs:
            if node in inside and any(use.node not in inside for use in value.uses()):
                value.name = FRONT


def _layer(node: ir.Node) -> str:
    """ "stem.conv" for a node in the module layers.stem.conv; the function's own name for one outside of any."""
    *modules, function = _scopes(node)
    return (modules[-1] or function).removeprefix("layers.")


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
