"""Rows of a table test any task: who answers as the data say passes every case, and who does not fails."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from tasks.test_tasks_laws import MEMBERS, perfect

from linnet import data
from linnet.runtime.cases import read_cases
from linnet.runtime.outcomes import ask_cases
from linnet.tasks import Arrays, Task

ROWS = 6


class Knows:
    """Answers one row after the other as the data say; `shift` rows later, so wrongly."""

    def __init__(self, task: Task, dataset: data.Dataset, shift: int = 0) -> None:
        self.answers, self.asked, self.rows = perfect(task, dataset), shift, len(dataset)

    def __call__(self, arrays: Arrays) -> Arrays:
        place = self.asked % self.rows
        self.asked += 1
        return {name: values[place : place + 1] for name, values in self.answers.items()}


def cells(task: Task, dataset: data.Dataset, folder: Path) -> dict[str, list[Any]]:
    """What goes in, as a table writes it; sounds and images lie beside it."""
    if task.kind == "assess":
        phones, lengths = dataset.values("phones"), dataset.values("word_lengths")
        words = [[" ".join(row[end - int(size) : end]) for end, size in
                  zip(np.cumsum([int(size) for size in sizes]), sizes, strict=True)]
                 for row, sizes in zip(phones, lengths, strict=True)]
        return {**cells_of("audio", dataset, folder), "words": ["|".join(row) for row in words]}
    return {name: values for column in task.inputs for name, values in cells_of(column, dataset, folder).items()}


def cells_of(column: str, dataset: data.Dataset, folder: Path) -> dict[str, list[Any]]:
    kind = dataset.column(column).kind
    if kind not in ("audio", "image"):
        return {column: list(dataset.values(column))}
    paths = []
    for number, media in enumerate(dataset.decode(column)):
        paths.append(f"{number}.{'wav' if kind == 'audio' else 'png'}")
        if isinstance(media, data.Audio):
            soundfile.write(folder / paths[-1], media.samples, media.sample_rate_hz, subtype="FLOAT")
        else:
            Image.fromarray(media[..., 0] if media.shape[-1] == 1 else media).save(folder / paths[-1])
    return {column: paths}


@pytest.mark.parametrize("name", MEMBERS)
def test_rows_test_every_task(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    splits, task = MEMBERS[name](request)
    dataset = splits.test.take(range(ROWS))
    columns = {**cells(task, dataset, tmp_path), "expected": task.expected(dataset)}
    with (tmp_path / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    cases = read_cases(tmp_path / "cases.csv", task)
    found = ask_cases(Knows(task, dataset), task, cases)
    assert [one.message for one in found if not one.passed] == []
    assert [one.score for one in found] == [1.0] * ROWS
    for sample, media in zip(task.prepare([cases.sample(place, task) for place in range(ROWS)]).items(),
                             task.prepare(task.read(dataset)).items(), strict=True):
        assert sample[0] == media[0]
        assert sample[1].tolist() == media[1].tolist()
    wrong = [json.dumps(one) for one in task.expected(dataset)]
    if len(set(wrong)) > 1 and not getattr(task, "answers_are_compared", False):
        assert not all(one.passed for one in ask_cases(Knows(task, dataset, 1), task, cases))
