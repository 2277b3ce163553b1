"""linnet bench: latency, throughput, memory and size of files, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen

if TYPE_CHECKING:
    from linnet.runtime import Bench

ROWS = (("median ms", "p50_ms", "{:.3f}"), ("p95 ms", "p95_ms", "{:.3f}"), ("p99 ms", "p99_ms", "{:.3f}"),
        ("answers a second", "throughput_per_second", "{:,.0f}"), ("peak memory MB", "peak_memory_mb", "{:.1f}"),
        ("size bytes", "size_bytes", "{:,}"))


def bench(models: Annotated[list[Path], typer.Argument(help="ONNX files; with or without a card.", metavar="FILE...")],
          seconds: Annotated[float, typer.Option(help="How long each file is measured.", min=0.1)] = 2.0,
          threads: Annotated[int, typer.Option(help="Threads that the engine may use.", min=1)] = 1,
          engine: Annotated[str, typer.Option(help="The engine; `linnet list engines` names them.")] = "onnxruntime",
          as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Measure files: latency, throughput, peak memory and size.

    Latency is that of one sample at a time, on this machine. The files take turns run by run, so that whatever
    slows the machine slows them alike. With two files, the ratio divides the second one's number by the first
    one's. Engine, processor and threads are printed with the numbers, for without them they compare with nothing.

    \b
    Examples:
      linnet bench digits.onnx
      linnet bench big.onnx digits.onnx --seconds 5
    """
    from linnet import runtime

    screen.say(f"measuring {len(models)} file(s), {seconds:g} seconds each and some more ...")
    measured = runtime.bench_many(models, engine=engine, threads=threads, seconds=seconds)
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in measured], indent=2))
    else:
        _print_table(measured)
    return 0


def _print_table(measured: Sequence[Bench]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("", *(one.name for one in measured), *(["ratio"] if len(measured) == 2 else [])):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for title, attribute, form in ROWS:
        values = [getattr(one, attribute) for one in measured]
        ratio = [f"{values[1] / values[0]:.2f}" if values[0] else ""] if len(values) == 2 else []
        table.add_row(title, *(form.format(value) for value in values), *ratio)
    Console(highlight=False, markup=False).print(table)
    one = measured[0]
    typer.echo(f"{one.engine} {one.version}, {one.processor}, {one.threads} thread(s); energy {one.energy}")
