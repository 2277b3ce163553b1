"""Does the order of the rows tell something? Neighbours that are more alike, or less, than chance would have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.evidence.many import holm
from linnet.evidence.settings import check_between, check_seed
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.health.groups import ranked
from linnet.introspect.health.measures import Measures, measured
from linnet.progress import Progress

NEIGHBOURS, LEAST_ROWS, PERMUTATIONS = 10, 20, 999
_ALIKE_OF = 50  # labels of which hardly two rows share one say nothing about neighbours


def order(given: Dataset | Measures | ArrayLike, *, ids: Sequence[str] | None = None, rate: float = 0.05,
          seed: int = 0, progress: Progress | None = None) -> Findings:
    """Findings of kind "order": each column in which rows near each other are more alike, or less, than chance.

    For numbers `alike` is the mean product of standardised ranks of two rows at most ten apart (0 by chance, 1 where
    rows are sorted), for labels the share of such pairs with the same label, beside the share by chance. Both a sorted
    table and a slow drift show up, and a table in which labels take turns. Without any order, something is told in at
    most `rate` of all datasets. What to do: shuffle before training by batches or splitting by position; a drift in
    time wants a split by time.

    Raises LinnetError for fewer than twenty rows.

    Assumes: without an order every sequence of the rows is as likely as any other.
    Source: Wald and Wolfowitz, An exact test for randomness in the non-parametric case based on serial correlation,
        Annals of Mathematical Statistics 14, 1943; p-values by permutation (Phipson and Smyth 2010), Holm 1979.
    Not for: tables that were written in an order on purpose, which is no fault by itself.
    """
    check_between("rate", rate), check_seed(seed)
    found = measured(given, ids, progress)
    if len(found) < LEAST_ROWS:
        raise LinnetError(f"'{found.name}' has {len(found)} rows; {LEAST_ROWS} are the fewest whose order can be "
                          "judged.")
    ranks = {name: _standardised(ranked(values)) for name, values in found.numbers.items()}
    ranks = {name: values for name, values in ranks.items() if values.any()}
    codes = {name: np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int32)
             for name, values in found.labels.items() if 1 < len(set(values)) <= len(found) - _ALIKE_OF}
    count = len(ranks) + len(codes)
    permutations = max(PERMUTATIONS, round(2 * count / rate))
    seen = _permuted(np.array(list(ranks.values()), np.float32).reshape(len(ranks), len(found)), list(codes.values()),
                     permutations, np.random.default_rng(seed))
    far = np.abs(seen - seen.mean(axis=0))
    tests = [_test(name, seen[:, at], far[:, at], name in codes) for at, name in enumerate([*ranks, *codes])]
    for one, p_value in zip(tests, holm([one["p_value"] for one in tests]), strict=True):
        one["corrected"] = p_value
    told = [one for one in tests if one["corrected"] <= rate]
    told.sort(key=lambda one: -abs(one["alike"] - one["chance"]))
    return Findings("order", tuple(Finding(one["column"], _said(one), one) for one in told), {
        "name": found.name, "rows": len(found), "rate": rate, "seed": seed, "permutations": permutations,
        "neighbours": NEIGHBOURS, "method": "serial correlation of ranks, permutation, Holm", "tests": tests,
        "not tested": [name for name in {**found.numbers, **found.labels} if name not in {**ranks, **codes}]})


def _standardised(ranks: NDArray[np.float32]) -> NDArray[np.float32]:
    spread = float(ranks.std())
    return ranks / np.float32(spread) if spread > 0 else np.zeros_like(ranks)


def _permuted(ranks: NDArray[np.float32], codes: list[NDArray[np.int32]], permutations: int,
              rng: np.random.Generator) -> NDArray[np.float64]:
    """How alike neighbours are (1 + permutations, columns): as the rows lie, then with the rows shuffled."""
    rows = ranks.shape[1]
    seen = np.empty((permutations + 1, len(ranks) + len(codes)))
    for at in range(permutations + 1):
        places = np.arange(rows) if at == 0 else rng.permutation(rows)
        seen[at, :len(ranks)] = _products(ranks[:, places])
        seen[at, len(ranks):] = [_equal(code[places]) for code in codes]
    return seen


def _products(ranks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean product of two rows at most NEIGHBOURS apart, from sums of the rows before each."""
    rows = ranks.shape[1]
    sums = np.cumsum(np.pad(ranks, ((0, 0), (NEIGHBOURS + 1, 0))), axis=1, dtype=np.float64)
    before = sums[:, NEIGHBOURS:-1] - sums[:, :-NEIGHBOURS - 1]
    return np.asarray(np.einsum("cr,cr->c", ranks, before) / _pairs(rows))


def _equal(code: NDArray[np.int32]) -> float:
    return sum(int(np.count_nonzero(code[lag:] == code[:-lag])) for lag in range(1, NEIGHBOURS + 1)) / _pairs(len(code))


def _pairs(rows: int) -> int:
    return NEIGHBOURS * rows - NEIGHBOURS * (NEIGHBOURS + 1) // 2


def _test(name: str, seen: NDArray[np.float64], far: NDArray[np.float64], is_label: bool) -> dict[str, Any]:
    p_value = float((far >= far[0] - 1e-9).mean())
    return {"column": name, "kind": "labels" if is_label else "numbers", "alike": float(seen[0]),
            "chance": float(seen[1:].mean()), "p_value": p_value}


def _said(one: dict[str, Any]) -> str:
    name, alike, chance = one["column"], one["alike"], one["chance"]
    if one["kind"] == "labels":
        return (f"Rows near each other have the same {name} in {100 * alike:.3g} of 100 pairs, by chance in "
                f"{100 * chance:.3g}.")
    more = "more" if alike > chance else "less"
    return f"Rows near each other are {more} alike in {name} than by chance (rank correlation {alike:.2f})."
