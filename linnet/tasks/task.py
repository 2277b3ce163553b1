"""The Task protocol: what is asked of a model, in arrays that every engine understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset

Arrays = Mapping[str, NDArray[Any]]
"""Named arrays, the batch first: {"audio": (batch, samples) float32} in, {"logits": (batch, classes) float32} out."""

Predictor = Callable[[Arrays], Arrays]
"""A model, a shipped file and a remote server are all one."""

Shape = tuple[int | None, ...]
"""Of one sample; None for what varies and is padded to the longest of the batch."""


@runtime_checkable
class Task(Protocol):
    """read (columns to samples), prepare (to arrays), decode (arrays to answers), score (answers to numbers)."""

    @property
    def kind(self) -> str:
        """The name under which `tasks.TASKS` knows it."""
        ...

    @property
    def loss(self) -> str:
        """The name of the loss in `train.losses.LOSSES`; the task itself knows no network."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that go in."""
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
        """What can be answered; empty where the answer is a number."""
        ...

    @property
    def noun(self) -> str:
        """What samples are called in a sentence: "recordings", "images", "texts", "rows"."""
        ...

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Each input array's dtype and shape of one sample: {"audio": ("float32", (8000,))}."""
        ...

    @property
    def output(self) -> tuple[str, Shape]:
        """The name of the array that a model answers with, and its shape of one sample: ("logits", (10,))."""
        ...

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """The decoded samples: sounds, images, texts, or rows of values by column."""
        ...

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Samples to a batch of input arrays."""
        ...

    def targets(self, dataset: Dataset) -> NDArray[Any]:
        """What the loss needs, one row a sample."""
        ...

    def expected(self, dataset: Dataset) -> list[str]:
        """The right answers, in the form in which `decode` gives them."""
        ...

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """Output arrays to answers, structured ones as JSON; `samples` are what was asked, where an answer needs it."""
        ...

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 for each right answer, 0 for each wrong one."""
        ...

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """The field's further figures over all answers, by name; empty where the share of right ones says it all."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Everything that `tasks.from_json` needs to make the same task again; travels in the card."""
        ...
