"""The Task protocol: what is asked of a model, in arrays that every engine understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Media

Arrays = Mapping[str, NDArray[Any]]
"""Named arrays, the batch first: {"audio": (batch, samples) float32} in, {"logits": (batch, classes) float32} out."""

Predictor = Callable[[Arrays], Arrays]
"""A model, a shipped file and a remote server are all one."""

@runtime_checkable
class Task(Protocol):
    """prepare (media to arrays), decode (arrays to answers), score (answers and targets to numbers)."""

    @property
    def kind(self) -> str:
        """The name under which `tasks.TASKS` knows it."""
        ...

    @property
    def loss(self) -> str:
        """The name of the loss in `train.losses.LOSSES`; the task itself knows no network."""
        ...

    @property
    def input(self) -> str:
        """The column that goes in."""
        ...

    @property
    def target(self) -> str:
        """The column to be answered."""
        ...

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns by which results are told apart."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """What can be answered."""
        ...

    @property
    def arrays(self) -> Mapping[str, tuple[str, tuple[int, ...]]]:
        """Each input array's dtype and shape of one sample: {"audio": ("float32", (8000,))}."""
        ...

    def prepare(self, media: Sequence[Media]) -> Arrays:
        """Decoded samples to a batch of input arrays."""
        ...

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """What the loss needs, one row a sample."""
        ...

    def decode(self, outputs: Arrays) -> list[str]:
        """Output arrays to answers."""
        ...

    def score(self, answers: Sequence[str], targets: Sequence[str]) -> NDArray[np.float64]:
        """One number in [0, 1] a row, larger is better."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Everything that `tasks.from_json` needs to make the same task again; travels in the card."""
        ...
