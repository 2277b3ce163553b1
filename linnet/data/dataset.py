"""Dataset: a table of samples whose media are decoded when asked."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from linnet.data import odd
from linnet.data.archive import Archives, is_member
from linnet.data.archive import split as inside
from linnet.data.cells import as_column, plain_values
from linnet.data.checks import check_table
from linnet.data.columns import LISTS, MEDIA, Column, ImageColumn, Kind, SpansColumn, TextColumn, ValueColumn
from linnet.data.digest import content_digest, fingerprint
from linnet.data.leaks import SHOWN, listed
from linnet.data.media import Audio, Media, probe_image, read_audio, read_image
from linnet.data.splits import Splits
from linnet.data.splitting import PARTS, Amount, assign, written_parts
from linnet.errors import DamagedFileError, LinnetError, unknown

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger("linnet")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of samples with a unique string column "id"; `columns` says what each other column holds.

    A recording or image is a cell struct<path: string, bytes: binary>; its path is relative to `root`, and may name a
    file inside an archive ("clips.zip!/a.wav"). `origin` is JSON from which `data.restore` makes the same dataset
    again; `part` is "train", "validation", "test" or None.
    """

    name: str
    table: pa.Table
    columns: Mapping[str, Column]
    root: Path | None = None
    part: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    _digests: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """(column, id) to content digest, shared by every dataset that was taken out of this one."""
    _archives: Archives = field(default_factory=Archives, repr=False)
    _checked: tuple[Any, Any] = field(default=(None, None), repr=False)
    """The very table and columns that were checked, so that what is taken out of them is not checked again."""

    def __post_init__(self) -> None:
        if self._checked[0] is not self.table or self._checked[1] is not self.columns:
            check_table(self.name, self.table, self.columns)
            object.__setattr__(self, "_checked", (self.table, self.columns))

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
        """Every cell of a column that holds no media: strings, numbers, or lists (of strings, or of spans as dicts)."""
        if self.column(column).kind in MEDIA:
            raise LinnetError(f"column '{column}' holds {self.column(column).kind}, not values; decode it with "
                              f"dataset.media('{column}', index) or dataset.decode('{column}').")
        return plain_values(self.table.column(column))

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

        A column of lists has a label where the label is one of its list. The predicate gets a row without its media:
        {"id": ..., "digit": ..., ...}. A dataset that was chosen by a predicate cannot be restored from its origin.
        Raises LinnetError where no row is left.
        """
        wanted = {name: self._wanted(name, value) for name, value in equals.items()}
        kept = list(range(len(self)))
        for name, values in wanted.items():
            has = self._has(name, values)
            kept = [index for index in kept if has[index]]
        if predicate is not None:
            plain = {"id": self.ids} | {name: self.values(name) for name in self._plain_columns}
            kept = [index for index in kept if predicate({name: cells[index] for name, cells in plain.items()})]
        if not kept:
            raise LinnetError(self._nothing_left(wanted))
        step = [{"where": {name: _plain(value) for name, value in equals.items()}}] if equals else []
        return self._rows(kept, *step, *([{"opaque": "where(predicate)"}] if predicate else []))

    def take(self, indices: Iterable[int]) -> Dataset:
        """The rows at these positions, in this order, each at most once. A range of neighbours copies nothing."""
        given = indices if isinstance(indices, range) else list(indices)
        if not isinstance(given, range) and any(isinstance(index, bool | np.bool_) for index in given):
            raise LinnetError("take: got true and false; give positions, such as numpy.flatnonzero(mask).")
        chosen = given if isinstance(given, range) else [int(index) for index in given]
        if len(chosen) and not (min(chosen) >= 0 and max(chosen) < len(self)):
            outside = [index for index in chosen if not 0 <= index < len(self)]
            raise LinnetError(f"take: {outside[:SHOWN]} are outside of the {len(self)} rows (0 to {len(self) - 1}).")
        return self._rows(chosen, {"take": [self.ids[index] for index in chosen]})

    def distinct(self, column: str | None = None) -> Dataset:
        """Without the rows whose recordings or images occur in an earlier row (in the order of ids); says how many.

        `column` names one column to go by, of media or of texts; a dataset without media goes by its texts.
        """
        keys = self._identities(column)
        seen: set[str] = set()
        kept = []
        for index in sorted(range(len(self)), key=lambda index: self.ids[index]):
            found = keys[index]
            if not found & seen:
                kept.append(index)
            seen |= found
        if len(kept) < len(self):
            _log.warning("%d of %d samples of '%s' repeat another one and were left out",
                         len(self) - len(kept), len(self), self.name)
        return self._rows(sorted(kept), {"distinct": column or True})

    def map(self, column: str, function: Callable[[Any], Any], *, name: str, kind: Kind | None = None) -> Dataset:
        """With a column `name` of the function's answers for each value (or decoded sample) of `column`.

        Strings become labels, numbers values, Audio and uint8 arrays media; `kind` says otherwise, and is needed for
        lists: "text", "group", "labels", "sequence", or "spans" of the text `column`. The result cannot be restored
        from its origin, because a function is not written down.
        """
        given = self.decode(column) if self.column(column).kind in MEDIA else self.values(column)
        made, cells = as_column([function(value) for value in given], name, kind, of=column)
        table = self.table.drop_columns([name]) if name in self.table.column_names else self.table
        kept = {key: value for key, value in self._digests.items() if key[0] != name}
        return replace(self, table=table.append_column(name, cells), columns={**self.columns, name: made},
                       origin=self._with({"opaque": f"map({column})"}), _digests=kept)

    def split(self, *, by: str | None = None, seed: int = 0, validation: Amount = 0.2, test: Amount = 0.2,
              parts: str | None = None, stratify: str | None = None) -> Splits:
        """Train, validation and test by hash: of rows, or of whole groups where `by` names a column.

        `validation` and `test` are shares of the groups (or rows), rounded and at least one each; or so many; or the
        names of the groups. The same seed gives the same parts whatever the order of the rows. `stratify` names a
        column of labels that every part is to have in the same shares. `parts` names a column that says train,
        validation or test already; what it does not name is taken out of train, by hash as above.
        """
        if by is not None and stratify is not None:
            raise LinnetError(f"split: by='{by}' keeps groups whole, so that the shares of '{stratify}' are as the "
                              "groups have them; give by or stratify.")
        if stratify is not None and self.column(stratify).kind not in ("label", "group"):
            raise LinnetError(f"split: stratify takes a column of labels; '{stratify}' holds "
                              f"{self.column(stratify).kind}.")
        given = written_parts(self.values(parts), parts) if parts else ["train"] * len(self)
        open_ = [index for index, part in enumerate(given) if part == "train"]
        units = self.ids if by is None else [str(value) for value in self.values(by)]
        strata = None if stratify is None else self.values(stratify)
        if set(given) < set(PARTS):
            assigned = assign([units[index] for index in open_], of=by or "id", seed=seed,
                              validation=None if "validation" in given else validation,
                              test=None if "test" in given else test,
                              strata=None if strata is None else [strata[index] for index in open_])
            for index in open_:
                given[index] = assigned[units[index]]
        step = {"by": by, "seed": seed, "validation": _plain(validation), "test": _plain(test)}
        step |= {name: value for name, value in (("parts", parts), ("stratify", stratify)) if value is not None}
        made = {}
        for part in PARTS:
            rows = [index for index, where in enumerate(given) if where == part]
            made[part] = replace(self._rows(rows, {"split": step, "part": part}), part=part)
        return Splits(**made, by=by)

    def contents(self, index: int) -> dict[str, str]:
        """The content digest of each recording and image of a row."""
        return {name: self._digest(name, index) for name, column in self.columns.items() if column.kind in MEDIA}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every row's id, values and decoded content; neither order nor lossless format matter."""
        plain = {name: [_unordered(self.columns[name], value) for value in self.values(name)]
                 for name in self._plain_columns}
        return fingerprint((name, {**self.contents(index), **{key: plain[key][index] for key in plain}})
                           for index, name in enumerate(self.ids))

    def file(self, column: str, index: int) -> Path | bytes:
        """A recording or image: its path, or its bytes where the table or an archive holds them.

        Raises DamagedFileError for a file that its archive does not have, or cannot give.
        """
        self._media_kind(column)
        return self._file(column, index)

    def path(self, column: str, index: int) -> str | None:
        """A name to keep for a recording or image: its path below the root, or inside of its archive."""
        self._media_kind(column)
        path = self._cell(column, index)[0]
        if path is None:
            return None
        name = inside(path)[1] if is_member(path) else path
        return Path(name).name if Path(name).is_absolute() else name

    def _media_kind(self, column: str) -> str:
        kind = self.column(column).kind
        if kind not in ("audio", "image"):
            raise LinnetError(f"column '{column}' holds {kind}, not recordings or images; read it with "
                              f"dataset.values('{column}').")
        return kind

    @property
    def _plain_columns(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.kind not in MEDIA]

    @cached_property
    def _chunks(self) -> dict[str, tuple[list[int], list[tuple[pa.Array, pa.Array]]]]:
        """For a column: where each chunk starts, and its paths and bytes."""
        return {}

    def _cell(self, column: str, index: int) -> tuple[str | None, pa.Scalar]:
        if column not in self._chunks:
            chunks = self.table.column(column).chunks
            self._chunks[column] = ([0, *accumulate(map(len, chunks))],
                                    [(chunk.field("path"), chunk.field("bytes")) for chunk in chunks])
        starts, chunks = self._chunks[column]
        number = bisect_right(starts, index) - 1
        paths, stored = chunks[number]
        return paths[index - starts[number]].as_py(), stored[index - starts[number]]

    def _file(self, column: str, index: int) -> Path | bytes:
        path, stored = self._cell(column, index)
        if stored.is_valid:
            return bytes(stored.as_py())
        whole = (self.root or Path()) / (path or "")
        return self._archives.read(whole) if is_member(whole) else whole

    def _digest(self, column: str, index: int) -> str:
        key = (column, self.ids[index])
        if key not in self._digests:
            try:
                file = self._file(column, index)
            except DamagedFileError:
                file = b""
            self._digests[key] = content_digest(file)
        return self._digests[key]

    def _named(self, column: str, index: int) -> str:
        path, stored = self._cell(column, index)
        where = path if stored.is_valid else (self.root or Path()) / (path or "")
        return f"'{self.ids[index]}'" + (f" ({where})" if where else "")

    def _rows(self, indices: Sequence[int], *steps: Mapping[str, Any]) -> Dataset:
        """These rows, without a check of what was checked before; each may come once."""
        import pyarrow as pa

        if isinstance(indices, range) and indices.step == 1:
            table = self.table.slice(indices.start, len(indices))
        else:
            table = self.table.take(pa.array(indices, pa.int64()))
        is_known = isinstance(indices, range) or len(set(indices)) == len(indices)
        made = replace(self, table=table, origin=self._with(*steps),
                       _checked=(table, self.columns) if is_known else (None, None))
        made.__dict__["ids"] = [self.ids[index] for index in indices]
        return made

    def _with(self, *steps: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.origin, "steps": [*self.origin.get("steps", []), *steps]}

    def _wanted(self, name: str, value: Any) -> set[Any]:
        values = _plain(value)
        asked = values if isinstance(values, list) else [values]
        if name != "id" and self.column(name).kind in MEDIA:
            self.values(name)
        is_number = name != "id" and isinstance(self.column(name), ValueColumn)
        return set(asked) if is_number else {str(one) for one in asked}

    def _has(self, name: str, values: set[Any]) -> list[bool]:
        """For each row, whether its cell is one of these values, or (a list) holds one."""
        cells: list[Any] = self.ids if name == "id" else self.values(name)
        kind = "id" if name == "id" else self.column(name).kind
        if kind == "spans":
            return [any(span["label"] in values for span in cell) for cell in cells]
        return [not values.isdisjoint(cell) for cell in cells] if kind in LISTS else [cell in values for cell in cells]

    def _identities(self, column: str | None) -> list[set[str]]:
        """What each row must not share with another one to be distinct."""
        texts = [name for name, kind in self.columns.items() if isinstance(kind, TextColumn)]
        media = [name for name, kind in self.columns.items() if kind.kind in MEDIA]
        if column is not None and self.column(column).kind not in (*MEDIA, "text"):
            raise LinnetError(f"distinct: goes by recordings, images or texts; '{column}' holds "
                              f"{self.column(column).kind}.")
        by = [column] if column is not None else media or texts
        if not by:
            raise LinnetError(f"distinct: '{self.name}' has neither recordings, images nor texts to go by.")
        found = [self.values(name) if name in texts else [self._digest(name, index) for index in range(len(self))]
                 for name in by]
        return [set(row) for row in zip(*found, strict=True)]

    def _nothing_left(self, wanted: Mapping[str, Iterable[Any]]) -> str:
        asked = ", ".join(f"{name} = {' or '.join(sorted(map(str, values)))}" for name, values in wanted.items())
        known = "".join(f" {name} has {listed(sorted(set(self.values(name)), key=str))}."
                        for name in wanted if name != "id")
        return f"where: no row of '{self.name}' has {asked or 'what the predicate asks for'}.{known}"

    def _say_odd(self, column: str, decoded: Sequence[Media]) -> None:
        silent = [name for name, media in zip(self.ids, decoded, strict=True)
                  if isinstance(media, Audio) and not media.samples.any()]
        odd.say(f"recordings of '{self.name}' are silent (every sample is zero); they are kept", silent, of=len(self))
        if isinstance(self.columns[column], ImageColumn):
            seen_through = [name for index, name in enumerate(self.ids)
                            if probe_image(self._file(column, index)).has_transparency]
            odd.say(f"images of '{self.name}' have transparency, which was dropped", seen_through, of=len(self))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple | range) else value



def _unordered(column: Column, value: Any) -> Any:
    """Lists whose order means nothing, in one order."""
    if column.kind == "labels":
        return sorted(value)
    return sorted(value, key=lambda span: int(span["start"])) if isinstance(column, SpansColumn) else value
