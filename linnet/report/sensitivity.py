"""Which layers suffer from fewer bits: a chart and a table of what sensitivity saw."""

from __future__ import annotations

from typing import Any

from linnet.introspect import Finding, Findings
from linnet.report.charts import BLUE, LINE, ORANGE, PALE, Figure, altair, svg
from linnet.report.contents import Contents
from linnet.report.counting import counted
from linnet.report.markup import Html, chart, join, section, table, tag

_MOST = 40
"""Layers in the chart, the worst first."""


def sensitivity(contents: Contents) -> Html:
    """For each step of sensitivity a chart of signal to noise, and a table with what it did to the answers."""
    parts = []
    for name, findings in contents.findings.items():
        if findings.kind == "sensitivity" and len(findings):
            parts.append(join([tag("h3", name), chart(figure(findings)), *_table(findings)]))
    return section("Which layers suffer from fewer bits", *parts) if parts else Html("")


def figure(findings: Findings) -> Figure:
    """Signal to noise of the outputs with one layer at a time in so many bits, the most sensitive layer on top."""
    shown = list(findings)[:_MOST]
    rows = [{"layer": item.subject, "bits": f"{bits} bits", "decibels": float(damage["sqnr_db"])}
            for item in shown for bits, damage in item.evidence["damage"].items()]
    first, fewest = shown[0], next(iter(shown[0].evidence["damage"]))
    told = (f"most sensitive: {first.subject}, {first.evidence['damage'][fewest]['sqnr_db']:.1f} dB alone in "
            f"{fewest} bits")
    caption = ("Signal to noise of the outputs when this layer alone has fewer bits (to the left is worse): "
               f"{_HOWS[str(first.evidence['how'])]}.")
    return Figure(svg(_dots(rows)), caption, f"Sensitivity of {counted(len(findings), 'layer')}; {told}.")


_HOWS = {"round": "its weights rounded to so many bits, its input to 8", "palettize": "its weights from a palette"}


def _dots(rows: list[dict[str, Any]]) -> Any:
    alt = altair()
    layers, widths = (list(dict.fromkeys(row[name] for row in rows)) for name in ("layer", "bits"))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("layer:N", sort=layers, title=None, axis=alt.Axis(labelLimit=320)),
        x=alt.X("decibels:Q", title="signal to noise of the outputs in dB"))
    span = base.mark_line(stroke=LINE, strokeWidth=3).encode(detail="layer:N")
    colours = [ORANGE, BLUE, PALE, "#8aa36f", "#7b5ea7", "#66737d", "#b08d2f"][: len(widths)]
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(color=alt.Color(
        "bits:N", scale=alt.Scale(domain=widths, range=colours), legend=alt.Legend(title=None, orient="top")))
    return alt.layer(span, dots).properties(width=420, height=22 * len(layers))


def _table(findings: Findings) -> list[Html]:
    widths = list(next(iter(findings)).evidence["damage"])
    head = ["layer", "weights"]
    for bits in widths:
        head += [f"{bits} bits: dB", "answers changed", "score lost"]
    note = (f"Measured on {findings.items[0].evidence['samples']:,} samples, one layer at a time. A loss of score "
            "below zero is a gain, by chance as a rule.")
    rows = [_row(item, widths) for item in findings]
    return [table(head, rows, numbers=range(1, len(head))), tag("p", note, class_="note")]


def _row(item: Finding, widths: list[str]) -> list[str]:
    row = [item.subject, f"{item.evidence['weights']:,}"]
    for bits in widths:
        damage = item.evidence["damage"][bits]
        row += [f"{damage['sqnr_db']:.1f}", f"{damage['answers_changed']:.1%}", f"{damage['score']:+.3f}"]
    return row
