"""Row tests: a table of samples with their expected answers, put to a shipped file one by one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.data import AudioColumn, Dataset, ImageColumn, TextColumn, ValueColumn, media_cells, odd
from linnet.data.columns import Column
from linnet.data.media import kind_of_name
from linnet.data.sources.inference import number
from linnet.data.sources.manifest import PATH_COLUMNS
from linnet.data.sources.rows import SUFFIXES, form, read_columns
from linnet.errors import LinnetError
from linnet.progress import Progress
from linnet.tasks import Predictor, Task

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


@dataclass(frozen=True)
class Outcome:
    """What came of one case."""

    id: str
    sample: str
    group: str
    expected: str
    answer: str | None
    """None where the sample could not be read."""
    passed: bool
    note: str = ""
    """Why nothing was answered, or why nothing could be right."""

    @property
    def message(self) -> str:
        """In one line: the case, and what was answered instead."""
        case = self.id if self.sample in ("", self.id) else f"{self.id} ({self.sample})"
        said = "no answer" if self.answer is None else f"answered {self.answer!r}"
        return f"{case}: expected {self.expected!r}, {said}" + (f" ({self.note})" if self.note else "")


def read_cases(path: Path, task: Task) -> Cases:
    """Read a CSV, TSV or JSON lines file: the sample (a text, a path from the table's folder, or a row's columns), the
    column `expected` (or the task's own target), and if there are `id` and `group`.

    What is expected is written as `linnet try` prints it; lists also with spaces or commas between their elements.
    """
    if form(path) is None:
        raise LinnetError(f"{path} is no table of cases; give {', '.join(SUFFIXES)}.")
    raw = {name: [_written(value) for value in values] for name, values in read_columns(path).items()}
    target = next((name for name in (EXPECTED, task.target) if name in raw), None)
    if target is None:
        raise LinnetError(f"{path} has no column '{EXPECTED}' with the answers; it has {', '.join(raw)}.")
    cells = {name: raw[_column(path, name, task, [other for other in raw if other != target])] for name in task.inputs}
    samples = tuple(next(iter(cells.values())) if len(cells) == 1 else
                    (json.dumps(dict(zip(cells, row, strict=True)), ensure_ascii=False)
                     for row in zip(*cells.values(), strict=True)))
    ids = raw.get("id", list(samples))
    return Cases(_dataset(path, _apart(ids), cells, task), samples, tuple(raw[target]),
                 tuple(raw.get(GROUP, [""] * len(samples))))


def ask_cases(predictor: Predictor, task: Task, cases: Cases, *, progress: Progress | None = None) -> list[Outcome]:
    """Ask each case by itself, so that neither its neighbours nor one that cannot be read change an answer.

    A case passes where the task scores its answer 1.
    """
    outcomes: list[Outcome] = []
    with odd.gathered():
        for place, name in enumerate(cases.dataset.ids):
            try:
                samples = task.read(cases.at(place).dataset)
                answer = task.decode(predictor(task.prepare(samples)), samples)[0]
                passed, note = _judged(task, answer, cases.expected[place])
            except LinnetError as error:
                answer, passed, note = None, False, str(error)
            outcomes.append(Outcome(name, cases.samples[place], cases.groups[place], cases.expected[place], answer,
                                    passed, note))
            if progress:
                progress(place + 1, len(cases), "cases")
    return outcomes


def by_group(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """How many cases of each group passed, of how many; empty where no case has a group."""
    every, passed = Counter(one.group for one in outcomes), Counter(one.group for one in outcomes if one.passed)
    return {} if set(every) <= {""} else {name: (passed[name], every[name]) for name in sorted(every)}


def _judged(task: Task, answer: str, expected: str) -> tuple[bool, str]:
    try:
        if task.score([answer], [_as_answered(task, answer, expected)])[0] == 1:
            return True, ""
    except ValueError as error:
        raise LinnetError(f"'{expected}' is nothing that this task can answer ({error}).") from error
    can_be = task.kind != "classify" or _parsed(answer) is not None or \
        expected.strip() in (*task.labels, getattr(task, "reject", None))
    return False, "" if can_be else f"the file knows no label '{expected}'"


def _as_answered(task: Task, answer: str, expected: str) -> str:
    """The cell in the form in which the task answers, where that is JSON."""
    said, wanted = _parsed(answer), _parsed(expected)
    if not isinstance(said, list | dict):
        return expected.strip()
    if wanted is None and isinstance(said, list):
        separator = next((sign for sign in ";|," if sign in expected), None)
        wanted = [part.strip() for part in expected.split(separator) if part.strip()]
    if task.kind == "classify" and isinstance(wanted, list):
        wanted = sorted(map(str, wanted))
    return json.dumps(wanted, ensure_ascii=False)


def _parsed(text: str) -> Any:
    """The JSON list or object that a text is; None for any other text."""
    if not text.strip().startswith(("[", "{")):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _column(path: Path, name: str, task: Task, found: Sequence[str]) -> str:
    """Which of the table's columns holds the task's input of that name."""
    if name in found:
        return name
    other = next((sample for sample in SAMPLE if sample in found), None) if len(task.inputs) == 1 else None
    if other is None:
        raise LinnetError(f"{path} has no column '{name}' with what goes in; beside the expected answers it has "
                          f"{', '.join(found) or 'nothing'}.")
    return other


def _apart(ids: Sequence[str]) -> list[str]:
    """Ids that differ: what comes again gets its number."""
    seen = Counter[str]()
    found = []
    for name in ids:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def _dataset(path: Path, ids: Sequence[str], cells: Mapping[str, Sequence[str]], task: Task) -> Dataset:
    import pyarrow as pa

    table: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    columns: dict[str, Column] = {}
    media = next((AudioColumn() if name == "audio" else ImageColumn() for name in task.arrays
                  if name in ("audio", "image")), None)
    for name, values in cells.items():
        numbers = [number(value) for value in values]
        if media is not None and (len(cells) == 1 or all(map(kind_of_name, values))):
            table[name], columns[name] = media_cells(values), media
        elif "features" in task.arrays and None not in numbers:
            table[name], columns[name] = pa.array(numbers), ValueColumn()
        else:
            table[name], columns[name] = pa.array(values, pa.string()), TextColumn()
    return Dataset("cases", pa.table(table), columns, root=path.parent)
