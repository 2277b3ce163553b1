"""Leakage: what of validation and test is, or nearly is, in train too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from linnet.data.columns import GroupColumn
from linnet.data.dataset import Dataset
from linnet.data.splits import Splits
from linnet.errors import LinnetError
from linnet.introspect.duplicates.items import items_of, joined
from linnet.introspect.duplicates.near import find_pairs, sentence
from linnet.introspect.findings import Finding, Findings
from linnet.progress import Progress


def leakage(splits: Splits | Mapping[str, Any], *, column: str | None = None, groups: Sequence[str] | None = None,
            rate: float = 0.02, seed: int = 0, progress: Progress | None = None) -> Findings:
    """Findings of kind "leakage": groups that are in two parts ("speaker=anna"), then pairs ("id & id") across them.

    `splits` are Splits, or a mapping of names to what `near_duplicates` takes; `column` and `rate` are as there.
    `groups` names the columns whose values must not cross; without it, all group columns. The facts count, for each two
    parts, the samples of the second that are in the first as well ("test_in_train").

    Raises LinnetError for fewer than two parts, for columns that are not there, and as `near_duplicates` does.

    >>> found = leakage({"train": ["turn it up", "goodbye"], "test": ["Turn it up!"]})
    >>> print(found.facts["test_in_train"], found.items[0].evidence["parts"])
    1 ['train', 'test']
    """
    if not isinstance(splits, Splits | Mapping):
        raise LinnetError(f"leakage is between parts, each with its name; got {type(splits).__name__}. Give Splits, or "
                          "a mapping.")
    parts = {str(name): part for name, part in dict(splits).items()}
    if len(parts) < 2:
        raise LinnetError(f"leakage is between parts; got {', '.join(parts) or 'none'}. Give Splits, or at least two.")
    crossing = _crossing_groups(parts, groups)
    things = {name: items_of(part, column=column) for name, part in parts.items()}
    whole = joined(things)
    home = [name for name, part in things.items() for _ in range(len(part))]
    found = find_pairs(whole, rate, seed, progress)
    across = [(at, int(one), int(other)) for at, (one, other) in enumerate(found.rows) if home[one] != home[other]]
    pairs = [Finding(f"{whole.ids[one]} & {whole.ids[other]}",
                     sentence(whole.kind, whole.ids[one], whole.ids[other], found.evidence[at])[:-1]
                     + f" One is in {home[one]}, the other in {home[other]}.",
                     {"ids": [whole.ids[one], whole.ids[other]],
                      "parts": [home[one], home[other]]} | found.evidence[at])
             for at, one, other in across]
    counts = {f"{later}_in_{earlier}": len({side for _, *pair in across for side in pair
                                            if {home[one] for one in pair} == {earlier, later} and home[side] == later})
              for earlier, later in combinations(parts, 2)}
    sizes = {name: len(part) for name, part in things.items()}
    return Findings("leakage", (*crossing, *pairs),
                    found.facts | counts | {"parts": sizes, "pairs": len(pairs), "crossing_groups": len(crossing)})


def _crossing_groups(parts: Mapping[str, Any], groups: Sequence[str] | None) -> list[Finding]:
    tables = {name: part for name, part in parts.items() if isinstance(part, Dataset)}
    if groups and len(tables) < len(parts):
        raise LinnetError("groups are columns of Datasets; these parts are none. Leave groups out.")
    found = []
    for column in groups if groups is not None else _group_columns(tables):
        rows = {name: _rows_by_value(table, column) for name, table in tables.items()}
        for value in sorted({value for held in rows.values() for value in held}):
            counts = {name: held[value] for name, held in rows.items() if value in held}
            if len(counts) > 1:
                said = ", ".join(f"{count} in {name}" for name, count in counts.items())
                found.append(Finding(f"{column}={value}", f"{column} '{value}' is in {len(counts)} parts: {said}.",
                                     {"column": column, "value": value, "samples": counts}))
    return found


def _group_columns(tables: Mapping[str, Dataset]) -> list[str]:
    return sorted({name for table in tables.values() for name, held in table.columns.items()
                   if isinstance(held, GroupColumn)})


def _rows_by_value(table: Dataset, column: str) -> dict[str, int]:
    table.column(column)
    counts: dict[str, int] = {}
    for value in table.values(column):
        counts[str(value)] = counts.get(str(value), 0) + 1
    return counts
