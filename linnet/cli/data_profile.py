"""linnet data profile: whether a dataset is healthy, and whether it is still what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import screen
from linnet.cli.loading import loaded

DAMAGED = 3


def profile(source: Annotated[str, typer.Argument(help="A corpus, a folder, an archive, or a manifest.")],
            against: Annotated[str | None, typer.Option(help="What it was before: has it drifted?")] = None,
            group: Annotated[list[str] | None, typer.Option(help="Tell it apart by this column; repeatable.")] = None,
            cluster: Annotated[str | None, typer.Option(help="What rows hang together by, such as speaker.")] = None,
            duplicates: Annotated[bool, typer.Option("--duplicates", help="Look for near duplicates too.")] = False,
            page: Annotated[Path | None, typer.Option(help="Write a page with histograms.")] = None,
            option: Annotated[list[str] | None, typer.Option(help="How to read it: KEY=VALUE; repeatable.")] = None,
            columns: Annotated[list[str] | None, typer.Option(help="What a column is: NAME=KIND; repeatable.")] = None,
            as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Profile a dataset: what is wrong with its samples, which groups are unlike the others, does its order tell.

    Every sample is decoded once. Ends with 3 where a file is broken, else with 0, whatever was found.

    \b
    Examples:
      linnet data profile fsdd --page health.html
      linnet data profile march.csv --against february.csv --cluster speaker
    """
    from linnet import introspect
    from linnet.introspect import health
    from linnet.introspect.duplicates import near_duplicates
    from linnet.report import health as report
    from linnet.report import health_text

    dataset = loaded(source, option, columns)
    with screen.progress() as progress:
        found = health.measure(dataset, progress=progress)
        looks = {"profile": introspect.profile(found, groups=group or None, clusters=cluster),
                 "order": introspect.order(found) if len(found) >= health.LEAST_ROWS else None}
        if against is not None:
            before = health.measure(loaded(against, option, columns), progress=progress)
            looks["drift"] = introspect.drift(before, found, clusters=cluster)
        if duplicates:
            looks["near_duplicates"] = near_duplicates(dataset, progress=progress)
    there = {name: one for name, one in looks.items() if one is not None}
    if page is not None:
        screen.say(f"written: {report.write(there, page)}")
    if as_json:
        typer.echo(json.dumps({name: one.to_json() for name, one in there.items()}, indent=2))
    else:
        typer.echo(health_text.text(there))
    return DAMAGED if found.broken else 0
