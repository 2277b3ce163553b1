"""linnet ab power and selftest: what a plan is worth, before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import screen

EVENTS = Annotated[str, typer.Argument(help="The table: Parquet or CSV; a pattern such as 'events/*.parquet' for "
                                            "several files.", metavar="EVENTS")]
PLAN = Annotated[Path, typer.Option(help="The plan, a YAML file.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


def power(plan: PLAN, runs: Annotated[int, typer.Option(min=100, help="Simulated experiments a metric.")] = 1000,
          seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0, as_json: JSON = False) -> int:
    """Reckon before anybody is shown anything: would this plan decide, and after how many users?

    Each metric is simulated at its smallest effect worth having, which the plan names (minimum_effect or
    minimum_lift, with baseline and deviation); a guardrail at no difference.

    \b
    Examples:
      linnet ab power --plan plan.yaml
      linnet ab power --plan plan.yaml --runs 10000
    """
    from linnet.report import rehearsal
    from linnet.watch import experiments

    found = experiments.power(experiments.Experiment.load(plan), runs=runs, seed=seed)
    typer.echo(found.to_json() if as_json else rehearsal.stopping(found))
    return 0


def selftest(events: EVENTS, plan: PLAN,
             runs: Annotated[int, typer.Option(min=100, help="Experiments without a difference.")] = 2000,
             looks: Annotated[int, typer.Option(min=1, help="Looks at each of them.")] = 100,
             seed: Annotated[int, typer.Option(min=0, help="Of the sharing out.")] = 0, as_json: JSON = False) -> int:
    """Try the plan on your own data where nothing is different: how often does it find something?

    The units of the control arm are shared out anew by chance, again and again, each time looked at many times. Beside
    it stands what a z-test at every look would have found. The exit code is 0 where every metric is shown to keep
    what the plan allows, 1 where one does not, and 2 where more runs would be needed to say.

    \b
    Examples:
      linnet ab selftest events.parquet --plan plan.yaml
      linnet ab selftest events.parquet --plan plan.yaml --runs 5000 --seed 1
    """
    from linnet.report import rehearsal
    from linnet.watch import experiments

    checked = experiments.Experiment.load(plan)
    with screen.progress() as progress:
        found = experiments.selftest(events, checked, runs=runs, looks=looks, seed=seed, progress=progress)
    typer.echo(found.to_json() if as_json else rehearsal.false_positives(found))
    return rehearsal.exit_code(found)
