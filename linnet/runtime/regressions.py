"""Which row tests newly fail and which recovered, against a run that was kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linnet.errors import DamagedFileError, LinnetError
from linnet.files import replacing
from linnet.runtime.outcomes import Outcome

SCHEMA = "linnet/cases/v1"


class KeptOutcome(BaseModel):
    """Of one case: what was expected and answered, and whether that was right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expected: str
    answer: str | None
    passed: bool


class KeptRun(BaseModel):
    """A run as it lies in a file, the cases by their ids."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["linnet/cases/v1"] = Field(default="linnet/cases/v1", alias="schema")
    model: str
    """The file's name."""
    identity: str
    """SHA-256 of the file without its claims."""
    date: str
    cases: dict[str, KeptOutcome]

    @property
    def told(self) -> str:
        """In words, for a sentence."""
        return f"{self.model} ({self.identity[:8]}) on {self.date[:10]}"


@dataclass(frozen=True)
class Change:
    """What came of the cases, beside what had come of them. A case that is asked something else now is new."""

    newly_failing: tuple[Outcome, ...] = ()
    """They passed in the last run."""
    recovered: tuple[Outcome, ...] = ()
    """They failed in the last run, and pass."""
    still_failing: tuple[Outcome, ...] = ()
    new_failing: tuple[Outcome, ...] = ()
    """They fail, and the last run did not have them."""
    gone: tuple[str, ...] = ()
    """Ids of cases that only the last run had."""
    against: KeptRun | None = field(default=None, repr=False)

    @property
    def told(self) -> str:
        """In words, for the end of a sentence; "" without a last run."""
        if self.against is None:
            return ""
        newly, gone = len(self.newly_failing), len(self.gone)
        return (f"{newly} newly fail{'s' if newly == 1 else ''} and {len(self.recovered)} recovered"
                + (f", {gone} {'is' if gone == 1 else 'are'} gone" if gone else "") + f", against {self.against.told}")

    def exit_code(self, *, known: bool) -> int:
        """0 where every case passes, else 1; with `known` failures of the last run are forgiven, 2 where none is."""
        if not (self.newly_failing or self.still_failing or self.new_failing):
            return 0
        if not known:
            return 1
        if self.against is None:
            return 2
        return 1 if self.newly_failing or self.new_failing else 0


def place_of(cases: Path) -> Path:
    """Where the last run of a table of cases is kept: beside it.

    >>> place_of(Path("tests/cases.csv")).name
    'cases.last.json'
    """
    return cases.with_name(f"{cases.name.split('.')[0]}.last.json")


def last_run(path: Path) -> KeptRun | None:
    """The run kept there; None where there is none. Raises DamagedFileError for anything else."""
    if not path.exists():
        return None
    try:
        return KeptRun.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DamagedFileError(f"{path} is no run of cases ({first}); take it away, or name another with --last."
                               ) from error


def changes(outcomes: Sequence[Outcome], last: KeptRun | None) -> Change:
    """Each outcome beside that of the same case in the last run."""
    before = {} if last is None else last.cases

    def those(passed: bool, earlier: bool | None) -> tuple[Outcome, ...]:
        return tuple(one for one in outcomes if one.passed == passed and _earlier(before, one) == earlier)

    asked = {one.id for one in outcomes}
    return Change(newly_failing=those(False, True), recovered=those(True, False), still_failing=those(False, False),
                  new_failing=those(False, None), gone=tuple(name for name in before if name not in asked),
                  against=last)


def keep(path: Path, outcomes: Sequence[Outcome], *, model: str, identity: str,
         beside: KeptRun | None = None) -> None:
    """Write a run; cases of `beside` that were not asked stay as they are in it (some tests were left out)."""
    cases = dict({} if beside is None else beside.cases)
    cases |= {one.id: KeptOutcome(expected=one.expected, answer=one.answer, passed=one.passed) for one in outcomes}
    run = KeptRun(model=model, identity=identity, date=datetime.now(UTC).isoformat(timespec="seconds"), cases=cases)
    text = json.dumps(run.model_dump(by_alias=True), indent=1, ensure_ascii=False) + "\n"
    try:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LinnetError(f"the run cannot be kept in {path} ({error.strerror}); name another place with --last."
                          ) from error


def to_json(change: Change) -> dict[str, Any]:
    """The cases of each kind."""
    named = {"newly_failing": change.newly_failing, "recovered": change.recovered,
             "still_failing": change.still_failing, "new_failing": change.new_failing}
    return {**{name: [vars(one) for one in outcomes] for name, outcomes in named.items()}, "gone": list(change.gone),
            "against": None if change.against is None else
            {"model": change.against.model, "identity": change.against.identity, "date": change.against.date}}


def _earlier(before: Mapping[str, KeptOutcome], one: Outcome) -> bool | None:
    kept = before.get(one.id)
    return None if kept is None or kept.expected != one.expected else kept.passed
