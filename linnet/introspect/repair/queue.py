"""A labelling queue: findings out to people, as CSV or for Label Studio, and their answers back into the dataset."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from linnet.data import Dataset
from linnet.data.columns import LabelColumn
from linnet.data.repairing import relabelled, without
from linnet.errors import DamagedFileError, LinnetError, unknown
from linnet.files import replacing
from linnet.introspect.findings import Findings
from linnet.introspect.repair import label_studio
from linnet.introspect.repair.label_studio import Answer

_COLUMNS = ("id", "given", "suggested", "probability", "why", "sample", "answer", "drop")
_YES, _NO = ("yes", "y", "1", "true", "x"), ("", "no", "n", "0", "false")


def write_queue(dataset: Dataset, findings: Findings, path: str | Path, *, column: str, show: str | None = None,
                prefix: str = "") -> Path:
    """Write what people are to look at: one row, or task, a finding, in their order; the file's path.

    A `.csv` has the columns id, given, suggested, probability, why, sample, and two to fill in: `answer` (a label) and
    `drop` (yes). A `.json` is a list of tasks for Label Studio with the suggestions as predictions; beside it lies the
    labelling interface, `.xml`. `show` is the column of recordings, images or texts to show; without it, only ids are
    written. `prefix` goes before the paths of media, such as "/data/local-files/?d=". Media that lie in a table or an
    archive travel inside the `.json`, and are left out of a `.csv`.

    Raises LinnetError for a sample that is not in the dataset, a column that holds no labels, and other suffixes.
    """
    path = Path(path)
    labels = _labels(dataset, column)
    rows = {name: row for row, name in enumerate(dataset.ids)}
    for subject in findings.subjects:
        if subject not in rows:
            raise unknown("sample", subject, rows)
    kind = _kind(path)
    given = [str(value) for value in dataset.values(column)]
    tasks = [{"id": finding.subject, "given": given[rows[finding.subject]],
              "suggested": str(finding.evidence.get("suggested", "")),
              "probability": finding.evidence.get("probability", ""), "why": finding.statement,
              "sample": label_studio.shown(dataset, show, rows[finding.subject], prefix, inline=kind == ".json"),
              "answer": "", "drop": ""} for finding in findings]
    with replacing(path) as partial:
        if kind == ".json":
            partial.write_text(json.dumps([label_studio.task(one) for one in tasks], indent=1) + "\n", "utf-8")
        else:
            with partial.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, _COLUMNS)
                writer.writeheader()
                writer.writerows(tasks)
    if kind == ".json":
        with replacing(path.with_suffix(".xml")) as partial:
            partial.write_text(label_studio.interface(labels, dataset.column(show).kind if show else "text"), "utf-8")
    return path


def read_queue(dataset: Dataset, path: str | Path, *, column: str) -> Dataset:
    """The dataset with the answers of a queue: other labels, and samples taken out; what has no answer stays.

    A `.csv` as `write_queue` wrote it with its last columns filled in, or Label Studio's export of the tasks (JSON).
    Answers that keep the given label change nothing. Raises LinnetError, and changes nothing, for an unknown label or
    sample, two answers to one sample that differ, a sample whose label is no longer the one that was shown, and a file
    that is no such queue.
    """
    path = Path(path)
    labels = _labels(dataset, column)
    if not path.exists():
        raise LinnetError(f"there is no file {path}; expected the queue with its answers.")
    answers = _checked(_from_csv(path) if _kind(path) == ".csv" else label_studio.read(path), dataset, labels, column)
    gone = [name for name, answer in answers.items() if answer.drop]
    changed = {name: (answer.given, answer.label) for name, answer in answers.items()
               if not answer.drop and answer.label not in (None, answer.given)}
    said = {"because": "queue", "file": path.name}
    repaired = relabelled(dataset, column, {name: (before, str(after)) for name, (before, after) in changed.items()},
                          **said) if changed else dataset
    return without(repaired, gone, **said) if gone else repaired


def _labels(dataset: Dataset, column: str) -> tuple[str, ...]:
    held = dataset.column(column)
    if not isinstance(held, LabelColumn):
        raise LinnetError(f"a labelling queue asks for labels; column '{column}' holds {held.kind}.")
    return held.labels


def _kind(path: Path) -> str:
    if path.suffix.lower() not in (".csv", ".json"):
        raise LinnetError(f"a labelling queue is a .csv, or a .json for Label Studio; got '{path.name}'.")
    return path.suffix.lower()


def _from_csv(path: Path) -> list[Answer]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, missing = list(reader), {"id", "given", "answer", "drop"} - set(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedFileError(f"{path} is no labelling queue, or was not saved as UTF-8: {error}.") from error
    if missing:
        raise DamagedFileError(f"{path} is no labelling queue: it lacks the columns {', '.join(sorted(missing))}.")
    return [_row(row) for row in rows]


def _row(row: Mapping[str, str | None]) -> Answer:
    said = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
    if said["drop"].lower() not in (*_YES, *_NO):
        raise LinnetError(f"the queue says drop = '{said['drop']}' of sample '{said['id']}'; expected yes, or nothing.")
    return Answer(said["id"], said["given"], said["answer"] or None, said["drop"].lower() in _YES)


def _checked(answers: list[Answer], dataset: Dataset, labels: tuple[str, ...], column: str) -> dict[str, Answer]:
    """One answer a sample, all of them possible."""
    known, found = set(dataset.ids), dict[str, Answer]()
    for answer in answers:
        if answer.id not in known:
            raise unknown("sample", answer.id, known)
        if answer.label is not None and answer.label not in labels:
            raise unknown(f"label of '{column}' for sample '{answer.id}':", answer.label, labels)
        if answer.label is None and not answer.drop:
            continue
        if found.setdefault(answer.id, answer) != answer:
            raise LinnetError(f"sample '{answer.id}' has two answers that differ: {_said(found[answer.id])} and "
                              f"{_said(answer)}. Settle it, and leave one.")
    return found


def _said(answer: Answer) -> str:
    return "drop" if answer.drop else str(answer.label)
