"""Which samples come in which batch of an epoch: random, and the same for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.tasks import Task

Rows = NDArray[np.int64]
_BATCHES_SORTED_TOGETHER = 16


def batches(rows: int, size: int, *, seed: int, epoch: int, groups: Sequence[str] | None = None,
            lengths: NDArray[np.float64] | None = None) -> list[Rows]:
    """The rows of each batch: every row once, or each of `groups` equally often; rows of similar `lengths` together."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(rows) if groups is None else _balanced(groups, rng)
    if lengths is not None:
        pool = size * _BATCHES_SORTED_TOGETHER
        order = np.concatenate([_sorted(order[start : start + pool], lengths) for start in range(0, rows, pool)])
    found = [order[start : start + size] for start in range(0, rows, size)]
    if len(found[-1]) == 1 < len(found):  # one row alone has no batch statistics
        found.pop()
    if lengths is not None:
        found = [found[place] for place in rng.permutation(len(found))]
    return found


def groups_of(task: Task, dataset: Dataset, balance: str | None) -> list[str] | None:
    """The value of the column to balance by, one a row; None where nothing is balanced."""
    if balance is None:
        return None
    column = task.target if balance == "target" else balance
    kind = dataset.column(column).kind
    if kind not in ("label", "group"):
        raise LinnetError(f"balance draws the values of a column of labels or groups equally often; '{column}' holds "
                          f"{kind}. Leave balance out, or name a column of labels or groups.")
    return [str(value) for value in dataset.values(column)]


def _balanced(groups: Sequence[str], rng: np.random.Generator) -> Rows:
    """As many rows as there are, each group's share the same; a small group's rows come round again."""
    members = [np.flatnonzero(np.array(groups) == name) for name in sorted(set(groups))]
    shares = np.full(len(members), len(groups) // len(members))
    shares[rng.permutation(len(members))[: len(groups) % len(members)]] += 1
    drawn = [np.concatenate([rng.permutation(rows) for _ in range(-(-share // len(rows)))])[:share]
             for rows, share in zip(members, shares, strict=True) if share]
    return rng.permutation(np.concatenate(drawn))


def _sorted(rows: Rows, lengths: NDArray[np.float64]) -> Rows:
    return rows[np.argsort(lengths[rows], kind="stable")]
