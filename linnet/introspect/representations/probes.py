"""Linear probes: what can be read off a representation by one linear map, beside labels that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import binomial
from linnet.evidence.settings import check_count, check_seed
from linnet.introspect.features.table import as_table
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
_FOLDS, _FEWEST, _LEVEL = 5, 3, 0.95
_STRENGTHS = np.logspace(-4, 2, 13)
"""Of the ridge, as shares of the largest eigenvalue."""


def probe(features: NDArray[Any] | Mapping[str, NDArray[Any]], labels: Sequence[Any], *,
          groups: Sequence[Any] | None = None, controls: int = 20, seed: int = 0) -> Findings:
    """Findings of kind "probe", one a layer, the one from which the labels are read best first.

    `features` is (samples, columns), or layer to such an array. The probe is least squares on standardised columns
    with a ridge chosen by generalised cross-validation on the training folds (Golub, Heath and Wahba 1979); `accuracy`
    is that on five folds held out (of fewer groups, each is a fold), no group in two of them where `groups` (speakers)
    are given. `selectivity` is its lead over the same probe on labels that were dealt out anew (`controls` times; whole
    groups where a group has one label), as in Hewitt and Liang (2019, arXiv:1909.03368); `p_value` counts controls that
    did as well. `interval` is exact and binomial, over rows; with groups Student's over groups, the rows of a group
    standing or falling together.

    Raises LinnetError for a single label, fewer than three groups, a label in one group only, NaN.
    """
    layers = dict(features) if isinstance(features, Mapping) else {"features": features}
    check_seed(seed), check_count("controls", controls)
    if not layers:
        raise LinnetError("a probe needs the features of at least one layer; got none.")
    names, codes = _codes(labels)
    _, units = _codes(groups if groups is not None else np.arange(len(codes)))
    folds = _folds(codes, units, seed)
    dealt = [_dealt(codes, units, np.random.default_rng([seed, number])) for number in range(controls)]
    found = [_probed(layer, _rows(layer, values, len(codes)), [codes, *dealt], folds, units if groups is not None else
                     None, len(names)) for layer, values in layers.items()]
    found.sort(key=lambda finding: -finding.evidence["accuracy"])
    return Findings("probe", tuple(found), {
        "samples": len(codes), "labels": names, "folds": int(folds.max()) + 1, "controls": controls, "seed": seed,
        "groups": int(units.max()) + 1 if groups is not None else None,
        "most_frequent": float(np.bincount(codes).max() / len(codes))})


def _probed(layer: str, table: Floats, sets: list[Numbers], folds: Numbers, groups: Numbers | None,
            count: int) -> Finding:
    right = _right(table, sets, folds, count)
    accuracy, controls = float(right[0].mean()), right[1:].mean(axis=1)
    low, high = _interval(right[0], groups)
    control = float(controls.mean()) if len(controls) else None
    return Finding(layer, f"From {layer} a linear map reads the label of {100 * accuracy:.0f} in 100 samples not seen"
                   + (f"; {100 * control:.0f} where labels mean nothing." if control is not None else "."), {
        "accuracy": accuracy, "interval": [low, high], "level": _LEVEL, "control": control,
        "selectivity": None if control is None else accuracy - control,
        "p_value": float((1 + (controls >= accuracy).sum()) / (1 + len(controls))), "columns": table.shape[1]})


def _right(table: Floats, sets: list[Numbers], folds: Numbers, count: int) -> Floats:
    """(label sets, samples): 1 where a probe that did not see the sample was right; one decomposition for all."""
    right = np.zeros((len(sets), len(table)))
    for fold in range(int(folds.max()) + 1):
        inside, outside = folds == fold, folds != fold
        mean, spread = table[outside].mean(axis=0), table[outside].std(axis=0)
        scale = np.where(spread > 1e-9 * (np.abs(mean) + spread), spread, np.inf)
        seen, held = (table[outside] - mean) / scale, (table[inside] - mean) / scale
        values, vectors = np.linalg.eigh(seen.T @ seen)
        turned, shown, values = seen @ vectors, held @ vectors, np.maximum(values, 0)
        for number, codes in enumerate(sets):
            target = np.eye(count)[codes[outside]]
            share = target.mean(axis=0)
            weights = _ridge(values, turned.T @ (target - share), float(np.square(target - share).sum()), len(seen))
            right[number, inside] = (shown @ weights + share).argmax(axis=1) == codes[inside]
    return right


def _ridge(values: Floats, products: Floats, total: float, rows: int) -> Floats:
    """The weights on the principal directions that generalised cross-validation likes best."""
    best, chosen = np.inf, products
    for strength in _STRENGTHS * max(float(values[-1]), 1e-12):
        weights = products / (values + strength)[:, None]
        rest = total - float((weights * (2 * products - values[:, None] * weights)).sum())
        score = max(rest, 0.0) / max(1 - (values / (values + strength)).sum() / rows, 1e-6) ** 2
        if score < best:
            best, chosen = score, weights
    return chosen


def _interval(right: Floats, groups: Numbers | None) -> tuple[float, float]:
    if groups is None:
        return binomial(int(right.sum()), len(right), _LEVEL)
    from scipy.stats import t

    sizes, hits = np.bincount(groups), np.bincount(groups, right)
    rate, count = hits.sum() / sizes.sum(), len(sizes)
    spread = np.sqrt(np.square(hits - rate * sizes).sum() * count / (count - 1)) / sizes.sum()
    wide = float(t.ppf((1 + _LEVEL) / 2, count - 1) * spread)
    return max(0.0, float(rate - wide)), min(1.0, float(rate + wide))


def _folds(codes: Numbers, units: Numbers, seed: int) -> Numbers:
    """The fold of each sample: units dealt out by their most frequent label, so that folds hold the labels alike."""
    count = int(units.max()) + 1
    if count < _FEWEST:
        raise LinnetError(f"a probe is judged on samples or groups that it did not learn from, of which it needs "
                          f"{_FEWEST} or more; got {count}.")
    table = np.zeros((count, int(codes.max()) + 1))
    np.add.at(table, (units, codes), 1)
    alone = np.flatnonzero((table > 0).sum(axis=0) < 2)
    if len(alone):
        raise LinnetError(f"label number {alone[0]} occurs in one sample or group only, so that it is never both "
                          "learned and asked; leave it out or merge it with another.")
    order = np.lexsort((np.random.default_rng(seed).permutation(count), table.argmax(axis=1)))
    fold = np.empty(count, np.int64)
    fold[order] = np.arange(count) % min(_FOLDS, count)
    return np.asarray(fold[units])


def _dealt(codes: Numbers, units: Numbers, rng: np.random.Generator) -> Numbers:
    """Labels dealt out anew: to whole groups where each has one label, else to samples."""
    first = np.zeros(int(units.max()) + 1, np.int64)
    first[units] = codes
    if np.array_equal(first[units], codes):
        return np.asarray(rng.permutation(first)[units])
    return np.asarray(rng.permutation(codes))


def _codes(values: Sequence[Any] | NDArray[Any]) -> tuple[list[str], Numbers]:
    names, codes = np.unique(np.array([str(value) for value in values]), return_inverse=True)
    if len(names) < 2:
        raise LinnetError(f"this look needs at least two different labels; got {', '.join(names) or 'none'}.")
    return [str(name) for name in names], np.asarray(codes, np.int64)


def _rows(layer: str, values: NDArray[Any], count: int) -> Floats:
    table = as_table(values, rows=2, name=f"the responses of '{layer}'")
    if len(table) != count:
        raise LinnetError(f"'{layer}' has {len(table)} samples and there are {count} labels.")
    return table
