"""Tables of cases: samples with their expected answers, for any task of a shipped file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.data import AudioColumn, Dataset, ImageColumn, TextColumn, ValueColumn, media_cells
from linnet.data.columns import Column
from linnet.data.media import kind_of_name
from linnet.data.sources.inference import number
from linnet.data.sources.manifest import PATH_COLUMNS
from linnet.data.sources.rows import SUFFIXES, form, read_columns
from linnet.errors import LinnetError
from linnet.tasks import Assess, Task

SAMPLE = ("sample", "text", *PATH_COLUMNS)
"""What the column of samples may be called, beside the name of the task's own."""
EXPECTED, GROUP = "expected", "group"


@dataclass(frozen=True)
class Cases:
    """The rows of a table: what goes in, what should come out, and the group of each ("" where there is none)."""

    dataset: Dataset
    samples: tuple[str, ...]
    """As they stand in the table."""
    expected: tuple[str, ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.expected)

    def at(self, place: int) -> Cases:
        """One of them alone."""
        here = slice(place, place + 1)
        return Cases(self.dataset.take([place]), self.samples[here], self.expected[here], self.groups[here])

    def sample(self, place: int, task: Task) -> Any:
        """One sample, decoded: what `task.prepare` takes."""
        row = self.dataset.take([place])
        if not isinstance(task, Assess):
            return task.read(row)[0]
        text = {name: row.values(name)[0] for name in row.columns if name != "audio"}
        if "words" in text:
            text["words"] = text["words"].split("|")
        return task.takes.hear({"audio": row.decode("audio")[0], **text})


def read_cases(path: Path, task: Task) -> Cases:
    """Read a CSV, TSV or JSON lines file: the sample (a text, a path from the table's folder, or a row's columns), the
    column `expected` (or the task's own target), and if there are `id` and `group`.

    What is to be said in a recording that is assessed is its column `text`, or `words`: "W IY|K AO L". What is
    expected is written as the file answers it; `outcomes` knows shorter ways.
    """
    if form(path) is None:
        raise LinnetError(f"{path} is no table of cases; give {', '.join(SUFFIXES)}.")
    raw = {name: [_written(value) for value in values] for name, values in read_columns(path).items()}
    target = next((name for name in (EXPECTED, task.target) if name in raw), None)
    if target is None:
        raise LinnetError(f"{path} has no column '{EXPECTED}' with the answers; it has {', '.join(raw)}.")
    inputs = ("audio", "words" if "words" in raw else "text") if isinstance(task, Assess) else task.inputs
    cells = {name: raw[_column(path, name, inputs, [other for other in raw if other != target])] for name in inputs}
    samples = tuple(next(iter(cells.values())) if len(cells) == 1 else
                    (json.dumps(dict(zip(cells, row, strict=True)), ensure_ascii=False)
                     for row in zip(*cells.values(), strict=True)))
    ids = raw.get("id", list(samples))
    return Cases(_dataset(path, _apart(ids), cells, task), samples, tuple(raw[target]),
                 tuple(raw.get(GROUP, [""] * len(samples))))


def _written(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _column(path: Path, name: str, inputs: Sequence[str], found: Sequence[str]) -> str:
    """Which of the table's columns holds the task's input of that name."""
    if name in found:
        return name
    other = next((sample for sample in SAMPLE if sample in found), None) if len(inputs) == 1 else None
    if other is None:
        raise LinnetError(f"{path} has no column '{name}' with what goes in; beside the expected answers it has "
                          f"{', '.join(found) or 'nothing'}.")
    return other


def _apart(ids: Sequence[str]) -> list[str]:
    """Ids that differ: what comes again gets its number, and what is empty is called by its row."""
    seen = Counter[str]()
    found = []
    for name in (name if name.strip() else f"row {row}" for row, name in enumerate(ids, 1)):
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def _dataset(path: Path, ids: Sequence[str], cells: Mapping[str, Sequence[str]], task: Task) -> Dataset:
    import pyarrow as pa

    table: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    columns: dict[str, Column] = {}
    media = next((AudioColumn() if name == "audio" else ImageColumn() for name in ("audio", "image")
                  if name in (*task.arrays, *cells)), None)
    for name, values in cells.items():
        numbers = [number(value) for value in values]
        if media is not None and (len(cells) == 1 or all(map(kind_of_name, values))):
            table[name], columns[name] = media_cells(values), media
        elif "features" in task.arrays and None not in numbers:
            table[name], columns[name] = pa.array(numbers), ValueColumn()
        else:
            table[name], columns[name] = pa.array(values, pa.string()), TextColumn()
    return Dataset("cases", pa.table(table), columns, root=path.parent)
