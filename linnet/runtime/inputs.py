"""Made-up inputs for files of which nothing but the graph is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.runtime.engines import Port, Session
from linnet.tasks import Arrays

_TEXT = "please tell me when the next train leaves for home"


def random_inputs(session: Session, *, batch: int = 1, seed: int = 0) -> Arrays:
    """Made-up inputs of the right names, dtypes and shapes; a batch without a size becomes `batch`, others 1.

    Floats are normal with deviation 0.1, bytes are uniform, other integers 0 or 1 (they may be indices), texts
    one sentence of ten words.
    """
    random = np.random.default_rng(seed)
    return {name: _random_array(random, name, port, batch) for name, port in session.inputs.items()}


def _random_array(random: np.random.Generator, name: str, port: Port, batch: int) -> NDArray[Any]:
    sizes = [batch if place == 0 and size is None else size or 1 for place, size in enumerate(port.shape)]
    if port.dtype.startswith("float"):
        return (0.1 * random.standard_normal(sizes)).astype(port.dtype)
    if port.dtype in ("uint8", "int8"):
        return random.integers(0, 256, sizes).astype(np.uint8).view(port.dtype)
    if port.dtype == "bool" or port.dtype.startswith(("int", "uint")):
        return random.integers(0, 2, sizes).astype(port.dtype)
    if port.dtype == "string":
        return np.full(sizes, _TEXT, dtype=object)
    raise LinnetError(f"bench cannot make up an input of type '{port.dtype}' (input '{name}').")
