"""linnet verify: every claim of a file, derived again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

MARKS = {"holds": "✓", "fails": "✕", "undecided": "?", "edited": "!"}


def verify(model: Annotated[Path, typer.Argument(help="The shipped file, an ONNX file that Linnet wrote.")],
           data: Annotated[str | None, typer.Option(help="Where the data lie: a known source, a folder, a manifest.",
                                                    metavar="SOURCE")] = None,
           as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Derive every claim that a file carries again.

    Nothing is taken on trust: each number comes from the file and the data themselves. A line a claim says how it
    came out and why. The exit code is 0 where every claim holds, 1 where one fails or was edited by hand, 2 where
    one cannot be decided (its data were not found, or are others; for latency, another processor), and 3 where the
    file cannot be read or --data is not there.

    \b
    Examples:
      linnet verify digits.onnx --data fsdd
      linnet verify digits.onnx --data recordings/ --json
    """
    from linnet import runtime

    found = runtime.verify(model, data=data)
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=2))
        return found.exit_code
    for result in found.results:
        typer.echo(f"{MARKS[result.outcome]} {result.message}")
    typer.echo(f"{model}: {found.message}")
    return found.exit_code
