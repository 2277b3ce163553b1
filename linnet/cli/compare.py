"""linnet compare: several files on the same rows, quality beside cost."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from linnet.cli import screen
from linnet.errors import LinnetError


def compare(
    models: Annotated[list[str], typer.Argument(help="ONNX files that Linnet wrote; NAME=A.onnx,B.onnx for several "
                                                     "seeds of one algorithm.", metavar="FILE...")],
    data: Annotated[str | None, typer.Option(help="Where the data lie: a known source, a folder, a manifest.",
                                             metavar="SOURCE")] = None,
    where: Annotated[list[str] | None, typer.Option(help="Only rows with this value; may be repeated.",
                                                    metavar="COLUMN=VALUE")] = None,
    all_rows: Annotated[bool, typer.Option("--all-rows", help="Every row of the data.")] = False,
    against: Annotated[str | None, typer.Option(help="The one that all others are held against; else the first.",
                                                metavar="NAME")] = None,
    level: Annotated[float, typer.Option(help="How sure all intervals together are.")] = 0.95,
    seconds: Annotated[float, typer.Option(help="How long each file's latency is measured.", min=0.0)] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
    latex: Annotated[Path | None, typer.Option(help="Write the table for a paper.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write the picture; a name ending in .png makes it PNG.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write one HTML page with all of it.")] = None,
) -> int:
    """Compare files on the same rows: models, algorithms, frameworks or seeds.

    Compared is on the rows that the claims speak of, those of the first file that carries any; --where or --all-rows
    choose others, and it is said where a file was trained on some of them. The files may take different inputs; what
    they answer must be the same. Every other file is held against the first: how many more in 100 it answers
    correctly, with intervals that hold for all together, and p-values adjusted for their number (Holm). Latency is
    taken in turns, on this machine. Each file is one more look at the rows, kept in the ledger.

    \b
    Examples:
      linnet compare big.onnx small.onnx --data fsdd
      linnet compare cnn=cnn0.onnx,cnn1.onnx tree.onnx --data rows.csv --where split=test
      linnet compare a.onnx b.onnx --data fsdd --latex table.tex --svg picture.svg
    """
    from linnet import report, runtime

    if all_rows and where:
        raise LinnetError("--all-rows and --where contradict each other; give one of them.")
    paths = _sides(models)
    sides = {name: [runtime.load(path) for path in files] for name, files in paths.items()}
    chosen = {} if all_rows else _filters(where) if where else None
    dataset = runtime.rows([file for files in sides.values() for file in files], data, chosen)
    with screen.progress() as progress:
        found = runtime.compare(sides, dataset, against=_named(against, paths), level=level, seconds=seconds,
                                progress=progress)
    typer.echo(json.dumps(found.to_json(), indent=2) if as_json else report.comparison.text(found))
    if latex:
        report.write_latex(found, latex)
    if svg:
        report.write_picture(found, svg)
    if page:
        report.write_page(found, page, command=shlex.join(["linnet", *sys.argv[1:]]))
    return 0


def _sides(models: Sequence[str]) -> dict[str, list[Path]]:
    """Each name with its files; a file without a name is called by its own, or by its path where two are called so."""
    sides: dict[str, list[Path]] = {}
    stems = [Path(model).stem for model in models]
    for model, stem in zip(models, stems, strict=True):
        name, sign, files = model.partition("=")
        if not sign or Path(model).exists():
            name, files = (stem if stems.count(stem) == 1 else model), model
        if name in sides:
            raise LinnetError(f"'{name}' is given twice; give each a name of its own: another={files}.")
        sides[name] = [Path(model)] if files == model else [Path(file) for file in files.split(",")]
    return sides


def _named(against: str | None, paths: dict[str, list[Path]]) -> str | None:
    """The name of a side; its file's path is as good."""
    return next((name for name, files in paths.items() if against and [Path(against)] == files), against)


def _filters(where: Sequence[str]) -> dict[str, list[str]]:
    """Column to the values that are wanted: those of one column add up, those of several all hold."""
    wanted: dict[str, list[str]] = {}
    for given in where:
        column, sign, value = given.partition("=")
        if not sign:
            raise LinnetError(f"--where takes COLUMN=VALUE, such as split=test; got '{given}'.")
        wanted.setdefault(column, []).append(value)
    return wanted
