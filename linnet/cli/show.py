"""linnet show: what a run found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show(folder: Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")],
         open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False) -> int:
    """Show what a run found, in plain words.

    Ends with the place where the report with all figures lies.

    \b
    Examples:
      linnet show runs/digits
      linnet show runs/digits --open
    """
    from linnet import recipe, report

    typer.echo(report.text(recipe.read(folder)))
    page = folder / "report.html"
    if page.exists():
        typer.echo(f"\nThe report with all figures: {page}")
    if open_:
        typer.launch(page.resolve().as_uri())
    return 0
