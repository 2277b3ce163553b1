"""Pairs: what every search for duplicates answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of positions (n, 2), the surest first, with plain evidence of each, and facts about the whole search."""

    rows: NDArray[np.int64]
    evidence: list[dict[str, Any]]
    facts: dict[str, Any]
