"""Foreign: a model of another framework as a graph, beside the answers of the framework itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra
from linnet.tasks import Arrays, Task

Scale = Literal["scores", "probabilities"]
TINY = 1e-12
"""Probabilities below count as this, so that their logarithm is a number."""


@dataclass(frozen=True)
class Foreign:
    """What an adapter makes. `answers` gives the source's own (batch, ...) for input arrays, in the task's order.

    On the scale "probabilities" both sides are probabilities of the labels: the graph answers with their logarithm.
    """

    framework: str
    version: str
    described: str
    """What the source is, in its framework's words."""
    graph: onnx.ModelProto
    answers: Callable[[Arrays], NDArray[Any]]
    scale: Scale


def label_order(task: Task, classes: Sequence[Any], what: str) -> tuple[int, ...]:
    """Where each of the task's labels stands among the source's classes: by name, or by number where these are numbers.

    Raises LinnetError listing labels that only one of the two knows.
    """
    names = [str(one) for one in classes]
    numbers = [str(number) for number in range(len(task.labels))]
    by_name, by_number = sorted(names) == sorted(task.labels), names == numbers
    if by_number and by_name and names != list(task.labels):
        raise LinnetError(f"{what} knows its classes by the numbers {', '.join(names[:5])}, ..., which are labels of "
                          "the task in another order: train it on the labels as texts.")
    if by_name:
        return tuple(names.index(label) for label in task.labels)
    if by_number:
        return tuple(range(len(task.labels)))
    missing, strange = sorted(set(task.labels) - set(names)), sorted(set(names) - set(task.labels))
    raise LinnetError(f"{what} and the task know different labels: only the task {_listed(missing)}, only the source "
                      f"{_listed(strange)}. Train it on data with all labels of the task, and no others.")


def one_label(task: Task, what: str) -> None:
    """Raise LinnetError unless the task asks for one label a sample."""
    if task.kind != "classify" or getattr(task, "choice", "one") == "many":
        asks = "for many labels a sample" if task.kind == "classify" else f"to {task.kind}"
        raise LinnetError(f"{what} can be adopted for a task that asks for one label a sample, or for a number; this "
                          f"one asks {asks}. Give an .onnx file with one output in the form of the task's.")


def row_size(task: Task, what: str) -> int:
    """How many numbers one sample of the task's one array has."""
    shapes = [[size for size in shape if size is not None] for dtype, shape in task.arrays.values()
              if dtype != "string" and None not in shape]
    if len(task.arrays) != 1 or not shapes:
        raise LinnetError(f"{what} takes rows of numbers, all of one length; the task gives {', '.join(task.arrays)}.")
    return math.prod(shapes[0])


def rows_of_numbers(arrays: Arrays) -> NDArray[np.float32]:
    """The one input array as a table: (batch, numbers) float32."""
    (values,) = arrays.values()
    return np.asarray(values.reshape(len(values), -1), dtype=np.float32)


def both_columns(values: NDArray[Any], scale: Scale) -> NDArray[Any]:
    """Two columns from what a classifier of two classes says of the second one alone."""
    if values.ndim == 2 and values.shape[1] > 1:
        return values
    second = values.reshape(-1, 1)
    return np.concatenate([1 - second if scale == "probabilities" else -second, second], axis=1)


@contextmanager
def converting(what: str, package: str) -> Iterator[None]:
    """Every way in which a conversion fails becomes one error; what the converter prints is not for the user."""
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or package, "foreign") from error
    except LinnetError:
        raise
    except Exception as error:  # the converters' errors have no class in common
        said = " ".join(str(error).split())
        raise LinnetError(f"{package} cannot convert {what}: {type(error).__name__}: {said:.600}") from error


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return (", ".join(names[:6]) + more) or "none"
