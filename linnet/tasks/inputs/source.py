"""What goes in: the Input protocol, and the options by which a task chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypedDict, runtime_checkable

from linnet.data import Dataset
from linnet.data.tokenizer import Tokenizer
from linnet.errors import LinnetError
from linnet.tasks.task import Arrays, Shape


@runtime_checkable
class Input(Protocol):
    """read (columns to samples) and prepare (samples to arrays), whatever is asked about them."""

    @property
    def kind(self) -> str:
        """The name under which `inputs.INPUTS` knows it."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that go in."""
        ...

    @property
    def noun(self) -> str:
        """What samples are called in a sentence: "recordings", "images", "texts", "rows"."""
        ...

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Each array's dtype and shape of one sample; None for what varies."""
        ...

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """The decoded samples, in the order of the rows."""
        ...

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Samples to a batch of arrays."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Everything that `inputs.from_json` needs."""
        ...


class Options(TypedDict, total=False):
    """What may be said about an input; each kind takes its own and refuses the others. None: left out."""

    seconds: float | None
    """Recordings: the length of the window, or the longest recording that is taken."""
    sample_rate_hz: int | None
    """Recordings: the rate that the network hears; else the most frequent one of the training part."""
    size: int | Sequence[int] | None
    """Images: height and width, or both in one number; else the most frequent size of the training part."""
    length: int | None
    """Texts: so many tokens; else enough for 99 of 100 training texts."""
    vocabulary: int | None
    """Texts: so many tokens are learnt (2000), padding and unknown included."""
    tokenizer: Tokenizer | Path | str | None
    """Texts: a Tokenizer, a JSON file, or which kind is trained on the training part ("bpe", "word", "character");
    None for raw strings, which only foreign models take."""


def parts_of(data: Any) -> list[Dataset]:
    """The training part first; one dataset stands for itself."""
    return [data] if isinstance(data, Dataset) else [data.train, data.validation, data.test]


def check_columns(parts: Sequence[Dataset], inputs: str | Sequence[str], target: str, groups: Sequence[str]) -> None:
    """Raises LinnetError for a column that is not there."""
    if isinstance(groups, str):
        raise LinnetError(f"groups is a list of columns, such as ['{groups}']; got '{groups}'.")
    for name in (*([inputs] if isinstance(inputs, str) else inputs), target, *groups):
        parts[0].column(name)


def refuse_answer(takes: Input, target: str) -> None:
    """Raises LinnetError where the answer would be given with the question."""
    if target in takes.columns:
        raise LinnetError(f"'{target}' is what is asked for; it cannot go in as well. Leave it out of the input.")


def named(part: Dataset) -> str:
    """How a part is called in a sentence."""
    return part.part or part.name
