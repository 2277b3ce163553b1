"""linnet bench: latency, throughput, memory and size of files, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen
from linnet.cli.bench_layers import bench_layers

if TYPE_CHECKING:
    from linnet.runtime import Bench

ROWS = (("median ms", "p50_ms", "{:.3f}"), ("p95 ms", "p95_ms", "{:.3f}"), ("p99 ms", "p99_ms", "{:.3f}"),
        ("answers a second", "throughput_per_second", "{:,.0f}"), ("peak memory MB", "peak_memory_mb", "{:.1f}"),
        ("size bytes", "size_bytes", "{:,}"))
"""What has a ratio."""


def bench(models: Annotated[list[Path], typer.Argument(help="ONNX files; with or without a card.", metavar="FILE...")],
          seconds: Annotated[float, typer.Option(help="How long each file is measured.", min=0.1)] = 2.0,
          threads: Annotated[int, typer.Option(help="Threads that the engine may use.", min=1)] = 1,
          engine: Annotated[list[str] | None, typer.Option(
              help="The engine; may be given again. `linnet list engines` names them.  [default: onnxruntime]")] = None,
          layers: Annotated[bool, typer.Option("--layers", help="What every layer costs instead.")] = False,
          as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False) -> int:
    """Measure files: latency, throughput, peak memory and size.

    Latency is that of one sample at a time, on this machine. The files take turns run by run, so that whatever
    slows the machine slows them alike. With two files, the ratio divides the second one's number by the first
    one's. With several engines every file runs on each, and the fastest is named; an engine that cannot run a file
    is left out with the reason. Engine, processor and threads are printed with the numbers, for without them they
    compare with nothing. `linnet bench methods` compares ways to make a model smaller; --layers counts each layer's
    multiplications and bytes, and shows the time that this machine should take for it beside what it took.

    \b
    Examples:
      linnet bench digits.onnx
      linnet bench big.onnx digits.onnx --seconds 5
      linnet bench digits.onnx --engine onnxruntime --engine openvino
      linnet bench --layers digits.onnx
    """
    if layers:
        return bench_layers(models, as_json=as_json)
    from linnet import runtime

    engines = engine or ["onnxruntime"]
    screen.say(f"measuring {len(models)} file(s), {seconds:g} seconds each and some more ...")
    if len(engines) == 1:
        measured = runtime.bench_many(models, engine=engines[0], threads=threads, seconds=seconds)
    else:
        measured = runtime.bench_engines(models, engines, threads=threads, seconds=seconds)
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in measured], indent=2))
    else:
        _print_table(measured)
    return 0


def _print_table(measured: Sequence[Bench]) -> None:
    from rich.console import Console
    from rich.table import Table

    from linnet.runtime import fastest

    several = len({one.engine for one in measured}) > 1
    table = Table(box=None, pad_edge=False)
    titles = [f"{one.name}\n{one.engine}" if several else one.name for one in measured]
    for name in ("", *titles, *(["ratio"] if len(measured) == 2 else [])):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for title, attribute, form in ROWS:
        values = [getattr(one, attribute) for one in measured]
        is_known = all(value is not None for value in values)
        ratio = [f"{values[1] / values[0]:.2f}" if is_known and values[0] else ""] if len(values) == 2 else []
        table.add_row(title, *("unknown" if value is None else form.format(value) for value in values), *ratio)
    table.add_row("operators in int8", *map(_narrow, measured))
    if several:
        table.add_row("answers differ by", *map(_apart, measured))
    Console(highlight=False, markup=False).print(table)
    engines = dict.fromkeys(f"{one.engine} {one.version}" for one in measured)
    one = measured[0]
    typer.echo(f"{', '.join(engines)}, {one.processor}, {one.threads} thread(s); energy {one.energy}")
    if several:
        best = fastest(measured)
        typer.echo(f"fastest: {best.name} on {best.engine}, {best.p50_ms:.3f} ms")


def _narrow(one: Bench) -> str:
    """How many operators compute on 8 bits, of how many."""
    numbers = {precision: sum(found.values()) for precision, found in one.operators.items()}
    return f"{numbers['int8']} of {sum(numbers.values())}" if sum(numbers.values()) else "not told"


def _apart(one: Bench) -> str:
    """From the first engine's answers, in hundredths of the largest."""
    return "" if one.largest_difference is None else f"{100 * one.largest_difference:.2g} %"
