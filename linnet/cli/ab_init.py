"""linnet ab init: a first plan from the columns of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linnet.errors import LinnetError


def init(events: Annotated[str, typer.Argument(help="The table: Parquet or CSV; also one of an earlier experiment, or "
                                                    "of a single day.", metavar="EVENTS")],
         arm: Annotated[str | None, typer.Option(help="The column that says who was shown what.",
                                                 metavar="COLUMN")] = None,
         unit: Annotated[str | None, typer.Option(help="The column of the user, device or visit.",
                                                  metavar="COLUMN")] = None,
         time: Annotated[str | None, typer.Option(help="The column of the time.", metavar="COLUMN")] = None,
         to: Annotated[Path, typer.Option(help="The plan that is written.", metavar="PLAN")] = Path("plan.yaml"),
         force: Annotated[bool, typer.Option("--force", help="Replace a plan of that name.")] = False) -> int:
    """Write a plan for your table: arms, units, time, and a metric; all others stand ready as comments.

    The plan is a file of some thirty lines, to be read, thought about and changed, before anybody is shown anything.

    \b
    Examples:
      linnet ab init events.parquet
      linnet ab init events.csv --arm variant --unit customer --to plan.yaml
    """
    from linnet.watch.experiments.draft import draft

    if to.exists() and not force:
        raise LinnetError(f"{to} is there already; give another name with --to, or --force to replace it.")
    text = draft(events, arm=arm, unit=unit, time=time)
    to.write_text(text, encoding="utf-8")
    typer.echo(f"{text}\nWritten to {to}. Change it, then: linnet ab power --plan {to}")
    return 0
