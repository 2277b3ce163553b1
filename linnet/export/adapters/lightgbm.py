"""LightGBM, by onnxmltools: its classifiers and regressors, and a Booster, over rows of numbers.

A Booster knows its classes only by number: number 0 is the task's first label. The graph compares in float32, as the
task's arrays are; train on these (`task.prepare`), so that no threshold lies between.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import (
    Foreign,
    Scale,
    both_columns,
    converting,
    label_order,
    one_label,
    row_size,
    rows_of_numbers,
)
from linnet.export.adapters.wiring import wire
from linnet.tasks import Arrays, Task

_OPSET = 15
_CLASSIFIES = ("binary", "multiclass", "softmax")


def foreign(source: Any, task: Task) -> Foreign:
    """The trees as a graph. Raises LinnetError for an objective that gives neither classes nor a number."""
    what = type(source).__name__
    with converting(what, "lightgbm"):
        import lightgbm

        booster = source.booster_ if hasattr(source, "booster_") else source
        objective = str(booster.params.get("objective", booster.dump_model().get("objective", ""))).split(" ")[0]
    is_classifier = objective in _CLASSIFIES
    if not is_classifier and task.kind != "regress":
        raise LinnetError(f"{what} was trained for '{objective}', the task asks to {task.kind}: train with one of "
                          f"{', '.join(_CLASSIFIES)}.")
    if is_classifier:
        one_label(task, what)
    scale: Scale = "probabilities" if is_classifier else "scores"
    size = row_size(task, what)
    with converting(what, "onnxmltools"):
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType

        graph = onnxmltools.convert_lightgbm(
            source, initial_types=[("rows", FloatTensorType([None, size]))], zipmap=False,
            target_opset=_OPSET)
    classes = list(getattr(source, "classes_", range(len(task.labels))))
    order = label_order(task, classes, what) if is_classifier else None
    wired = wire(graph, task, output=graph.graph.output[-1].name, scale=scale, order=order)

    def answers(arrays: Arrays) -> NDArray[Any]:
        said = np.asarray(booster.predict(rows_of_numbers(arrays), num_threads=1))
        return both_columns(said, scale)[:, order] if is_classifier else said.reshape(len(said), -1)

    return Foreign("LightGBM", lightgbm.__version__, f"{what}({objective}, {booster.num_trees()} trees)", wired,
                   answers, scale)
