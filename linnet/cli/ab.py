"""linnet ab: experiments on people who use it, from a plan and a table of events."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import ab_init, ab_rehearsal, screen
from linnet.cli.ab_rehearsal import EVENTS, JSON, PLAN

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None,
                  help="Plan and judge experiments: who is better off, since when one may say so, and how sure.")
app.command("init")(ab_init.init)
app.command("power")(ab_rehearsal.power)
app.command("selftest")(ab_rehearsal.selftest)


@app.command("analyse")
def analyse(events: EVENTS, plan: PLAN,
            report: Annotated[Path | None, typer.Option(help="Write one HTML page with all of it.")] = None,
            svg: Annotated[Path | None, typer.Option(help="Write the picture; a name ending in .png makes it "
                                                          "PNG.")] = None,
            threads: Annotated[int | None, typer.Option(min=1, help="Of the database; else all cores.")] = None,
            as_json: JSON = False) -> int:
    """Judge an experiment: each metric over time, whether the arms filled as planned, and what follows.

    Look as often as you like: the intervals hold at every look together. The exit code is 0 where a success metric is
    better and no guardrail is harmed, 1 where it is worse, one is harmed, or the arms did not fill as planned, and 2
    where it is not decided yet.

    \b
    Examples:
      linnet ab analyse events.parquet --plan plan.yaml
      linnet ab analyse 'events/*.parquet' --plan plan.yaml --report page.html --svg picture.png
      linnet ab analyse events.csv --plan plan.yaml --json
    """
    from linnet import report as pages
    from linnet.watch import experiments

    if svg:
        pages.checked_picture(svg)
    checked = experiments.Experiment.load(plan)
    with screen.progress() as progress:
        found = experiments.analyse(events, checked, threads=threads, progress=progress)
    if report:
        command = shlex.join(["linnet", *sys.argv[1:]])
        pages.write_experiment(found, report, command=command, plan=plan.read_text(encoding="utf-8"))
        screen.say(f"written: {report}")
    if svg:
        screen.say(f"written: {pages.write_experiment_picture(found, svg)}")
    typer.echo(found.to_json() if as_json else pages.experiment.text(found))
    return found.exit_code
