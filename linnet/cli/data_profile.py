"""linnet data profile: whether a dataset is healthy, and whether it is still what it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linnet.cli import screen
from linnet.cli.loading import loaded

if TYPE_CHECKING:
    from linnet.introspect import Finding, Findings

DAMAGED = 3
_MOST_ITEMS, _MOST_OF_COLUMN, _MOST_FORMS = 12, 6, 6
_BARS = " ▁▂▃▄▅▆▇█"
_TITLES = {"order": "the order of the rows", "drift": "drift", "near_duplicates": "near duplicates"}


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
        from linnet.report import health as report

        screen.say(f"written: {report.write(there, page)}")
    if as_json:
        typer.echo(json.dumps({name: one.to_json() for name, one in there.items()}, indent=2))
    else:
        _print(there)
    return DAMAGED if found.broken else 0


def _print(looks: Mapping[str, Findings]) -> None:
    facts = looks["profile"].facts
    typer.echo(f"{facts['name']}: {facts['rows']:,} rows\n")
    _print_measures(facts["measures"])
    for name, forms in facts["forms"].items():
        shown = ", ".join(f"{form} ({rows:,})" for form, rows in list(forms.items())[:_MOST_FORMS])
        typer.echo(f"{name}: {shown}{' ...' if len(forms) > _MOST_FORMS else ''}")
    groups = [item for item in looks["profile"] if "group" in item.evidence]
    odd = [item for item in looks["profile"] if "group" not in item.evidence]
    typer.echo("\nwhat is odd")
    for item in odd:
        typer.echo(f"  {item.subject}: {item.statement}{_names(item.evidence)}")
    if not odd:
        typer.echo("  nothing")
    _print_items(f"groups unlike the others{_rate(facts)}", _some_of_each(groups), len(groups))
    for name, found in looks.items():
        if name in _TITLES:
            rate = "" if name == "near_duplicates" else _rate(found.facts)
            _print_items(f"{_TITLES[name]}{rate}", list(found)[:_MOST_ITEMS], len(found))
    for one in facts["broken"]:
        typer.echo(f"broken: '{one['column']}' of {one['sample']} {one['reason']}")


def _print_measures(measures: Mapping[str, Mapping[str, Any]]) -> None:
    cells = [["measure", "unit", "least", "5 %", "median", "95 %", "most", "spread"]]
    cells += [[name, one["unit"], *(f"{one[key]:.4g}" for key in ("least", "low", "median", "high", "most")),
               _spread(one["counts"])] for name, one in measures.items() if one["rows"]]
    widths = [max(len(line[at]) for line in cells) for at in range(8)]
    for line in cells:
        typer.echo("  ".join([f"{line[0]:<{widths[0]}}", f"{line[1]:<{widths[1]}}",
                              *(f"{line[at]:>{widths[at]}}" for at in range(2, 7)), line[7]]).rstrip())


def _spread(counts: Sequence[int]) -> str:
    most = max(counts)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _names(evidence: Mapping[str, Any]) -> str:
    names = evidence.get("samples", ())
    return f" Such as {', '.join(names[:3])}." if names else ""


def _some_of_each(groups: Sequence[Finding]) -> list[Finding]:
    """The first few groups of each column: the thirtieth speaker tells no more than the first ones."""
    seen: Counter[str] = Counter()
    shown = []
    for item in groups:
        seen[item.evidence["column"]] += 1
        shown += [item] if seen[item.evidence["column"]] <= _MOST_OF_COLUMN else []
    return shown


def _rate(facts: Mapping[str, Any]) -> str:
    return f" (told without a cause in at most {100 * facts['rate']:.3g} of 100 datasets)"


def _print_items(title: str, items: Sequence[Finding], count: int) -> None:
    typer.echo(f"\n{title}")
    for item in items:
        typer.echo(f"  {item.statement}")
    if count > len(items):
        typer.echo(f"  ... and {count - len(items):,} more (--json has all)")
    if not count:
        typer.echo("  nothing")
