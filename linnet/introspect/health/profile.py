"""The health of a dataset: what is in it, what is wrong with its samples, and which groups are unlike the others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from linnet.data import Dataset
from linnet.errors import unknown
from linnet.evidence.intervals import binomial, quantile_lower, quantile_upper
from linnet.evidence.intervals.clusters import clustered_mean
from linnet.evidence.many import false_coverage
from linnet.evidence.settings import check_between, check_seed
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.health.balance import balance
from linnet.introspect.health.groups import LEAST_ROWS, MOST_GROUPS, Difference, differences
from linnet.introspect.health.issues import Issue, issues
from linnet.introspect.health.measures import Floats, Measures, measured
from linnet.introspect.health.numbers import spread
from linnet.progress import Progress

ABOVE, SHARE = 0.64, 0.05
"""A difference is told from here on: 64 in 100 pairs (half a standard deviation), or 5 points of a share."""
_LEVEL, _ISSUE_ROWS = 0.95, 10


def profile(given: Dataset | Measures | ArrayLike, *, groups: Sequence[str] | None = None,
            clusters: str | None = None, ids: Sequence[str] | None = None, rate: float = 0.05, seed: int = 0,
            progress: Progress | None = None) -> Findings:
    """Findings of kind "profile": first what is wrong with samples and columns, then groups that are unlike the rest.

    `given` is a Dataset (its samples are decoded one at a time), what `measure` made of one, or numbers (rows,
    columns). An issue names its rule in the statement and all its samples in the evidence; `affected` turns issues
    into one finding a sample. `groups` are the columns by which all is told apart (left out: every column of labels or
    groups with 2 to 300 values). Without any difference between groups, one is told in at most `rate` of all datasets;
    told are those of at least ABOVE or SHARE. `clusters` names the column of what rows hang together by (a speaker's
    recordings are alike); without it, many rows of few speakers make too much of them.

    `facts` hold the spread of every measure, the counts of labels and forms, all of it by group, and what is broken.
    Raises LinnetError for unknown columns and for numbers that are not finite.

    Assumes: see `groups.differences`; the intervals of medians are exact for every n.
    Source: Westfall and Young 1993 (one rate for all questions); Tukey 1977 (far out); Benjamini and Yekutieli 2005
        (intervals of what was selected).
    """
    check_between("rate", rate), check_seed(seed)
    found = measured(given, ids, progress)
    by = _columns(found, groups)
    labels = None if clusters is None else _labels(found, clusters)
    wrong = issues(found)
    asked = {**found.numbers, **{one.subject: one.rows.astype(np.float64) for one in wrong
                                 if _ISSUE_ROWS <= one.rows.sum() <= len(found) - _ISSUE_ROWS}}
    different = differences(asked, {name: found.labels[name] for name in by}, clusters=labels, seed=seed)
    told = [one for one in different if one.p_value <= rate and _is_notable(one, one.measure in found.numbers)]
    items = (*(_wrong(one, found) for one in wrong), *balance(found),
             *_told(told, asked, found, labels, len(different)))
    return Findings("profile", items, _facts(found, by, wrong, {
        "rate": rate, "seed": seed, "clusters": clusters, "questions": len(different),
        "method": "ranks, labels dealt out anew, largest of all (Westfall and Young 1993)"}))


def affected(findings: Findings, *names: str) -> Findings:
    """One finding a sample of the issues of a profile with these names ("clipped"; none: all), for `drop`.

    Raises LinnetError for a name that no issue of the profile has.
    """
    lists = [item for item in findings if "samples" in item.evidence]
    known = {str(item.evidence["issue"]) for item in lists}
    for name in names:
        if name not in known:
            raise unknown("issue", name, known)
    samples: dict[str, list[str]] = defaultdict(list)
    for item in lists:
        if not names or item.evidence["issue"] in names:
            for sample in item.evidence["samples"]:
                samples[sample].append(item.subject)
    return Findings("affected", tuple(Finding(name, f"{name} has {', '.join(said)}.", {"issues": said})
                                      for name, said in samples.items()), findings.facts)


def _columns(found: Measures, groups: Sequence[str] | None) -> list[str]:
    for name in groups or ():
        _labels(found, name)
    return list(groups) if groups is not None else [
        name for name, values in found.labels.items() if 2 <= len(set(values)) <= MOST_GROUPS]


def _labels(found: Measures, name: str) -> Sequence[str]:
    if name not in found.labels:
        raise unknown("column of labels or groups", name, found.labels)
    return found.labels[name]


def _is_notable(one: Difference, is_number: bool) -> bool:
    # For 0 and 1, twice the distance to one half is the difference of the shares.
    return abs(one.above - 0.5) >= (ABOVE - 0.5 if is_number else SHARE / 2)


def _wrong(issue: Issue, found: Measures) -> Finding:
    rows = np.flatnonzero(issue.rows)
    if issue.measure is not None:  # the most extreme first
        values = found.numbers[issue.measure]
        rows = rows[np.argsort(-np.abs(values[rows] - np.nanmedian(values)), kind="stable")]
    evidence: dict[str, Any] = {"column": issue.column, "issue": issue.name, "count": len(rows), "of": len(found),
                                "samples": [found.ids[row] for row in rows]}
    if issue.measure is not None:
        evidence |= {"measure": issue.measure, "values": [_short(found.numbers[issue.measure][row]) for row in rows]}
    if issue.name == "broken":
        evidence["reasons"] = [one.reason for one in found.broken if one.column == issue.column]
    return Finding(issue.subject, f"{len(rows):,} of {len(found):,} {issue.words}.", evidence)


def _told(told: Sequence[Difference], asked: dict[str, Floats], found: Measures, clusters: Sequence[str] | None,
          questions: int) -> Iterator[Finding]:
    """One finding a group, with all that it differs in; where there are two groups, only the smaller is told."""
    by: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for one in told:
        values = Counter(found.labels[one.column])
        if len(values) > 2 or one.group == min(values, key=lambda name: (values[name], name)):
            by[one.column, one.group].append(one)
    level = false_coverage(_LEVEL, questions, len(told)) if told else _LEVEL
    for (column, group), ones in sorted(by.items(), key=lambda item: -max(abs(one.above - 0.5) for one in item[1])):
        ones.sort(key=lambda one: -abs(one.above - 0.5))
        seen = [_compared(one, asked[one.measure], found, clusters, level) for one in ones]
        said = "; ".join(one.pop("said") for one in seen[:3])
        more = f"; and {len(seen) - 3} more" if len(seen) > 3 else ""
        yield Finding(f"{column} = {group}", f"{column} {group} is unlike the others: {said}{more}.", {
            "column": column, "group": group, "rows": ones[0].rows, "level": level, "differences": [
                {name: value for name, value in one.items() if name != "said"} for one in seen]})


def _compared(one: Difference, values: Floats, found: Measures, clusters: Sequence[str] | None,
              level: float) -> dict[str, Any]:
    """What the group has of a measure, with an interval, beside what all others have."""
    there = np.isfinite(values)
    is_in = np.array([label == one.group for label in found.labels[one.column]]) & there
    own, others = values[is_in], values[~is_in & there]
    labels = None if clusters is None else np.asarray(clusters)[is_in].tolist()
    if labels is not None and len(set(labels)) == 1:
        labels = None  # the rows of this very speaker
    base = {"measure": one.measure, "above": one.above, "p_value": one.p_value}
    if one.measure not in found.numbers:
        rates = float(own.mean()), float(others.mean())
        low, high = clustered_mean(own, labels, level) if labels else binomial(int(own.sum()), len(own), level)
        return base | {"share": rates[0], "others": rates[1], "interval": [low, high], "said":
                       f"{one.measure} in {100 * rates[0]:.3g} % ({100 * low:.3g} to {100 * high:.3g}; others "
                       f"{100 * rates[1]:.3g} %)"}
    each = (1 + level) / 2
    low, high = (quantile_lower(own, 0.5, each, clusters=labels), quantile_upper(own, 0.5, each, clusters=labels))
    medians, unit = (float(np.median(own)), float(np.median(others))), found.units.get(one.measure, "")
    interval = [bound if np.isfinite(bound) else None for bound in (low, high)]
    between = f"{low:.3g} to {high:.3g}; " if None not in interval else ""
    return base | {"median": medians[0], "others": medians[1], "interval": interval, "unit": unit, "said":
                   f"median {one.measure} {medians[0]:.3g}{f' {unit}' if unit else ''} ({between}others "
                   f"{medians[1]:.3g})"}


def _facts(found: Measures, by: Sequence[str], wrong: Sequence[Issue], said: dict[str, Any]) -> dict[str, Any]:
    few = {name: sorted(group for group, count in Counter(found.labels[name]).items() if count < LEAST_ROWS)
           for name in by}
    return {"name": found.name, "rows": len(found), **said,
            "broken": [{"sample": one.sample, "column": one.column, "reason": one.reason} for one in found.broken],
            "measures": {name: {"unit": found.units.get(name, ""), **spread(values)}
                         for name, values in found.numbers.items()},
            "forms": {name: dict(Counter(form for form in forms if form).most_common())
                      for name, forms in found.forms.items()},
            "labels": {name: _counts(values) for name, values in found.labels.items()},
            "groups": {name: _by_group(found, name, wrong) for name in by},
            "too few rows to compare": {name: groups for name, groups in few.items() if groups},
            "not compared": [name for name in found.labels if name not in by]}


def _counts(values: Sequence[str]) -> dict[str, Any]:
    """How many different labels, the rows of the most and the least frequent, and those of the first 300."""
    counts = Counter(values).most_common()
    return {"different": len(counts), "most": counts[0][1], "least": counts[-1][1],
            "counts": dict(counts[:MOST_GROUPS])}


def _by_group(found: Measures, column: str, wrong: Sequence[Issue]) -> dict[str, Any]:
    names, code = np.unique(np.asarray(found.labels[column]), return_inverse=True)
    order, sizes = np.argsort(code, kind="stable"), np.bincount(code)
    parts = np.split(order, np.cumsum(sizes)[:-1])
    return {str(name): {"rows": int(size), "medians": {
        measure: _median(values[part]) for measure, values in found.numbers.items()},
        "issues": {one.subject: int(one.rows[part].sum()) for one in wrong if one.rows[part].any()}}
        for name, size, part in zip(names, sizes, parts, strict=True)}


def _median(values: Floats) -> float | None:
    there = values[np.isfinite(values)]
    return _short(float(np.median(there))) if len(there) else None


def _short(value: float) -> float:
    return float(f"{value:.5g}")
