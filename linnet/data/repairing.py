"""Repairs of a dataset as steps that are written down: rows taken out, labels changed; each can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from linnet.data.columns import LabelColumn
from linnet.data.dataset import Dataset
from linnet.data.leaks import listed
from linnet.errors import LinnetError, unknown


def without(dataset: Dataset, ids: Iterable[str], **said: Any) -> Dataset:
    """Without these samples; `said` is plain JSON that is kept in the step beside their names.

    Raises LinnetError for an id that is not there, and where no sample would be left.
    """
    gone = list(dict.fromkeys(ids))
    missing = sorted(set(gone) - set(dataset.ids))
    if missing:
        raise _strange(dataset, missing)
    if len(gone) == len(dataset):
        raise LinnetError(f"nothing would be left of '{dataset.name}': all {len(gone)} samples are to be taken out.")
    left = set(gone)
    return dataset._rows([row for row, name in enumerate(dataset.ids) if name not in left],
                         {"drop": gone, **said})


def relabelled(dataset: Dataset, column: str, labels: Mapping[str, tuple[str, str]], **said: Any) -> Dataset:
    """With other labels in a column of labels: sample id to (the label it has, the label it gets).

    Raises LinnetError for a sample that is not there or has another label, and for a label that the column lacks.
    """
    import pyarrow as pa

    schema = dataset.column(column)
    if not isinstance(schema, LabelColumn):
        raise LinnetError(f"only labels can be changed; column '{column}' holds {schema.kind}.")
    rows = {name: row for row, name in enumerate(dataset.ids)}
    missing = sorted(set(labels) - set(rows))
    if missing:
        raise _strange(dataset, missing)
    values = [str(value) for value in dataset.values(column)]
    for name, (before, after) in labels.items():
        if after not in schema.labels:
            raise unknown(f"label of '{column}' for sample '{name}':", after, schema.labels)
        if values[rows[name]] != before:
            raise LinnetError(f"sample '{name}' of '{dataset.name}' is labelled {values[rows[name]]}, not {before}; "
                              "it was changed since. Look again, then repair.")
        values[rows[name]] = after
    place = dataset.table.column_names.index(column)
    table = dataset.table.set_column(place, column, pa.array(values, dataset.table.schema.field(column).type))
    step = {"relabel": {name: list(pair) for name, pair in labels.items()}, "column": column, **said}
    return replace(dataset, table=table, origin=dataset._with(step))


def repeat_drop(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    """The step of `without` again, with all that it says."""
    return without(dataset, step["drop"], **{name: value for name, value in step.items() if name != "drop"})


def repeat_relabel(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    """The step of `relabelled` again, with all that it says."""
    said = {name: value for name, value in step.items() if name not in ("relabel", "column")}
    return relabelled(dataset, step["column"], {name: (pair[0], pair[1]) for name, pair in step["relabel"].items()},
                      **said)


def _strange(dataset: Dataset, missing: list[str]) -> LinnetError:
    known = unknown("sample", missing[0], dataset.ids) if len(dataset) <= 1000 else None
    hint = f" {str(known).split(' Known:')[0].split('; ')[1]}" if known and "did you mean" in str(known) else ""
    return LinnetError(f"{len(missing)} samples are not in '{dataset.name}': {listed(missing)}.{hint} "
                       "Is it the same data, and the same part of it?")
