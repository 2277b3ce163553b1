"""Session: a file that an engine has loaded; what every engine adapter gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.tasks import Arrays

INT8, FLOAT = "int8", "float"
"""The precisions in which operators are counted."""
_FORMS = 1000
"""So many forms are kept; recordings of any length have no end of them."""

Form = tuple[tuple[str, Any, tuple[int, ...]], ...]
"""Names, dtypes and shapes of inputs."""


@dataclass(frozen=True)
class Port:
    """One named input or output: its dtype and its shape, the batch first; None is a size that may be anything."""

    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.dtype} ({', '.join('any' if size is None else str(size) for size in self.shape)})"


class Session(Protocol):
    """A loaded file. Adapters check their inputs with `check_inputs` and raise LinnetError, never the engine's own."""

    @property
    def engine(self) -> str:
        """The name under which ENGINES knows it."""
        ...

    @property
    def version(self) -> str:
        """The engine's own version."""
        ...

    @property
    def threads(self) -> int:
        """How many threads one run may use."""
        ...

    @property
    def inputs(self) -> Mapping[str, Port]:
        """What the file takes."""
        ...

    @property
    def outputs(self) -> Mapping[str, Port]:
        """What the file gives."""
        ...

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        ...

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """What the engine computes these inputs with: "int8" or "float" to the engine's own operators and their number.

        An operator counts as int8 where it computes on 8-bit values. Empty where the engine does not tell.
        """
        ...


@dataclass(frozen=True)
class Fitting:
    """What a file takes, and the forms of inputs checked so far: a check takes longer than a small file runs."""

    inputs: Mapping[str, Port]
    forms: set[Form] = field(default_factory=set, compare=False)

    def check(self, arrays: Arrays) -> None:
        """Raise LinnetError where the arrays are not what the file takes."""
        form = tuple([(name, array.dtype, array.shape) for name, array in arrays.items()])
        if form not in self.forms:
            check_inputs(arrays, self.inputs)
            if len(self.forms) < _FORMS:
                self.forms.add(form)


def counted(operators: Iterable[tuple[str, bool]]) -> dict[str, dict[str, int]]:
    """Operator types, each with whether it computes on 8 bits, as `Session.operators` gives them.

    >>> counted([("Conv", True), ("Log", False), ("Conv", True)])
    {'int8': {'Conv': 2}, 'float': {'Log': 1}}
    """
    numbers = {INT8: Counter[str](), FLOAT: Counter[str]()}
    for name, is_narrow in operators:
        numbers[INT8 if is_narrow else FLOAT][name] += 1
    return {precision: dict(sorted(found.items())) for precision, found in numbers.items()}


def one_line(error: Exception) -> str:
    """An engine's own message without its line breaks."""
    return " ".join(str(error).split())


def check_inputs(given: Arrays, expected: Mapping[str, Port]) -> None:
    """Raise LinnetError where names, dtypes or shapes differ from what the file takes, saying both."""
    if given.keys() != expected.keys():
        raise LinnetError(f"the file takes the inputs {_listed(expected)}; it was given {_listed(given)}.")
    for name, port in expected.items():
        array = given[name]
        if dtype_of(array) != port.dtype or not _fits(array.shape, port.shape):
            raise LinnetError(f"input '{name}': expected {port}, received {Port(dtype_of(array), array.shape)}.")


def dtype_of(array: NDArray[Any]) -> str:
    """The name of the array's dtype, as cards and ports say it; texts are "string"."""
    return "string" if array.dtype.kind in "OU" else str(array.dtype.name)


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(want in (None, size) for size, want in zip(shape, expected, strict=True))


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "(none)"
