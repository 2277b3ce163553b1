"""The graph of a network with more than one operator in a module, and of one without a front end."""

from __future__ import annotations

import onnx
import torch

from linnet.export.compact import compact
from linnet.export.graph import FRONT, to_graph
from linnet.nn import Model

SPEC = {"family": "test", "inputs": [{"name": "x", "dtype": "float32", "shape": [4]}],
        "output": {"name": "logits", "shape": [4]}, "layers": []}


class Twice(torch.nn.Module):
    """Two products in one module."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(16.0).reshape(4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ self.weight) @ self.weight + 1e-10


def test_operators_of_one_module_get_different_names_and_tiny_constants_stay() -> None:
    graph = to_graph(Model(torch.nn.Sequential(Twice()), SPEC))
    assert [(node.op_type, node.name) for node in graph.graph.node] == [
        ("MatMul", "0"), ("Relu", "0.2"), ("MatMul", "0.3"), ("Add", "0.4")]
    onnx.checker.check_model(compact(graph, keep=(FRONT,)), full_check=True)


def test_compacting_leaves_its_argument_as_it_was() -> None:
    graph = to_graph(Model(torch.nn.Sequential(Twice()), SPEC))
    before = graph.SerializeToString(deterministic=True)
    assert compact(graph).ByteSize() < graph.ByteSize()
    assert graph.SerializeToString(deterministic=True) == before
