"""linnet test: samples with their expected answers, and what changed since the last run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen

if TYPE_CHECKING:
    from linnet.runtime.outcomes import Outcome
    from linnet.runtime.regressions import Change

SHOWN = 20
"""More cases of a kind than this are counted only."""


def rows(cases: Annotated[Path, typer.Argument(help="A table of samples and expected answers: CSV, TSV, JSON lines.")],
         model: Annotated[Path, typer.Option(help="The shipped file, an ONNX file that Linnet wrote.")],
         last: Annotated[Path | None, typer.Option(help="Where the last run is kept; else beside the table, as "
                                                         "NAME.last.json.", metavar="FILE")] = None,
         known: Annotated[bool, typer.Option("--known", help="Forgive what failed in the last run already.")] = False,
         enough: Annotated[float, typer.Option(help="The score from which on a case passes.")] = 1.0,
         as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Ask a shipped file every case of a table, and say which newly fail and which recovered.

    A row is a case: the sample (a text, the path of a recording or image, or the columns of a row), the column
    "expected", and if you like "id" and "group". A case passes where the answer is right; of answers that may be partly
    right, such as the times of events, --enough says how much. The run is kept, and the next one compared with it.
    The exit code is 0 where every case passes and 1 where one fails.

    With --known it is 1 only where a case fails that did not fail in the last run, which is then kept as it is: so a
    pipeline stays red until the case passes, or somebody accepts it by a run without --known. Without a last run it
    is 2, as nothing is known. It is 3 where a file cannot be read.

    \b
    Examples:
      linnet test cases.csv --model intents.onnx
      linnet test clips.csv --model digits.onnx --known
    """
    from linnet import runtime
    from linnet.runtime import regressions
    from linnet.runtime.cases import read_cases
    from linnet.runtime.outcomes import ask_cases

    shipped, place = runtime.load(model), last or regressions.place_of(cases)
    earlier = regressions.last_run(place)
    with screen.progress() as progress:
        asked = read_cases(cases, shipped.task)
        outcomes = ask_cases(shipped, shipped.task, asked, enough=enough, progress=progress)
    change = regressions.changes(outcomes, earlier)
    code = change.exit_code(known=known)
    if not (known and code == 1):
        regressions.keep(place, outcomes, model=model.name, identity=shipped.identity)
    if as_json:
        passed = sum(one.passed for one in outcomes)
        typer.echo(json.dumps({"cases": len(outcomes), "passed": passed, **regressions.to_json(change),
                                "exit_code": code}, indent=2, ensure_ascii=False))
        return code
    for line in lines(outcomes, change):
        typer.echo(line)
    if known and change.against is None:
        screen.say(f"note: there was no run in {place} to know failures from; this one is kept there.")
    return code


def lines(outcomes: list[Outcome], change: Change) -> Iterator[str]:
    """What people read: what changed first, the sum last."""
    from linnet.runtime.outcomes import by_group

    for mark, title, found in (("✕", "newly failing", change.newly_failing), ("✕", "new and failing",
                                change.new_failing), ("✕", "failing as before", change.still_failing),
                                ("✓", "recovered", change.recovered)):
        yield from (f"{mark} {title}: {one.message}" for one in found[:SHOWN])
        if len(found) > SHOWN:
             yield f"{mark} {title}: {len(found) - SHOWN} more"
    for name, (passed, every) in by_group(outcomes).items():
        yield f"{name or '(no group)'}: {passed} of {every}"
    said = f"{sum(one.passed for one in outcomes)} of {len(outcomes)} cases pass"
    yield f"{said}; {change.told}." if change.told else f"{said}."
