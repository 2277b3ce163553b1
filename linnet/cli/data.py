"""linnet data: the corpora there are, getting them, and what a dataset holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from linnet.cli import screen
from linnet.cli.data_profile import DAMAGED, profile
from linnet.cli.loading import loaded
from linnet.cli.transfer import brought

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at corpora and datasets, and get them.")


@app.command("ls")
def ls(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """List the corpora that can be loaded by name: rows, size, licence, and where they lie on this machine."""
    from linnet import data

    rows = data.sources_table()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return 0
    cells = [["name", "rows", "MB", "licence", "where"]]
    cells += [[row["name"], f"{row['rows']:,}", f"{row['size_bytes'] / 1e6:,.1f}", row["licence"].split(";")[0],
               row["found"] or ("(linnet data get)" if row["can_be_downloaded"] else "(not here; set LINNET_DATA)")]
              for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(4)]
    for line in cells:
        typer.echo(f"{line[0]:<{widths[0]}}  {line[1]:>{widths[1]}}  {line[2]:>{widths[2]}}  "
                   f"{line[3]:<{widths[3]}}  {line[4]}")
    typer.echo("\nlinnet data show NAME tells more. Your own folder, archive or manifest takes a name's place.")
    return 0


@app.command("get")
def get(names: Annotated[list[str], typer.Argument(help="Corpora, as `linnet data ls` names them.")],
        to: Annotated[Path | None, typer.Option(help="Put each at TO/<name>, not into the cache.")] = None) -> int:
    """Download corpora, check them, and say under which licence they come and how to cite them.

    What has come is kept when it is stopped; the same command goes on with it.

    \b
    Examples:
      linnet data get clinc150 snips
      linnet data get speech_commands --to corpora    (then: LINNET_DATA=corpora)
    """
    from linnet import data
    from linnet.errors import unknown

    for name in names:
        if name not in data.SOURCES:
            raise unknown("corpus", name, data.SOURCES)
    for name in names:
        source = data.SOURCES[name]
        folder = brought(source, to / name if to else None)
        typer.echo(f"{name}: {folder}\n  licence   {source.card.licence}\n  cite      {source.card.citation}")
        for note in source.card.notes:
            typer.echo(f"  note      {note}")
    return 0


@app.command("show")
def show(source: Annotated[str, typer.Argument(help="A corpus, a folder, an archive, or a manifest.")],
         option: Annotated[list[str] | None, typer.Option(help="How to read it: KEY=VALUE; repeatable.")] = None,
         columns: Annotated[list[str] | None, typer.Option(help="What a column is: NAME=KIND; repeatable.")] = None,
         page: Annotated[Path | None, typer.Option(help="Write a page with samples to see and to hear.")] = None,
         rows: Annotated[int, typer.Option(min=1, max=500, help="How many samples are on the page.")] = 24,
         as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Show what a dataset holds: rows, columns, labels, groups, its fingerprint, and every file that is broken.

    Every recording and image is decoded. Ends with 3 where one cannot be.

    \b
    Examples:
      linnet data show fsdd --page fsdd.html
      linnet data show clinc150 --option variant=small --option oos=false
      linnet data show birds.csv --columns age=group
    """
    from linnet import data
    from linnet.report import samples

    dataset = loaded(source, option, columns)
    with screen.progress() as progress:
        found = data.describe(dataset, progress)
    card = data.SOURCES[source].card if source in data.SOURCES else None
    if page is not None:
        screen.say(f"written: {samples.write(dataset, found, page, card=card, rows=rows)}")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _print(found, card)
    return DAMAGED if found["broken"] else 0


app.command("profile")(profile)


def _print(found: Mapping[str, Any], card: Any) -> None:
    typer.echo(f"{found['name']}: {found['rows']:,} rows, fingerprint {found['fingerprint'][:16]}")
    if card is not None:
        typer.echo(f"  {card.summary}\n  licence: {card.licence}\n  cite: {card.citation}")
    for name, column in found["columns"].items():
        said = "; ".join(f"{key} {_said(value)}" for key, value in column.items() if key not in ("kind", "histogram"))
        typer.echo(f"  {name} ({column['kind']}): {said}")
    for one in found["broken"]:
        typer.echo(f"  broken: '{one['column']}' of {one['sample']} {one['reason']}")
    if found["broken"]:
        typer.echo(f"  {len(found['broken']):,} files cannot be used; repair them, or take the samples out.")


def _said(value: Any, *, most: int = 12) -> str:
    if not isinstance(value, dict):
        return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    shown = ", ".join(f"{name}: {_said(count)}" for name, count in list(value.items())[:most] if name != "histogram")
    return f"({shown}{f', ... {len(value):,} in all' if len(value) > most else ''})"
