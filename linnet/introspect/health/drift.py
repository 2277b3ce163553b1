"""Did one dataset become another? Each column tested, all together tested, one rate for all the questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.evidence.drift import energy_distance, labels_differ
from linnet.evidence.drift.two_sample import check_permutations, dealt, p_value_of, units_of
from linnet.evidence.many import holm
from linnet.evidence.settings import check_between, check_seed
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.health.groups import ranked
from linnet.introspect.health.measures import Floats, Measures, measured
from linnet.progress import Progress

TOGETHER, MOST_ROWS, PERMUTATIONS = "all measures together", 1000, 999
_CELLS, _KEPT, _LEAST_ROWS, _NAMED = 4_000_000, 64_000_000, 5, 6


@dataclass(frozen=True)
class _Sides:
    before: Measures
    after: Measures
    clusters: str | None
    permutations: int
    seed: int
    _dealt: dict[tuple[int, int, int], list[NDArray[np.bool_]]] = field(default_factory=dict)
    """Columns with the same rows share what was dealt out."""

    def deals(self, count: int, known: int, batch: int) -> Iterator[NDArray[np.bool_]]:
        """Which units are before, a batch of deals at a time; as they are in the very first one."""
        key, rng = (count, known, batch), np.random.default_rng(self.seed)
        if key in self._dealt:
            yield from self._dealt[key]
            return
        made = []
        for start in range(0, self.permutations, batch):
            deals = dealt(count, known, min(batch, self.permutations - start), rng)[:, 0 if start == 0 else 1:]
            made += [deals] if count * self.permutations <= _KEPT else []
            yield deals
        if made:
            self._dealt[key] = made

    @property
    def n(self) -> tuple[int, int]:
        return len(self.before), len(self.after)

    def labels(self, rows: Sequence[Any] = (slice(None), slice(None))) -> tuple[list[str], list[str]] | None:
        """The clusters of these rows of either side."""
        if self.clusters is None:
            return None
        first, second = (np.asarray(side.labels[self.clusters])[part].tolist() for side, part in
                         zip((self.before, self.after), rows, strict=True))
        return first, second


def drift(before: Dataset | Measures | ArrayLike, after: Dataset | Measures | ArrayLike, *,
          clusters: str | None = None, rate: float = 0.05, seed: int = 0, progress: Progress | None = None) -> Findings:
    """Findings of kind "drift": each column that differs between two datasets, the largest effect first.

    Either side is a Dataset, what `measure` made of one, or numbers (rows, columns). Tested are every measure, number,
    label, group and form (how files are stored) that both have, and all measures together. `effect` is the largest
    distance of the two cumulative shares (numbers), or half the sum of the differences of shares (labels): 0 is no
    difference, 1 nothing in common. Without any change something is told in at most `rate` of all pairs of datasets.
    `clusters` names the column of what rows hang together by, such as speakers; no cluster may be on both sides.

    `facts` hold every test, and the columns that only one side has. Raises LinnetError for two sides without a
    column in common, and where no p-value could be low enough for want of rows.

    Assumes: rows (clusters) of both sides are independent draws of one distribution if nothing changed.
    Source: Kolmogorov 1933 and Smirnov 1939 (the distance), its p-value by permutation (Phipson and Smyth 2010);
        `labels_differ`, `energy_distance`; corrected by Holm 1979.
    """
    check_between("rate", rate), check_seed(seed)
    sides = measured(before, None, progress), measured(after, None, progress)
    numbers = [name for name in sides[0].numbers if name in sides[1].numbers]
    labels = [name for name in _strings(sides[0]) if name in _strings(sides[1])]
    count = len(numbers) + len(labels) + 1
    if count == 1:
        raise LinnetError(f"'{sides[0].name}' and '{sides[1].name}' have no column in common: "
                          f"{_listed(sides[0])}, and {_listed(sides[1])}.")
    for side in sides if clusters is not None else ():
        if clusters not in side.labels:
            raise unknown("column of labels or groups", str(clusters), side.labels)
    asked = _Sides(*sides, clusters, max(PERMUTATIONS, round(2 * count / rate)), seed)
    tests = [*(one for name in numbers if (one := _numbers(asked, name))),
             *(_labels(asked, name) for name in labels if name != clusters and not _is_other(asked, name))]
    tests += [one for one in [_together(asked, numbers)] if one]
    if not tests:
        raise LinnetError(f"{asked.n[0]} and {asked.n[1]} rows are too few to compare anything; {_LEAST_ROWS} a side "
                          "are the fewest.")
    for one, p_value in zip(tests, holm([one["p_value"] for one in tests]), strict=True):
        one["corrected"] = p_value
    told = sorted((one for one in tests if one["corrected"] <= rate), key=lambda one: -one["effect"])
    return Findings("drift", tuple(Finding(one["column"], _said(one), one) for one in told), _facts(
        asked, tests, [*numbers, *labels], {"rate": rate, "seed": seed, "clusters": clusters,
                                            "permutations": asked.permutations, "method": "permutation, Holm"}))


def _is_other(sides: _Sides, name: str) -> bool:
    """A column of groups (speakers) without one in common says what the two sides are, not that they drifted."""
    pair = _strings(sides.before)[name], _strings(sides.after)[name]
    return name in sides.before.labels and name not in sides.before.known and not set(pair[0]) & set(pair[1])


def _strings(found: Measures) -> dict[str, Sequence[str]]:
    return {**found.labels, **{f"{name}: form": [form or "(broken)" for form in forms]
                               for name, forms in found.forms.items()}}


def _listed(found: Measures) -> str:
    names = [*found.numbers, *_strings(found)]
    return ", ".join(names[:_NAMED]) + (" and more" if len(names) > _NAMED else "")


def _numbers(sides: _Sides, name: str) -> dict[str, Any] | None:
    """The largest distance of the cumulative shares, its p-value by dealing rows or clusters out anew."""
    parts = [np.flatnonzero(np.isfinite(side.numbers[name])) for side in (sides.before, sides.after)]
    first, second = (side.numbers[name][part] for side, part in zip((sides.before, sides.after), parts, strict=True))
    if min(len(first), len(second)) < _LEAST_ROWS:
        return None
    distances = _distances(first, second, units_of(len(first), len(second), sides.labels((parts[0], parts[1]))), sides)
    unit = sides.before.units.get(name, "")
    return {"column": name, "effect": float(distances[0]), "p_value": p_value_of(distances),
            "rows": [len(first), len(second)], "before": float(np.median(first)),
            "after": float(np.median(second)), "unit": unit}


def _distances(first: Floats, second: Floats, units: tuple[NDArray[np.int64], int], sides: _Sides) -> Floats:
    unit, known = units
    count = int(unit.max()) + 1
    check_permutations(sides.permutations, known, count)
    pooled = np.concatenate([first, second])
    order = np.argsort(pooled, kind="stable")
    is_last = np.append(np.diff(pooled[order]) > 0, True)  # among ties the shares are compared once
    found = []
    for deals in sides.deals(count, known, max(1, _CELLS // len(pooled))):
        is_first = deals[unit[order]].T
        seen = np.cumsum(is_first, axis=1, dtype=np.int32)[:, is_last]
        rows = np.arange(1, len(pooled) + 1)[is_last]
        size = seen[:, -1:]
        found.append(np.abs(seen / np.maximum(size, 1) - (rows - seen) / np.maximum(len(pooled) - size, 1)).max(axis=1))
    return np.concatenate(found)


def _labels(sides: _Sides, name: str) -> dict[str, Any]:
    first, second = _strings(sides.before)[name], _strings(sides.after)[name]
    test = labels_differ(first, second, clusters=sides.labels(), permutations=sides.permutations, seed=sides.seed)
    shares = [{label: count / len(side) for label, count in Counter(side).items()} for side in (first, second)]
    moved = {label: [shares[0].get(label, 0.0), shares[1].get(label, 0.0)] for label in {**shares[0], **shares[1]}}
    most = sorted(moved, key=lambda label: -abs(moved[label][1] - moved[label][0]))[:_NAMED]
    return {"column": name, "effect": sum(abs(after - before) for before, after in moved.values()) / 2,
            "p_value": test.p_value, "rows": [len(first), len(second)],
            "moved": {label: moved[label] for label in most}, "only before": sorted(set(first) - set(second)),
            "only after": sorted(set(second) - set(first))}


def _together(sides: _Sides, numbers: Sequence[str]) -> dict[str, Any] | None:
    """The energy distance of all measures, as ranks in both sides, of at most 1000 rows a side; its effect is its share
    of the mean distance between the sides."""
    from scipy.spatial.distance import cdist

    ranks = [ranked(np.concatenate([sides.before.numbers[name], sides.after.numbers[name]])) for name in numbers]
    ranks = [one for one in ranks if one.any()]
    if not ranks or min(sides.n) < _LEAST_ROWS:
        return None
    table, rng = np.stack(ranks, axis=1).astype(np.float64), np.random.default_rng(sides.seed)
    rows = [np.sort(rng.permutation(n)[:MOST_ROWS]) for n in sides.n]
    first, second = table[rows[0]], table[sides.n[0] + rows[1]]
    test = energy_distance(first, second, clusters=sides.labels(rows), permutations=sides.permutations, seed=sides.seed)
    apart = 2 * float(cdist(first, second).mean())
    return {"column": TOGETHER, "effect": max(0.0, test.statistic) / apart if apart else 0.0, "p_value": test.p_value,
            "rows": [len(one) for one in rows], "statistic": test.statistic}


def _said(one: Mapping[str, Any]) -> str:
    name, effect = one["column"], 100 * one["effect"]
    if "moved" in one:
        moved = "; ".join(f"'{label}' was {100 * before:.3g} % and is {100 * after:.3g} %"
                          for label, (before, after) in list(one["moved"].items())[:3])
        return f"{name} has other shares: {moved} (in all, {effect:.3g} points moved)."
    if name == TOGETHER:
        return f"All measures together are not those of before (energy distance, {effect:.3g} of 100)."
    unit = f" {one['unit']}" if one["unit"] else ""
    was, now = f"{one['before']:.4g}{unit}", f"{one['after']:.4g}{unit}"
    median = f"its median was {was} and is {now}" if was != now else f"its median is still {was}"
    return f"{name} changed: {median}; the shares of rows under some value differ by {effect:.3g} points."


def _facts(sides: _Sides, tests: Sequence[Mapping[str, Any]], names: Sequence[str],
           said: dict[str, Any]) -> dict[str, Any]:
    first, second = ({*side.numbers, *_strings(side)} for side in (sides.before, sides.after))
    tested = {one["column"] for one in tests}
    return {"names": [sides.before.name, sides.after.name], "rows": list(sides.n), **said, "tests": list(tests),
            "only before": sorted(first - second), "only after": sorted(second - first),
            "not tested": sorted(name for name in names if name not in tested),
            "broken": [len(sides.before.broken), len(sides.after.broken)]}
