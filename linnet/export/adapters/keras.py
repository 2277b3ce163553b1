"""Keras 3, by its own ONNX export; with the torch backend (KERAS_BACKEND=torch) nothing more is needed.

The model gets the task's array, cast to the dtype that it takes: what it was trained to do with pixels from 0 to 255
(a Rescaling layer) is its own. Its outputs are the labels in the order of the task.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import Foreign, Scale, both_columns, converting, one_label
from linnet.export.adapters.wiring import wire
from linnet.tasks import Arrays, Task

_PROBABILITIES = ("softmax", "sigmoid")


def foreign(source: Any, task: Task) -> Foreign:
    """The model as a graph; its last activation says whether it answers with probabilities."""
    what = f"{type(source).__name__} '{source.name}'"
    if task.kind == "classify":
        one_label(task, what)
    if len(source.inputs or ()) != 1 or len(source.outputs or ()) != 1:
        raise LinnetError(f"{what} must have one input and one output, and be built; it has "
                          f"{len(source.inputs or ())} and {len(source.outputs or ())}.")
    if len(task.arrays) != 1:
        raise LinnetError(f"{what} takes one array, the task gives {', '.join(task.arrays)}.")
    with converting(what, "keras"), TemporaryDirectory() as folder:
        import keras

        dtype, shape = source.inputs[0].dtype, [size or 1 for size in source.inputs[0].shape[1:]]
        source(np.zeros((1, *shape), dtype))  # the exporter asks for a model that was called
        source.export(Path(folder) / "model.onnx", format="onnx", verbose=False)
        graph = onnx.load(Path(folder) / "model.onnx")
    activation = getattr(getattr(source.layers[-1], "activation", None), "__name__", "")
    scale: Scale = "probabilities" if activation in _PROBABILITIES and task.kind == "classify" else "scores"
    wired = wire(graph, task, output=graph.graph.output[0].name, scale=scale)

    def answers(arrays: Arrays) -> NDArray[Any]:
        (values,) = arrays.values()
        said = np.asarray(source.predict(values.astype(dtype), verbose=0))
        return both_columns(said, scale) if task.kind == "classify" else said

    return Foreign("Keras", keras.__version__, f"{what} on {keras.backend.backend()}", wired, answers, scale)
