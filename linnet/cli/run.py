"""linnet run: a recipe, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import screen
from linnet.errors import LinnetError

CODES = {"holds": 0, "fails": 1, "undecided": 2, None: 0}


def run(recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
        until: Annotated[str | None, typer.Option(help="Stop after this step.", metavar="STEP")] = None,
        set_: Annotated[list[str] | None, typer.Option("--set", help="Change a value for this run; may be given again.",
                                                       metavar="STEP.KEY=VALUE")] = None,
        folder: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("runs")) -> int:
    """Run a recipe: data, training, compression, claims, report.

    Only what changed since the last run is done again, and a run that was stopped goes on where it was.
    Ends with the sentence of the report and the place where it lies.

    \b
    Examples:
      linnet run recipes/digits.yaml
      linnet run recipes/digits.yaml --until small
      linnet run recipes/digits.yaml --set big.epochs=3 --set seed=1
    """
    from linnet import recipe as recipes

    changes = {}
    for change in set_ or []:
        key, equals, value = change.partition("=")
        if not key or not equals:
            raise LinnetError(f"--set takes STEP.KEY=VALUE, such as big.epochs=3; got '{change}'.")
        changes[key] = value
    with screen.progress() as progress:
        ended = recipes.run(recipe, until=until, changes=changes, folder=folder, progress=progress)
    typer.echo(ended.sentence)
    typer.echo(f"The report: {ended.report}")
    return CODES[ended.verdict]
