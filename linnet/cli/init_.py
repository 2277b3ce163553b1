"""linnet init: a first recipe for one's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from linnet.errors import LinnetError


def init(source: Annotated[str, typer.Argument(help="A folder of labelled files, a table, or a known source.")],
         target: Annotated[str | None, typer.Option(help="The column to be answered, where there are several.",
                                                    metavar="COLUMN")] = None,
         name: Annotated[str | None, typer.Option(help="The name of the recipe and its run.")] = None,
         columns: Annotated[list[str] | None, typer.Option(help="What a column holds, such as bird=group; may be "
                                                           "given again.", metavar="COLUMN=KIND")] = None,
         force: Annotated[bool, typer.Option("--force", help="Replace a recipe of that name.")] = False) -> int:
    """Write a recipe for your data: what goes in, what is asked, a network that fits, and what to claim.

    The recipe is a file of some twenty lines, to be read and changed. Nothing is trained yet.

    \b
    Examples:
      linnet init birds/
      linnet init birds.csv --columns species=label --columns bird=group
      linnet run birds.yaml
    """
    from linnet import recipe

    kinds = dict(_pair(given) for given in columns or [])
    options = {"columns": kinds} if kinds else {}
    title, text = recipe.start(source.rstrip("/") or source, target=target, name=name, options=options)
    path = Path(f"{title}.yaml")
    if path.exists() and not force:
        raise LinnetError(f"{path} is there already; give another --name, or --force to replace it.")
    path.write_text(text, encoding="utf-8")
    typer.echo(text.rstrip())
    typer.echo(f"\nWritten to {path}. Next: linnet run {path}")
    return 0


def _pair(given: str) -> tuple[str, str]:
    column, equals, kind = given.partition("=")
    if not column or not equals:
        raise LinnetError(f"--columns takes COLUMN=KIND, such as speaker=group; got '{given}'.")
    return column, kind
