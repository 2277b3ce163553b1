"""How labels and groups are filled: which are missing, rare, alike, or written where there is nothing to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from linnet.introspect.findings import Finding
from linnet.introspect.health.measures import Measures

RARE_ROWS, UNEVEN = 10, 3
_NOTHING = frozenset(("nan", "na", "n/a", "null", "none", "unknown", "undefined", "missing", "?", "-", "--", "."))
_NAMED = 6


def balance(found: Measures) -> Iterator[Finding]:
    """Findings on columns of labels and groups, and on columns of numbers that are all the same."""
    for column, values in found.labels.items():
        counts = Counter(values)
        yield from _constant(column, len(counts), next(iter(counts)))
        yield from _missing(column, found.ids, values)
        if column in found.known:
            yield from _labels(column, counts, found.known[column])
        elif len(counts) == len(values) > 1:
            yield Finding(f"{column}: groups of one", f"Every row has a {column} of its own; it groups nothing.",
                          {"column": column, "issue": "groups of one", "groups": len(counts)})
    for name, numbers in found.numbers.items():
        if name.rpartition(".")[0] not in found.forms:
            yield from _constant(name, len(np.unique(numbers)), f"{numbers[0]:g}")


def _constant(column: str, different: int, value: str) -> Iterator[Finding]:
    if different == 1:
        yield Finding(f"{column}: constant", f"Every row has the same {column}: {value}.",
                      {"column": column, "issue": "constant", "value": value})


def _missing(column: str, ids: Sequence[str], values: Sequence[str]) -> Iterator[Finding]:
    rows = [name for name, value in zip(ids, values, strict=True) if value.strip().casefold() in _NOTHING]
    if rows:
        written = sorted({value for value in values if value.strip().casefold() in _NOTHING})
        yield Finding(f"{column}: missing", f"{len(rows):,} of {len(ids):,} rows have no {column}, but "
                      f"{', '.join(map(repr, written))}.",
                      {"column": column, "issue": "missing", "count": len(rows), "of": len(ids), "samples": rows})


def _labels(column: str, counts: Counter[str], known: Sequence[str]) -> Iterator[Finding]:
    absent = [label for label in known if not counts[label]]
    if absent:
        yield Finding(f"{column}: absent", f"{_named(column, absent)} in no row.",
                      {"column": column, "issue": "absent", "labels": absent})
    few = sorted(((label, count) for label, count in counts.items() if count < RARE_ROWS), key=lambda one: one[1])
    if few:
        names = [label for label, _ in few]
        yield Finding(f"{column}: rare", f"{_named(column, names)} in fewer than {RARE_ROWS} rows: too few to learn "
                      "or to judge.", {"column": column, "issue": "rare", "labels": dict(few)})
    (most, many), (least, least_rows) = counts.most_common(1)[0], counts.most_common()[-1]
    if many >= UNEVEN * least_rows:
        yield Finding(f"{column}: uneven", f"{column} '{most}' has {many:,} rows and '{least}' {least_rows:,}: "
                      f"{many / least_rows:.3g} times as many.",
                      {"column": column, "issue": "uneven", "most": {most: many}, "least": {least: least_rows},
                       "ratio": many / least_rows})


def _named(column: str, labels: Sequence[str]) -> str:
    shown = ", ".join(f"'{label}'" for label in labels[:_NAMED])
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return f"{column} {shown}{more} {'occur' if len(labels) > 1 else 'occurs'}"
