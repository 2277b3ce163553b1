"""linnet bench methods: ways to make a model smaller, side by side, seeds and intervals included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import screen


def bench_methods(
    grid: Annotated[Path, typer.Argument(help="The grid, a YAML file; docs/methods shows one.")],
    folder: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("runs"),
    svg: Annotated[Path | None, typer.Option(help="Write the picture; a name ending in .png makes it PNG.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Write the table for a paper.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> int:
    """Compare methods and budgets on one model: which loses what, and what it saves.

    Every point of the grid is carried out with every seed and exported; then all files answer the same rows, and each
    is held against the float file, with intervals that hold for all together. Latency is taken in turns. The front
    names the files that no other one beats in both. What was done is not done again; a grid that was stopped goes on
    where it was. A point that cannot be carried out is listed with its reason.

    \b
    Examples:
      linnet bench methods recipes/digits-methods.yaml
      linnet bench methods recipes/digits-methods.yaml --svg front.svg
    """
    from linnet import recipe, report

    with screen.progress() as progress:
        made = recipe.bench_methods(grid, folder=folder, progress=progress)
    typer.echo(json.dumps(made.to_json(), indent=2) if as_json else report.methods.text(made.compared, made.refused))
    if svg:
        report.write_picture(made.compared, svg)
    if latex:
        report.write_latex(made.compared, latex)
    screen.say(f"Kept in {made.folder}: methods.txt, methods.json, methods.html, and every file.")
    return 0
