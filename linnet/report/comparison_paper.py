"""A comparison for a paper: a LaTeX table in the style of booktabs."""

from __future__ import annotations

from pathlib import Path

from linnet.files import replacing
from linnet.report.booktabs import booktabs, escape
from linnet.report.comparison import Row, bounds, machine, rows
from linnet.report.counting import percent
from linnet.runtime import Comparison

_MARKS = {"better": r"^{\uparrow}", "worse": r"^{\downarrow}"}


def latex(compared: Comparison, *, label: str = "tab:comparison") -> str:
    """The table with its caption; the document needs \\usepackage{booktabs}."""
    metrics = [escape(name.replace("_", " ")) for name in compared.sides[0].metrics]
    has_seeds = any(len(side.files) > 1 for side in compared.sides)
    head = ["Model", r"Correct (\%)", *(["SD over seeds"] if has_seeds else []), *metrics, r"$\Delta$ (points)",
            f"{escape(percent(compared.level))} interval", "$p$", "Parameters", "Size (KB)", "Latency (ms)"]
    cells = (_cells(compared, row, has_seeds=has_seeds) for row in rows(compared))
    return booktabs(head, cells, caption=_caption(compared), label=label)


def write_latex(compared: Comparison, path: str | Path) -> Path:
    """Write the table."""
    with replacing(Path(path)) as partial:
        partial.write_text(latex(compared), encoding="utf-8")
    return Path(path)


def _cells(compared: Comparison, row: Row, *, has_seeds: bool) -> list[str]:
    seeds = [row.spread.removeprefix("± ").partition(" ")[0] or "--"] if has_seeds else []
    change, interval = "--", "--"
    if row.difference:
        low, high = bounds(compared, row.difference)
        change = f"${row.change}{_MARKS.get(row.difference.word, '')}$"
        interval = f"$[{low:+},\\,{high:+}]$"
    p_value = f"${row.p_value}$" if row.p_value else "--"
    return [escape(row.side.name), row.right, *seeds, *row.metrics, change, interval, p_value, row.parameters,
            row.kilobytes, row.median_ms]


def _caption(compared: Comparison) -> str:
    several = [side for side in compared.sides if len(side.files) > 1]
    seeds = " Numbers of several seeds are averages; the intervals do not cover their spread." if several else ""
    return (f"{compared.data.rows:,} {escape(compared.data.population)}. Differences from {escape(compared.reference)} "
            f"with simultaneous {escape(percent(compared.level))} intervals over samples (Bonferroni) and $p$-values "
            "of the exact McNemar or sign-flip test (Holm); $\\uparrow$ better, $\\downarrow$ worse: the interval "
            f"excludes zero.{seeds} Latency: median of one sample at a time, {escape(machine(compared))}.")
