"""Row tests: each case is put to a predictor, and what came of it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from linnet.data import odd
from linnet.errors import LinnetError
from linnet.progress import Progress
from linnet.runtime.cases import Cases
from linnet.runtime.expected import as_answered, strange
from linnet.tasks import Predictor, Task

log = logging.getLogger("linnet")

SHOWN = 80
"""A longer answer is cut in messages."""


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
    score: float = 0.0
    """What the task gave the answer, from 0 to 1."""
    note: str = ""
    """Why nothing was answered, or why nothing could be right."""

    @property
    def message(self) -> str:
        """In one line: the case, and what was answered instead."""
        case = self.id if self.sample in ("", self.id) else f"{self.id} ({self.sample})"
        said = "no answer" if self.answer is None else f"answered {_short(self.answer)}"
        notes = [f"scored {self.score:.2f}"] if 0 < self.score < 1 else []
        notes += [self.note] if self.note else []
        return f"{case}: expected {_short(self.expected)}, {said}" + (f" ({', '.join(notes)})" if notes else "")


def ask_cases(predictor: Predictor, task: Task, cases: Cases, *, enough: float = 1.0,
              progress: Progress | None = None) -> list[Outcome]:
    """Ask each case by itself, so that neither its neighbours nor one that cannot be read change an answer.

    A case passes where the task scores its answer at least `enough`: 1, unless an answer may be partly right, such as
    the times of events. Answers that say something only beside each other (voices) are scored together.
    """
    if not 0 < enough <= 1:
        raise LinnetError(f"enough is the score from which on a case passes, above 0 and at most 1; got {enough:g}.")
    outcomes: list[Outcome] = []
    with odd.gathered():
        for place, name in enumerate(cases.dataset.ids):
            outcome = Outcome(name, cases.samples[place], cases.groups[place], cases.expected[place], None, False)
            try:
                sample = cases.sample(place, task)
                outcome = replace(outcome, answer=task.decode(predictor(task.prepare([sample])), [sample])[0])
                outcomes.append(outcome if are_compared(task) else _judged(task, outcome, enough))
            except LinnetError as error:
                outcomes.append(replace(outcome, note=str(error)))
            if progress:
                progress(place + 1, len(cases), "cases")
    return _together(task, outcomes, enough) if are_compared(task) else outcomes


def are_compared(task: Task) -> bool:
    """Whether an answer is scored only beside those to other samples."""
    return bool(getattr(task, "answers_are_compared", False))


def by_group(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """How many cases of each group passed, of how many; empty where no case has a group."""
    every, passed = Counter(one.group for one in outcomes), Counter(one.group for one in outcomes if one.passed)
    return {} if set(every) <= {""} else {name: (passed[name], every[name]) for name in sorted(every)}


def _judged(task: Task, outcome: Outcome, enough: float) -> Outcome:
    answer = outcome.answer or ""
    expected = as_answered(task, answer, outcome.expected)
    note = strange(task, answer, expected)
    try:
        score = float(task.score([answer], [expected])[0])
    except (ValueError, KeyError, TypeError) as error:
        if not note:
            raise LinnetError(f"'{outcome.expected}' is nothing that this task can answer ({error}).") from error
        score = 0.0
    return replace(outcome, passed=score >= enough, score=score, note=note if score == 0 else "")


def _together(task: Task, outcomes: Sequence[Outcome], enough: float) -> list[Outcome]:
    answered = [one for one in outcomes if one.answer is not None]
    if len(answered) < 2:
        return [one if one.answer is None else replace(one, note="there is no other recording to hold it against")
                for one in outcomes]
    _say_one_sided(task, Counter(one.expected for one in answered))
    scores = iter(task.score([str(one.answer) for one in answered], [one.expected for one in answered]).tolist())
    return [one if one.answer is None else replace(one, score=(score := next(scores)), passed=score >= enough)
            for one in outcomes]


def _say_one_sided(task: Task, speakers: Counter[str]) -> None:
    """Without a threshold likeness is judged by pairs of one speaker beside pairs of two, so both are needed."""
    alone = sum(count for count in speakers.values() if count == 1 or len(speakers) == 1)
    if alone and getattr(task, "threshold", None) is None:
        log.warning("%d of %d recordings have pairs of one kind only, of one speaker or of two, and pass whatever they "
                    "sound like: give two recordings each of at least two speakers.", alone, speakers.total())


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")
