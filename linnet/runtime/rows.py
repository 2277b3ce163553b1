"""rows: on which samples files are compared, unless somebody passes the dataset itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet import data as data_room
from linnet.data import Dataset, ValueColumn
from linnet.errors import LinnetError
from linnet.runtime.remeasure import ElsewhereError, NotHereError, check_there, find
from linnet.runtime.shipped import Shipped

log = logging.getLogger("linnet")


def rows(files: Shipped | Sequence[Shipped], data: str | Path | None = None,
         where: Mapping[str, Sequence[str]] | None = None) -> Dataset:
    """The rows of `data` whose columns have these values; without `where`, those that the claims of a file speak of.

    That is the first of the files that carries claims about data. An empty `where` takes every row of `data`. Raises
    LinnetError where nothing says which rows are meant.
    """
    if where is None:
        return _claimed([files] if isinstance(files, Shipped) else files, data)
    if data is None:
        raise LinnetError("rows can only be chosen from data: say where they lie (--data).")
    dataset = data_room.load(data)
    chosen = {name: _typed(dataset, name, values) for name, values in where.items()}
    return dataset.where(**chosen) if chosen else dataset


def _claimed(files: Sequence[Shipped], data: str | Path | None) -> Dataset:
    first = next((file for file in files if any(claim.data for claim in file.claims)), None)
    if first is None:
        one = len(files) == 1
        raise LinnetError(f"{', '.join(file.artifact.name for file in files)} carr{'ies' if one else 'y'} no claim "
                          "about data, so that nothing says which rows to compare on: choose some with --where "
                          "column=value, or take every row with --all-rows.")
    spoken_of = {claim.data.fingerprint: claim.data for claim in first.claims if claim.data}
    wanted = next(iter(spoken_of.values()))
    if len(spoken_of) > 1:
        log.warning("the claims in %s speak of %d sets of data; compared is on the first, %s.", first.artifact.name,
                    len(spoken_of), wanted.population)
    check_there(data)
    try:
        return find(wanted, data)
    except NotHereError as error:
        raise LinnetError(f"the data of the claims in {first.artifact.name} were not found: {error}. Give their folder "
                          "or file with --data (in Python: data=).") from error
    except ElsewhereError as error:
        raise LinnetError(f"{error}. To compare on other rows choose them with --where column=value, or take every "
                          "row with --all-rows.") from error


def _typed(dataset: Dataset, name: str, values: Sequence[str]) -> list[Any]:
    """Numbers where the column holds numbers."""
    if name == "id" or not isinstance(dataset.column(name), ValueColumn):
        return list(values)
    try:
        return [float(value) for value in values]
    except ValueError:
        raise LinnetError(f"column '{name}' holds numbers; got {', '.join(values)}.") from None
