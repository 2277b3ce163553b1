"""Dataset: a table of samples whose media are decoded when asked; and Splits, three of them that do not leak."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linnet.data.cells import as_column
from linnet.data.columns import AudioColumn, Column, ImageColumn, LabelColumn, ValueColumn
from linnet.data.digest import content_digest, fingerprint
from linnet.data.leaks import SHOWN, listed, refuse_crossing
from linnet.data.media import Audio, Media, probe_image, read_audio, read_image
from linnet.data.splitting import Amount, assign
from linnet.errors import DamagedFileError, LinnetError, unknown

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger("linnet")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of samples with a unique string column "id"; `columns` says what each other column holds.

    A recording or image is a cell struct<path: string, bytes: binary>; its path is relative to `root`. `origin` is
    JSON from which `data.restore` makes the same dataset again; `part` is "train", "validation", "test" or None.
    """

    name: str
    table: pa.Table
    columns: Mapping[str, Column]
    root: Path | None = None
    part: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    _digests: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """(column, id) to content digest, shared by every dataset that was taken out of this one."""

    def __post_init__(self) -> None:
        missing = sorted({"id", *self.columns} - set(self.table.column_names))
        if missing:
            raise LinnetError(f"dataset '{self.name}': the table has no column {', '.join(missing)}; "
                              f"it has {', '.join(sorted(self.table.column_names))}.")
        if self.table.column("id").null_count or "" in self.ids:
            raise LinnetError(f"dataset '{self.name}': a row has no id; every sample needs one of its own.")
        twice = [name for name, count in Counter(self.ids).items() if count > 1]
        if twice:
            raise LinnetError(f"dataset '{self.name}': {len(twice)} ids occur more than once: {listed(twice)}. "
                              "Every sample needs an id of its own.")
        for name, column in self.columns.items():
            self._refuse_holes(name)
            if isinstance(column, LabelColumn):
                _refuse_strange(name, set(self.values(name)), column)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        part = f", part={self.part}" if self.part else ""
        return f"Dataset({self.name}{part}, {len(self)} rows, columns: {', '.join(self.columns)})"

    @cached_property
    def ids(self) -> list[str]:
        """The unique name of each row."""
        return [str(name) for name in self.table.column("id").to_pylist()]

    def column(self, name: str) -> Column:
        """What the column holds. Raises LinnetError with the known names for an unknown one."""
        if name not in self.columns:
            raise unknown("column", name, self.columns)
        return self.columns[name]

    def values(self, column: str) -> list[Any]:
        """A label, group or value column as a list of strings or numbers, one a row."""
        if isinstance(self.column(column), AudioColumn | ImageColumn):
            raise LinnetError(f"column '{column}' holds {self.column(column).kind}, not values; decode it with "
                              f"dataset.media('{column}', index) or dataset.decode('{column}').")
        return list(self.table.column(column).to_pylist())

    def media(self, column: str, index: int) -> Media:
        """One decoded sample: an Audio, or an image (height, width, channels) uint8."""
        kind = self._media_kind(column)
        try:
            return (read_audio if kind == "audio" else read_image)(self._file(column, index))
        except DamagedFileError as error:
            raise DamagedFileError(f"'{column}' of sample {self._named(column, index)} {error}. Repair the file, "
                                   "or take the sample out of the data.") from error

    def decode(self, column: str) -> list[Media]:
        """Every decoded sample, in the order of the rows.

        Raises one DamagedFileError for all that cannot be used. Recordings that are silent, and images whose
        transparency is dropped, are kept and said.
        """
        decoded, bad = [], []
        for index in range(len(self)):
            try:
                decoded.append(self.media(column, index))
            except DamagedFileError as error:
                bad.append(f"  {self._named(column, index)} {error.__cause__}")
        if bad:
            more = f"\n  ... and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
            raise DamagedFileError(f"{len(bad)} of {len(self)} samples of '{self.name}' have a column '{column}' that "
                                   "cannot be used:\n" + "\n".join(bad[:SHOWN]) + more +
                                   "\nRepair these files, or take the samples out of the data.")
        self._say_odd(column, decoded)
        return decoded

    def where(self, predicate: Callable[[Mapping[str, Any]], bool] | None = None, /, **equals: Any) -> Dataset:
        """The rows whose columns have these values (a list: any of them) and for which the predicate is true.

        The predicate gets a row without its media: {"id": ..., "digit": ..., ...}. A dataset that was chosen by a
        predicate cannot be restored from its origin. Raises LinnetError where no row is left.
        """
        wanted = {name: self._wanted(name, value) for name, value in equals.items()}
        plain = {"id": self.ids} | {name: self.values(name) for name, column in self.columns.items()
                                    if not isinstance(column, AudioColumn | ImageColumn)}
        rows = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
        kept = [index for index, row in enumerate(rows) if all(row[name] in values for name, values in wanted.items())
                and (predicate is None or predicate(row))]
        if not kept:
            raise LinnetError(self._nothing_left(wanted))
        step = [{"where": {name: _plain(value) for name, value in equals.items()}}] if equals else []
        return self._rows(kept, *step, *([{"opaque": "where(predicate)"}] if predicate else []))

    def take(self, indices: Iterable[int]) -> Dataset:
        """The rows at these positions, in this order, each at most once."""
        given = list(indices)
        if any(isinstance(index, bool | np.bool_) for index in given):
            raise LinnetError("take: got true and false; give positions, such as numpy.flatnonzero(mask).")
        chosen = [int(index) for index in given]
        outside = [index for index in chosen if not 0 <= index < len(self)]
        if outside:
            raise LinnetError(f"take: {outside[:SHOWN]} are outside of the {len(self)} rows (0 to {len(self) - 1}).")
        return self._rows(chosen, {"take": [self.ids[index] for index in chosen]})

    def distinct(self) -> Dataset:
        """Without the rows whose recording or image occurs in an earlier row (in the order of ids); says how many."""
        seen: set[str] = set()
        kept = []
        for index in sorted(range(len(self)), key=lambda index: self.ids[index]):
            digests = set(self.contents(index).values())
            if not digests & seen:
                kept.append(index)
            seen |= digests
        if len(kept) < len(self):
            _log.warning("%d of %d samples of '%s' repeat another one and were left out",
                         len(self) - len(kept), len(self), self.name)
        return self._rows(sorted(kept), {"distinct": True})

    def map(self, column: str, function: Callable[[Any], Any], *, name: str) -> Dataset:
        """With a column `name` of the function's answers for each value (or decoded sample) of `column`.

        Strings become labels, numbers values, Audio and uint8 arrays media. The result cannot be restored from its
        origin, because a function is not written down.
        """
        given = self.decode(column) if self.column(column).kind in ("audio", "image") else self.values(column)
        answers = [function(value) for value in given]
        kind, cells = as_column(answers, name)
        table = self.table.drop_columns([name]) if name in self.table.column_names else self.table
        kept = {key: value for key, value in self._digests.items() if key[0] != name}
        return replace(self, table=table.append_column(name, cells), columns={**self.columns, name: kind},
                       origin=self._with({"opaque": f"map({column})"}), _digests=kept)

    def split(self, *, by: str | None = None, seed: int = 0, validation: Amount = 0.2, test: Amount = 0.2) -> Splits:
        """Train, validation and test by hash: of rows, or of whole groups where `by` names a column.

        `validation` and `test` are shares of the groups (or rows), rounded and at least one each; or so many; or the
        names of the groups. The same seed gives the same parts whatever the order of the rows.
        """
        units = self.ids if by is None else [str(value) for value in self.values(by)]
        parts = assign(units, of=by or "id", seed=seed, validation=validation, test=test)
        step = {"by": by, "seed": seed, "validation": _plain(validation), "test": _plain(test)}
        made = {}
        for part in ("train", "validation", "test"):
            rows = [index for index, unit in enumerate(units) if parts[unit] == part]
            made[part] = replace(self._rows(rows, {"split": step, "part": part}), part=part)
        return Splits(**made, by=by)

    def contents(self, index: int) -> dict[str, str]:
        """The content digest of each recording and image of a row."""
        return {name: self._digest(name, index) for name, column in self.columns.items()
                if isinstance(column, AudioColumn | ImageColumn)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every row's id, values and decoded content; neither order nor lossless format matter."""
        plain = {name: self.values(name) for name, column in self.columns.items()
                 if not isinstance(column, AudioColumn | ImageColumn)}
        return fingerprint((name, {**self.contents(index), **{key: plain[key][index] for key in plain}})
                           for index, name in enumerate(self.ids))

    def file(self, column: str, index: int) -> Path | bytes:
        """Where a recording or image lies: a path, or the bytes themselves where the table holds them."""
        self._media_kind(column)
        return self._file(column, index)

    def _media_kind(self, column: str) -> str:
        kind = self.column(column).kind
        if kind not in ("audio", "image"):
            raise LinnetError(f"column '{column}' holds {kind}, not recordings or images; read it with "
                              f"dataset.values('{column}').")
        return kind

    @cached_property
    def _cells(self) -> dict[str, Any]:
        return {}

    def _file(self, column: str, index: int) -> Path | bytes:
        if column not in self._cells:
            cells = self.table.column(column).combine_chunks()
            self._cells[column] = (cells.field("path").to_pylist(), cells.field("bytes"))
        paths, stored = self._cells[column]
        data = stored[index].as_py()
        return bytes(data) if data is not None else (self.root or Path()) / paths[index]

    def _digest(self, column: str, index: int) -> str:
        key = (column, self.ids[index])
        if key not in self._digests:
            self._digests[key] = content_digest(self._file(column, index))
        return self._digests[key]

    def _named(self, column: str, index: int) -> str:
        file = self._file(column, index)
        return f"'{self.ids[index]}'" + (f" ({file})" if isinstance(file, Path) else "")

    def _rows(self, indices: Sequence[int], *steps: Mapping[str, Any]) -> Dataset:
        import pyarrow as pa

        return replace(self, table=self.table.take(pa.array(indices, pa.int64())), origin=self._with(*steps))

    def _with(self, *steps: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.origin, "steps": [*self.origin.get("steps", []), *steps]}

    def _wanted(self, name: str, value: Any) -> set[Any]:
        values = _plain(value)
        listed = values if isinstance(values, list) else [values]
        numbers = name != "id" and isinstance(self.column(name), ValueColumn)
        if name != "id":
            self.values(name)
        return set(listed) if numbers else {str(one) for one in listed}

    def _nothing_left(self, wanted: Mapping[str, Iterable[Any]]) -> str:
        asked = ", ".join(f"{name} = {' or '.join(sorted(map(str, values)))}" for name, values in wanted.items())
        known = "".join(f" {name} has {listed(sorted(set(self.values(name)), key=str))}."
                        for name in wanted if name != "id")
        return f"where: no row of '{self.name}' has {asked or 'what the predicate asks for'}.{known}"

    def _refuse_holes(self, name: str) -> None:
        if isinstance(self.columns[name], AudioColumn | ImageColumn):
            return
        holes = [self.ids[index] for index, value in enumerate(self.table.column(name).to_pylist())
                 if value in (None, "") or (isinstance(value, float) and not math.isfinite(value))]
        if holes:
            raise LinnetError(f"dataset '{self.name}': column '{name}' is empty (or no finite number) in {len(holes)} "
                              f"rows: {listed(holes)}. "
                              "Fill them in, take these rows out, or leave the column out.")

    def _say_odd(self, column: str, decoded: Sequence[Media]) -> None:
        silent = [name for name, media in zip(self.ids, decoded, strict=True)
                  if isinstance(media, Audio) and not media.samples.any()]
        if silent:
            _log.warning("%d of %d recordings of '%s' are silent (every sample is zero); they are kept: %s",
                         len(silent), len(self), self.name, listed(silent))
        if isinstance(self.columns[column], ImageColumn):
            seen_through = sum(probe_image(self._file(column, index)).has_transparency for index in range(len(self)))
            if seen_through:
                _log.warning("%d of %d images of '%s' have transparency, which was dropped",
                             seen_through, len(self), self.name)


@dataclass(frozen=True, eq=False)
class Splits:
    """Train, validation and test. Raises LinnetError where one is empty, or something of one is in another too.

    What may not cross: an id, the content of a recording or image, and, where `by` is given, a value of that column.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    by: str | None = None

    def __post_init__(self) -> None:
        for part, dataset in self:
            if not len(dataset):
                raise LinnetError(f"the {part} part is empty; give it at least one row.")
            if dataset.part != part:
                object.__setattr__(self, part, replace(dataset, part=part))
        refuse_crossing("id", {part: {name: name for name in data.ids} for part, data in self},
                         "If they are different samples, load each part with its own prefix, such as prefix='test/'.")
        refuse_crossing("recording or image", {part: _owners(data) for part, data in self},
                         "A model would be tested on what it has seen: take them out of one part, or call "
                         "dataset.distinct() before splitting.")
        if self.by is not None:
            groups = {part: {str(value): str(value) for value in data.values(self.by)} for part, data in self}
            refuse_crossing(self.by, groups, f"Split by whole groups: dataset.split(by='{self.by}').")

    def __iter__(self) -> Iterator[tuple[str, Dataset]]:
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


def _owners(dataset: Dataset) -> dict[str, str]:
    """Content digest to the id that holds it."""
    return {digest: name for index, name in enumerate(dataset.ids) for digest in dataset.contents(index).values()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple | range) else value


def _refuse_strange(name: str, values: set[str], column: LabelColumn) -> None:
    strange = sorted(values - set(column.labels))
    if strange:
        raise LinnetError(f"column '{name}' holds labels that its schema does not know: {listed(strange)}.")
