"""verify: derive every claim of a shipped file again, from the file itself and the claim's data."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.evidence import KINDS, Claim, Ledger
from linnet.runtime.claims import SealedClaim, look_of
from linnet.runtime.remeasure import MEASURES, ElsewhereError, NotHereError, RecordError, Remeasure, check_there
from linnet.runtime.shipped import unpack

log = logging.getLogger("linnet")

Outcome = Literal["holds", "fails", "undecided", "edited"]
_WORST_FIRST: tuple[Outcome, ...] = ("edited", "fails", "undecided", "holds")
_ROWS = {"than": {"rows"}}
_MUST_AGREE = ("bound", "level", "tested_level", "unit")
_MUST_AGREE_ON_DATA = ("n", "clusters")


@dataclass(frozen=True)
class Result:
    """One claim, as it was recorded and as it was derived again, with the judgement in a sentence."""

    claim: Claim
    derived: Claim | None
    outcome: Outcome
    message: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without the rows of the other side."""
        claims = {"claim": self.claim, "derived": self.derived}
        plain = {name: claim and claim.model_dump(mode="json", exclude=_ROWS) for name, claim in claims.items()}
        return {"outcome": self.outcome, "message": self.message, **plain}


@dataclass(frozen=True)
class Verification:
    """What became of every claim of one file."""

    name: str
    identity: str
    results: tuple[Result, ...]
    not_found: tuple[str, ...] = ()
    """What was not found where the claims' data should lie."""

    @property
    def exit_code(self) -> int:
        """0: every claim holds; 1: one fails or was edited; 2: one is undecided, or there is none."""
        outcomes = {result.outcome for result in self.results}
        if outcomes & {"fails", "edited"}:
            return 1
        return 2 if "undecided" in outcomes or not outcomes else 0

    @property
    def message(self) -> str:
        """The judgement of the whole file in a sentence."""
        if not self.results:
            return "this file carries no claims."
        held = sum(result.outcome == "holds" for result in self.results)
        said = f"{held} of {len(self.results)} claims hold{'s' if held == 1 else ''}."
        if self.not_found:
            said += (f" The data of the claims were not found: {'; '.join(self.not_found)}. Give their folder or file "
                     "with --data (in Python: data=).")
        return said

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"name": self.name, "identity": self.identity, "exit_code": self.exit_code, "message": self.message,
                "results": [result.to_json() for result in self.results]}


def verify(path: str | Path, *, data: str | Path | Dataset | None = None, engine: str = "onnxruntime",
           ledger: Ledger | None = None) -> Verification:
    """Derive every claim of the file again; `data` says where its data are to be found now, if elsewhere than then.

    Looks at the data are recorded in `ledger` (default: the user's own). Raises LinnetError for a file that cannot be
    read, and for `data` that are not there.
    """
    check_there(data)
    shipped = unpack(path, engine=engine)
    again = Remeasure(shipped, data, engine)
    ledger = Ledger() if ledger is None else ledger
    results = tuple(_judge(number, entry, again, ledger) for number, entry in enumerate(shipped.sealed, start=1))
    not_found = dict.fromkeys(str(found) for found in again.seen.values() if isinstance(found, NotHereError))
    return Verification(shipped.name, shipped.identity, results, tuple(not_found))


def _judge(number: int, entry: SealedClaim, again: Remeasure, ledger: Ledger) -> Result:
    claim, derived = entry.claim, None
    try:
        _check_record(entry, again)
        measured = MEASURES[claim.kind](again, claim)
        _record(claim, ledger)
        derived = _derive(claim, measured)
        _check_agreement(claim, derived)
    except NotHereError:
        unfound = LinnetError("its data were not found")
        return Result(claim, derived, "undecided", _cannot_tell(number, claim, "is undecided", unfound))
    except ElsewhereError as error:
        return Result(claim, derived, "undecided", _cannot_tell(number, claim, "is undecided", error))
    except RecordError as error:
        return Result(claim, derived, "edited", _cannot_tell(number, claim, "was edited", error))
    outcome = min(claim.verdict, derived.verdict, key=_WORST_FIRST.index)
    return Result(claim, derived, outcome, _said(number, claim, derived, outcome))


def _check_record(entry: SealedClaim, again: Remeasure) -> None:
    """What can be judged without measuring anything."""
    claim, identity = entry.claim, again.shipped.identity
    if not entry.is_intact:
        raise RecordError("its seal is not that of what it says.")
    if claim.subject != identity:
        raise RecordError(f"it speaks of the file {claim.subject[:12]}, and this one is {identity[:12]}.")
    if claim.kind not in MEASURES:
        raise ElsewhereError(f"its kind '{claim.kind}' is not known to this version (known: {', '.join(MEASURES)}).")


def _record(claim: Claim, ledger: Ledger) -> None:
    """Write the look down; where nothing can be written (a read-only machine that checks), say so and go on."""
    if look := look_of(claim):
        try:
            ledger.record(look)
        except LinnetError as error:
            log.warning("this look at the data was not recorded: %s", error)


def _derive(claim: Claim, measured: Sequence[Any]) -> Claim:
    """Ask the claim's question again; raises RecordError where it cannot have been asked as it is recorded."""
    function: Callable[..., Claim] = KINDS[claim.kind]
    paid = {} if claim.tested_level is None else {"look": claim.looks}
    try:
        inspect.signature(function).bind(*measured, **{**claim.settings, **paid})
        if "look" in claim.settings:
            raise TypeError("a look is recorded beside the settings, not among them")
    except TypeError as error:
        raise RecordError(f"its settings do not belong to {claim.kind}: {error}.") from error
    strange = sorted(name for name, value in claim.settings.items() if not isinstance(value, str | int | float | None))
    if strange:
        raise RecordError(f"its settings {', '.join(strange)} are neither numbers nor words.")
    try:
        return function(*measured, **claim.settings, **paid)
    except LinnetError as error:
        raise RecordError(str(error)) from error


def _check_agreement(claim: Claim, derived: Claim) -> None:
    """The record must say what was asked, and nothing that the data exclude; digits may differ between processors."""
    for name in _MUST_AGREE if claim.data is None else _MUST_AGREE + _MUST_AGREE_ON_DATA:
        recorded, found = getattr(claim, name), getattr(derived, name)
        if recorded != found:
            raise RecordError(f"the recorded {name} {recorded} does not agree with the derived {found}.")
    low, high = derived.interval
    # A latency drifts with all that the machine does beside it; a count on the same rows does not.
    if not derived.conditions and not low <= claim.estimate <= high:
        raise RecordError(f"the recorded estimate {claim.estimate:.4g} does not agree with the derived "
                          f"{derived.estimate:.4g}, which lies between {low:.4g} and {high:.4g}.")
    is_same = (claim.estimate, claim.interval, claim.verdict) == (derived.estimate, derived.interval, derived.verdict)
    if is_same and _numbers(claim) != _numbers(derived):
        raise RecordError(f"its statement gives other numbers than it records; these would read: {derived.statement}")


def _numbers(claim: Claim) -> list[str]:
    """The numbers in the statement, those of the population's name left out."""
    population = claim.data.population if claim.data else ""
    return re.findall(r"\d+(?:[.,]\d+)*", claim.statement.replace(population, "") if population else claim.statement)


def _said(number: int, claim: Claim, derived: Claim, outcome: Outcome) -> str:
    verdict = "is undecided" if outcome == "undecided" else outcome
    is_same = claim.verdict == derived.verdict
    differs = "" if is_same else f" (recorded: {claim.verdict}; derived again: {derived.verdict})"
    reason = f" {derived.reason}" if derived.reason and outcome != "holds" else ""
    return f"claim {number} ({claim.kind}) {verdict}{differs}: {derived.statement}{reason}"


def _cannot_tell(number: int, claim: Claim, verdict: str, error: LinnetError) -> str:
    return f"claim {number} ({claim.kind}) {verdict}: {str(error).rstrip('.')}. It says: {claim.statement}"
