"""Selection: which columns of a table say something about a target."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra, unknown
from linnet.evidence.many import benjamini_hochberg
from linnet.evidence.settings import check_seed, is_count, is_number
from linnet.introspect.features.knockoffs import gaussian_knockoffs, knockoff_threshold
from linnet.introspect.features.table import as_table
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]
_BINS, _TREES, _REPEATS, _FOLDS = 8, 100, 10, 5
_EXPECTED = 10
"""Samples in a cell of two binned columns, so that the test of independence keeps its level."""


@dataclass(frozen=True)
class _Asked:
    table: Floats
    """Standardised; constant columns are zero."""
    target: Floats
    """(samples, 1) standardised, or (samples, classes) one-hot less its mean."""
    codes: NDArray[np.int64]
    """The class of each sample, or the bin of its number."""
    is_number: bool
    count: int | None
    rate: float
    seed: int


_Answer = tuple[Floats, NDArray[np.bool_]]
"""(score of each column, whether it is chosen)."""


def select(features: NDArray[Any], target: Sequence[Any], *, method: str = "mutual_information",
           count: int | None = None, rate: float = 0.05, names: Sequence[str] | None = None,
           seed: int = 0) -> Findings:
    """Findings of kind "selection": the columns that say something about `target`, the best first.

    `features` is (samples, columns); a target of floats is a number to foretell, anything else a class. `method` is a
    name in SELECTIONS. With `count` the best so many are chosen; without, each method decides by itself: "knockoffs"
    and "mutual_information" keep the share of false ones among the chosen at `rate` on average, the others promise
    nothing.

    - "mutual_information": of up to eight equal-sized bins, each column alone; Pearson's test, then Benjamini and
      Hochberg. A column that merely goes along with a useful one counts as useful.
    - "mrmr": relevance less mean redundancy, one column after the other (Peng, Long and Ding 2005); ten of them
      without `count`.
    - "l1": the columns that the lasso keeps at the penalty that cross-validation likes best (Tibshirani 1996).
    - "permutation": what a forest loses on held-out samples when the column is shuffled (Breiman 2001), chosen where
      the loss is above two of its standard errors.
    - "knockoffs": columns that say something which the other columns do not (Candès et al. 2018, arXiv:1610.02351:
      model-X, Gaussian of second order, lasso). The rate holds where the columns are near to jointly normal.

    Raises LinnetError for NaN, a target that is always the same, other lengths, an unknown method. Columns that never
    change are never chosen, and are named in the facts.
    """
    if method not in SELECTIONS:
        raise unknown("method of selection", method, SELECTIONS)
    table = as_table(features, rows=4)
    columns = [str(name) for name in (range(table.shape[1]) if names is None else names)]
    if len(columns) != table.shape[1] or len(target) != len(table):
        raise LinnetError(f"select: {table.shape} features need {table.shape[1]} names and {len(table)} targets; got "
                          f"{len(columns)} and {len(target)}.")
    if len(set(columns)) < len(columns):
        raise LinnetError(f"select: every column needs a name of its own; of {len(columns)} names {len(set(columns))} "
                          "are different.")
    check_seed(seed)
    if not is_number(rate) or not 0 < rate < 1 or (count is not None and (
            not is_count(count) or not 1 <= count <= table.shape[1])):
        raise LinnetError(f"select: rate lies between 0 and 1 and count between 1 and {table.shape[1]}; "
                          f"got {rate!r} and {count!r}.")
    standard, is_constant = _standardised(table)
    asked, nothing = _asked(standard, target, count, rate, seed), (np.zeros(len(columns)), np.zeros(len(columns), bool))
    scores, chosen = nothing if is_constant.all() else SELECTIONS[method](asked)
    order = [int(place) for place in np.argsort(-scores, kind="stable") if not is_constant[place]]
    kept = order[:count] if count else [place for place in order if chosen[place]]
    return Findings("selection", tuple(_column(columns[place], float(scores[place]), method) for place in kept), {
        "method": method, "rate": rate if count is None else None, "samples": len(table), "columns": len(columns),
        "never_change": [columns[place] for place in np.flatnonzero(is_constant)], "seed": seed,
        "scores": dict(zip(columns, scores.tolist(), strict=True))})


def _column(name: str, score: float, method: str) -> Finding:
    return Finding(name, f"Column {name} says something about the target ({method} {score:.3g}).", {"score": score})


def _standardised(table: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    spread = table.std(axis=0)
    is_constant = spread <= 1e-12 * (np.abs(table).max(axis=0) + spread)
    centred = table - table.mean(axis=0)
    return np.where(is_constant, 0.0, centred / np.where(is_constant, 1.0, spread)), is_constant


def _asked(table: Floats, target: Sequence[Any], count: int | None, rate: float, seed: int) -> _Asked:
    values = np.asarray(target)
    is_number = values.dtype.kind == "f"
    if is_number and not np.isfinite(values).all():
        raise LinnetError("select: the target holds NaN or infinity; leave these samples out.")
    codes = _binned(values[:, None])[:, 0] if is_number else np.unique(
        np.array([str(value) for value in target]), return_inverse=True)[1].astype(np.int64)
    if codes.max() < 1:
        raise LinnetError("select: the target is the same for every sample, so no column says anything about it.")
    wanted = values[:, None].astype(np.float64) if is_number else np.eye(int(codes.max()) + 1)[codes]
    wanted = wanted - wanted.mean(axis=0)
    return _Asked(table, wanted / wanted.std() if is_number else wanted, codes, is_number, count, rate, seed)


def _binned(table: NDArray[Any]) -> NDArray[np.int64]:
    """Each column in bins of equal size; fewer where values repeat."""
    count = int(np.clip(np.sqrt(len(table) / _EXPECTED), 2, _BINS))
    edges = np.quantile(table, np.arange(1, count) / count, axis=0)
    return np.stack([np.unique(np.searchsorted(np.unique(edge), column, side="left"), return_inverse=True)[1]
                     for edge, column in zip(edges.T, table.T, strict=True)], axis=1).astype(np.int64)


def _information(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[float, float]:
    """(nats, p-value of independence) of two columns of codes."""
    from scipy.stats import chi2

    shape = int(first.max()) + 1, int(second.max()) + 1
    joint = np.bincount(first * shape[1] + second, minlength=shape[0] * shape[1]).reshape(shape) / len(first)
    alone = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen, freedom = joint > 0, (shape[0] - 1) * (shape[1] - 1)
    nats = float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())
    pearson = len(first) * float((np.square(joint - alone) / alone).sum())
    return nats, float(chi2.sf(pearson, freedom)) if freedom else 1.0


def _mutual_information(asked: _Asked) -> _Answer:
    found = [_information(column, asked.codes) for column in _binned(asked.table).T]
    adjusted = benjamini_hochberg([p_value for _, p_value in found])
    return np.array([nats for nats, _ in found]), np.array(adjusted) <= asked.rate


def _mrmr(asked: _Asked) -> _Answer:
    bins = _binned(asked.table)
    relevance = np.array([_information(column, asked.codes)[0] for column in bins.T])
    redundancy, taken = np.zeros(len(relevance)), list[int]()
    scores = np.full(len(relevance), -np.inf)
    for step in range(min(asked.count or 10, len(relevance))):
        worth = relevance - redundancy / max(step, 1)
        worth[taken] = -np.inf
        best = int(worth.argmax())
        taken.append(best)
        scores[best] = len(relevance) - step  # the order in which they were taken
        redundancy += [_information(column, bins[:, best])[0] for column in bins.T]
    scores = np.where(np.isfinite(scores), scores, 0.0)
    return scores, scores > 0


def _l1(asked: _Asked) -> _Answer:
    scores = _lasso(asked.table, asked.target, asked.seed)
    return scores, scores > 0


def _permutation(asked: _Asked) -> _Answer:
    try:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        from sklearn.inspection import permutation_importance
    except ModuleNotFoundError as error:
        raise missing_extra("scikit-learn", "introspect") from error
    forest = (RandomForestRegressor if asked.is_number else RandomForestClassifier)(_TREES, random_state=asked.seed)
    target = asked.target[:, 0] if asked.is_number else asked.codes
    rows = np.random.default_rng(asked.seed).permutation(len(target))
    seen, held = rows[len(rows) // 3 :], rows[: len(rows) // 3]
    forest.fit(asked.table[seen], target[seen])
    found = permutation_importance(forest, asked.table[held], target[held], n_repeats=_REPEATS,
                                   random_state=asked.seed)
    doubt = found.importances_std / np.sqrt(_REPEATS)
    return found.importances_mean, found.importances_mean > np.maximum(2 * doubt, 1e-12)


def _knockoffs(asked: _Asked) -> _Answer:
    """Whether the lasso prefers a column to its knockoff, which has the same correlations and says nothing."""
    columns = asked.table.shape[1]
    live = np.flatnonzero(asked.table.any(axis=0))
    table = asked.table[:, live]
    both = np.hstack([table, gaussian_knockoffs(table, seed=asked.seed)])
    sizes = _lasso(both, asked.target, asked.seed)
    leads = np.zeros(columns)
    leads[live] = sizes[: len(live)] - sizes[len(live) :]
    return leads, leads >= knockoff_threshold(leads, asked.rate)


def _lasso(table: Floats, target: Floats, seed: int) -> Floats:
    """The size of each column's coefficients at the penalty of cross-validation."""
    try:
        from sklearn.linear_model import LassoCV, MultiTaskLassoCV
        from sklearn.model_selection import KFold
    except ModuleNotFoundError as error:
        raise missing_extra("scikit-learn", "introspect") from error
    if len(table) < 2 * _FOLDS:
        raise LinnetError(f"select: the lasso's penalty is chosen on {_FOLDS} folds, for which {2 * _FOLDS} samples "
                          f"are the fewest; got {len(table)}. Use method='mutual_information'.")
    is_single = target.shape[1] <= 2  # two classes mirror each other
    made = (LassoCV if is_single else MultiTaskLassoCV)(cv=KFold(_FOLDS, shuffle=True, random_state=seed), alphas=50,
                                                               random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a path that ends before its last digit is good enough to rank columns
        made.fit(table, target[:, 0] if is_single else target)
    return np.asarray(np.linalg.norm(np.atleast_2d(made.coef_), axis=0), np.float64)


SELECTIONS: dict[str, Callable[[_Asked], _Answer]] = {
    "mutual_information": _mutual_information, "mrmr": _mrmr, "l1": _l1, "permutation": _permutation,
    "knockoffs": _knockoffs}
