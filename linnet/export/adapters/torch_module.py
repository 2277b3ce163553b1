"""PyTorch, by its own exporter: any nn.Module whose forward takes the task's arrays and gives its one output.

The arrays come in the order in which the task names them, the batch first. Outputs are the labels in the task's order.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import Foreign, converting
from linnet.export.graph import to_graph
from linnet.nn import Model
from linnet.tasks import Arrays, Task


def foreign(source: torch.nn.Module, task: Task) -> Foreign:
    """The module as a graph, in evaluation mode."""
    what = type(source).__name__
    name, shape = task.output
    inputs = [{"name": array, "dtype": dtype, "shape": list(size)} for array, (dtype, size) in task.arrays.items()]
    if any(entry["dtype"] == "string" for entry in inputs):
        raise LinnetError(f"{what} cannot take texts as they are: make the task with a tokenizer.")
    model = Model(source, {"family": "foreign", "inputs": inputs, "output": {"name": name, "shape": list(shape)},
                           "layers": []}, name=what)
    with converting(what, "torch"):
        graph = to_graph(model)

    def answers(arrays: Arrays) -> NDArray[Any]:
        with converting(what, "torch"):
            return model(arrays)[name]

    return Foreign("PyTorch", torch.__version__, what, graph, answers, "scores")
