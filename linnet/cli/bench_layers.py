"""linnet bench --layers: multiplications, bytes and time of every layer, predicted beside measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from linnet.cli import screen

if TYPE_CHECKING:
    from linnet.cost import Cost

_COLUMNS = ("layer", "operator", "precision", "million MACs", "kB", "MACs a byte", "held by", "roofline us",
            "predicted us", "measured us", "most goes to")


def bench_layers(models: Sequence[Path], *, as_json: bool) -> int:
    """One table a file, the layers in the order in which they run."""
    from linnet.errors import missing_extra

    try:
        from linnet import cost
    except ImportError as error:
        raise missing_extra("onnx", "train") from error
    screen.say("measuring what this machine can do, once, and every layer ...")
    found = {path: cost.predict(path) for path in models}
    if as_json:
        typer.echo(json.dumps([{"file": path.name, "layers": one.rows()} for path, one in found.items()], indent=2))
        return 0
    for path, one in found.items():
        _print(path.name, one)
        peak = max(cost.over_layers(path), key=lambda moment: moment.live_bytes)
        typer.echo(f"activations: at most {peak.live_bytes / 1000:,.1f} kB at once, at {peak.name}\n")
    return 0


def _print(name: str, cost: Cost) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=name, title_justify="left")
    for place, title in enumerate(_COLUMNS):
        table.add_column(title, justify="left" if place in (0, 1, 2, 6, 10) else "right", overflow="fold")
    for row in cost.rows():
        table.add_row(row["name"], row["operator"], row["precision"], f"{row['macs'] / 1e6:.3f}",
                      f"{row['bytes'] / 1000:,.1f}", f"{row['intensity']:.1f}", row["held_by"],
                      *(f"{1000 * row[key]:.1f}" for key in ("roofline_ms", "predicted_ms", "ms")), row["bound"])
    table.add_row("all", "", "", f"{cost.macs / 1e6:.3f}", "", "", "", *(
        f"{1000 * value:.1f}" for value in (cost.roofline_ms, cost.predicted_ms, cost.measured_ms)), "")
    Console(highlight=False, markup=False, width=160).print(table)
    typer.echo(f"{cost.machine.engine}, {cost.machine.processor}, one thread, one sample")
