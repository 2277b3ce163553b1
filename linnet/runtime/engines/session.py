"""Session: a file that an engine has loaded; what every engine adapter gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.tasks import Arrays


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
