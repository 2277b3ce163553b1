"""What every look at features asks of them: a table of finite numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError


def as_table(features: NDArray[Any], *, rows: int = 1, name: str = "features") -> NDArray[np.float64]:
    """(samples, columns) in float64. Raises LinnetError for another shape, fewer rows, NaN or infinity.

    >>> as_table(np.eye(2, dtype=np.float32)).dtype
    dtype('float64')
    """
    try:
        table = np.asarray(features, np.float64)
    except (TypeError, ValueError) as error:
        raise LinnetError(f"{name} must be numbers, (samples, columns); got {type(features).__name__}.") from error
    if table.ndim != 2 or len(table) < rows or table.shape[1] < 1:
        raise LinnetError(f"{name} must be (samples, columns), at least {rows} and 1 of them; got shape {table.shape}.")
    if not np.isfinite(table).all():
        broken = np.flatnonzero(~np.isfinite(table).all(axis=1))
        raise LinnetError(f"{name} hold NaN or infinity in {len(broken)} rows, the first is row {broken[0]}; mend what "
                          "made them, or leave these rows out.")
    return table
