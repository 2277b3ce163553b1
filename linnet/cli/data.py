"""linnet data: the sources, and what a dataset holds."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at sources and datasets.")


@app.command("ls")
def ls() -> int:
    """List the sources that can be loaded by name, with licence and what they hold."""
    from linnet import data

    for row in data.sources_table():
        typer.echo(f"{row['name']}: {row['summary']}")
        typer.echo(f"    {row['rows']:,} rows, {row['licence']}, {row['found'] or 'not on this machine yet'}")
    typer.echo("A folder with one subfolder a label, or a .csv or .jsonl manifest, can be given in place of a name.")
    return 0


@app.command("show")
def show(source: Annotated[str, typer.Argument(help="A known source, a folder, or a manifest.")],
         as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Show what a dataset holds: rows, columns, labels, groups, and its fingerprint.

    \b
    Examples:
      linnet data show fsdd
      linnet data show recordings/ --json
    """
    from linnet import data

    found = data.describe(data.load(source))
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return 0
    typer.echo(f"{found['name']}: {found['rows']:,} rows, fingerprint {found['fingerprint'][:16]}")
    for name, column in found["columns"].items():
        said = "; ".join(f"{key} {_said(value)}" for key, value in column.items() if key != "kind")
        typer.echo(f"  {name} ({column['kind']}): {said}")
    return 0


def _said(value: Any, *, most: int = 12) -> str:
    if not isinstance(value, dict):
        return str(value)
    shown = ", ".join(f"{name}: {count:,}" for name, count in list(value.items())[:most])
    return f"({shown}{', ...' if len(value) > most else ''})"
