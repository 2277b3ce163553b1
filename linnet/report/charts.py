"""Charts as SVG text: made by Altair, rendered by vl-convert; no browser, no script, no network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from linnet.errors import missing_extra
from linnet.evidence import Scores
from linnet.evidence.intervals import binomial
from linnet.introspect import Findings
from linnet.report.counting import counted, in_hundred, percent, scale
from linnet.report.words import bench_names

if TYPE_CHECKING:
    from linnet.runtime import Bench

INK, MUTED, LINE = "#1f2a33", "#66737d", "#dfe4e8"
BLUE, ORANGE, PALE = "#1f6f93", "#c4622d", "#b9c6cf"
FONT = "Helvetica, Arial, Liberation Sans, sans-serif"
LARGEST_MATRIX = 40
_LEVEL = 0.95
_Rows = list[dict[str, Any]]
_Chart: TypeAlias = Any  # Altair's, which is imported only where a chart is drawn


@dataclass(frozen=True)
class Figure:
    """One chart: its SVG, a sentence below it, and the same in words for those who do not see it."""

    svg: str
    caption: str
    alt: str


def learning(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss on train and validation, and accuracy on validation, by epoch; the lowest validation loss is marked."""
    best = min(history, key=lambda epoch: float(epoch["validation_loss"]))
    loss = _curves([_point(epoch, name, kind) for epoch in history
                    for name, kind in (("train_loss", "train"), ("validation_loss", "validation"))], "loss", best)
    accuracy = _curves([_point(epoch, "validation_accuracy", "validation") for epoch in history], "accuracy", best)
    reached = f"validation accuracy {float(best['validation_accuracy']):.3f} at epoch {best['epoch']}"
    told = f"lowest validation loss {float(best['validation_loss']):.3f}, {reached}"
    return Figure(svg(loss | accuracy), f"Loss and accuracy by epoch. The dashed line marks the {told}.",
                  f"Learning curves over {counted(len(history), 'epoch')}; {told}.")


def confusion(scores: Scores, labels: Sequence[str]) -> Figure | None:
    """What was right (rows) against what was answered (columns): counts, coloured by the row's share.

    None with more than 40 labels, where nothing could be read.
    """
    if len(labels) > LARGEST_MATRIX:
        return None
    counts = Counter(zip(scores.targets, scores.answers, strict=True))
    totals = Counter(scores.targets)
    rows = [{"target": target, "answer": answer, "count": counts[target, answer] or "",
             "share": counts[target, answer] / max(1, totals[target])} for target in labels for answer in labels]
    worst = max((pair for pair in counts if pair[0] != pair[1]), key=lambda pair: counts[pair], default=None)
    told = "no mistakes"
    if worst:
        told = f"most often {worst[0]} was called {worst[1]} ({counts[worst]} of {totals[worst[0]]})"
    return Figure(svg(_matrix(rows, list(labels))),
                  f"Each row is what was right, each column what was answered; {told}.",
                  f"Confusion matrix of {counted(len(labels), 'label')} over {len(scores)} samples; {told}.")


def by_group(scores: Scores, column: str, before: Scores | None = None) -> Figure:
    """Accuracy of each group with its exact 95 % interval; the model before, where given, as a hollow mark."""
    rows: _Rows = [{"group": f"{name}  ({n:,})", "rate": right / n, "low": low, "high": high}
            for name, right, n, low, high in group_rates(scores, column)]
    hollow = [] if before is None else [{"group": f"{name}  ({n:,})", "rate": right / n}
                                        for name, right, n, _, _ in group_rates(before, column)]
    lowest = min(rows, key=lambda row: float(row["rate"]))
    told = f"lowest: {lowest['group']} with {in_hundred(lowest['rate'], of=scale(lowest['rate']))}"
    also = "; the hollow mark is the model before" if hollow else ""
    caption = f"Share answered correctly by {column} (of so many), with exact {percent(_LEVEL)} intervals{also}."
    alt = f"Accuracy by {column}, {counted(len(rows), 'group')}; {told}."
    return Figure(svg(_dots(rows, hollow, column)), caption, alt)


def group_rates(scores: Scores, column: str) -> list[tuple[str, int, int, float, float]]:
    """(group, right answers, samples, lower, upper) of each group, by name, with exact 95 % intervals."""
    right: Counter[str] = Counter()
    for name, score in zip(scores.groups[column], scores.score, strict=True):
        right[name] += int(score)
    totals = Counter(scores.groups[column])
    return [(name, right[name], totals[name], *binomial(right[name], totals[name], _LEVEL)) for name in sorted(totals)]


def size_and_latency(benches: Sequence[Bench]) -> Figure:
    """Bars of size and of latency (nineteen of twenty answers are faster), one a file and engine."""
    names = bench_names(benches)
    sizes = [{"file": name, "value": bench.size_without_claims_bytes / 1000}
             for name, bench in zip(names, benches, strict=True)]
    times = [{"file": name, "value": bench.p95_ms} for name, bench in zip(names, benches, strict=True)]
    told = "; ".join(f"{size['file']}: {size['value']:,.1f} KB, {bench.p95_ms:.3g} ms"
                     for bench, size in zip(benches, sizes, strict=True))
    drawn = _bars(sizes, "size in KB", ",.1f") | _bars(times, "95th percentile of latency in ms", ".3~r")
    caption = "Size without claims, and the time within which 95 of 100 answers came, one sample at a time."
    return Figure(svg(drawn), caption, f"{told}.")


def worst_confusions(findings: Findings, *, most: int = 8) -> Figure | None:
    """The pairs of labels that are confused most often, as a share of the samples of the right one."""
    rows = [{"pair": f"{item.evidence['target']} → {item.evidence['answer']}", "rate": float(item.evidence["rate"]),
             "said": f"{item.evidence['count']} of {item.evidence['of']}",
             "low": float(item.evidence["interval"][0]), "high": float(item.evidence["interval"][1])}
            for item in list(findings)[:most]]
    if not rows:
        return None
    told = ", ".join(f"{row['pair']} {row['said']}" for row in rows)
    caption = ("The most frequent mistakes (right → answered), as a share of the samples of the right label. Each "
               f"{percent(_LEVEL)} interval is for a pair named beforehand: the top of a list looks worse than it is.")
    return Figure(svg(_ranked(rows)), caption, f"Most frequent mistakes: {told}.")


def _point(epoch: Mapping[str, Any], name: str, kind: str) -> dict[str, Any]:
    return {"epoch": int(epoch["epoch"]), "value": float(epoch[name]), "kind": kind}


def _curves(rows: _Rows, title: str, best: Mapping[str, Any]) -> _Chart:
    alt = altair()
    colour = alt.Color("kind:N", scale=alt.Scale(domain=["train", "validation"], range=[PALE, BLUE]),
                       legend=alt.Legend(title=None, orient="top", direction="horizontal") if title == "loss" else None)
    epochs = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d", grid=False))
    lines = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2, point=len(rows) < 6).encode(
        x=epochs, y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=title == "loss")), color=colour)
    rule = alt.Chart(alt.Data(values=[{"epoch": int(best["epoch"])}])).mark_rule(
        stroke=ORANGE, strokeDash=[3, 3]).encode(x=epochs)
    return alt.layer(rule, lines).properties(width=330, height=200)


def _matrix(rows: _Rows, labels: list[str]) -> _Chart:
    alt = altair()
    cell = max(16, min(42, 560 // len(labels)))
    axis = alt.Axis(orient="top", labelAngle=_angle(labels, cell))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("answer:N", sort=labels, title="answered", axis=axis), y=alt.Y("target:N", sort=labels, title="right"))
    colour = alt.Color("share:Q", scale=alt.Scale(domain=[0, 1], range=["#f5f8fa", BLUE]), legend=None)
    squares = base.mark_rect(stroke="white", strokeWidth=1.5).encode(color=colour)
    numbers = base.mark_text(fontSize=max(8, min(13, cell // 3 + 1))).encode(
        text="count:N", color=alt.condition("datum.share > 0.5", alt.value("white"), alt.value(INK)))
    return alt.layer(squares, numbers).properties(width=cell * len(labels), height=cell * len(labels))


def _angle(labels: Sequence[str], cell: int) -> int:
    return 0 if max(map(len, labels)) * 7 < cell else -45


def _dots(rows: _Rows, hollow: _Rows, column: str) -> _Chart:
    alt = altair()
    rate = alt.Scale(domain=[min(0.5, *(row["low"] for row in rows), *(row["rate"] for row in hollow)), 1], nice=True)
    shares = alt.Axis(format="%", tickCount=6)
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("group:N", title=column, sort=None))
    interval = base.mark_rule(stroke=BLUE, strokeWidth=2).encode(
        x=alt.X("low:Q", title="share answered correctly", scale=rate, axis=shares), x2="high:Q")
    point = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(x=alt.X("rate:Q", scale=rate))
    other = alt.Chart(alt.Data(values=hollow)).mark_point(size=90, color=ORANGE, filled=False, strokeWidth=2).encode(
        x=alt.X("rate:Q", scale=rate), y=alt.Y("group:N", sort=None))
    marks = [interval, point, *([other] if hollow else [])]
    return alt.layer(*marks).properties(width=560, height=max(60, 26 * len(rows)))


def _bars(rows: _Rows, title: str, form: str) -> _Chart:
    alt = altair()
    names = [row["file"] for row in rows]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("value:Q", title=title, axis=alt.Axis(grid=False, tickCount=4),
                scale=alt.Scale(domain=[0, 1.18 * max(row["value"] for row in rows)])),
        y=alt.Y("file:N", sort=names, title=None))
    colours = alt.Scale(domain=names, range=[PALE] * (len(names) - 1) + [BLUE])
    bars = base.mark_bar(height=20).encode(color=alt.Color("file:N", sort=names, legend=None, scale=colours))
    numbers = base.mark_text(align="left", dx=5, color=INK).encode(text=alt.Text("value:Q", format=form))
    return alt.layer(bars, numbers).properties(width=280, height=34 * len(rows))


def _ranked(rows: _Rows) -> _Chart:
    alt = altair()
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("pair:N", sort=[row["pair"] for row in rows], title=None))
    bars = base.mark_bar(color=PALE, height=14).encode(
        x=alt.X("rate:Q", title="share of the samples of the right label", axis=alt.Axis(format="%", tickCount=6)))
    interval = base.mark_rule(stroke=MUTED).encode(x="low:Q", x2="high:Q")
    said = base.mark_text(align="left", dx=6, color=INK).encode(x="high:Q", text="said:N")
    return alt.layer(bars, interval, said).properties(width=480, height=26 * len(rows))


def svg(chart: _Chart) -> str:
    """Render as SVG; coordinates keep two decimals, which no eye can tell apart."""
    drawn = str(_renderer().vegalite_to_svg(_styled(chart)))
    return re.sub(r"<[^>]+>", lambda tag: re.sub(r"(?<=\d\.\d\d)\d+", "", tag[0]), drawn)


def png(chart: _Chart) -> bytes:
    """Render as PNG, three pixels a point, for slides and for papers that take no SVG."""
    return bytes(_renderer().vegalite_to_png(_styled(chart), scale=3))


def _renderer() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise missing_extra("vl-convert-python", "report") from error
    return vl_convert


def _styled(chart: _Chart) -> dict[str, Any]:
    styled = chart.configure(font=FONT, aria=False).configure_view(stroke=None).configure_axis(
        labelColor=INK, titleColor=MUTED, titleFontWeight="normal", titleFontSize=12, labelFontSize=12, gridColor=LINE,
        domainColor=LINE, tickColor=LINE, titlePadding=8, labelLimit=220).configure_legend(
        labelFontSize=12, labelColor=INK, symbolStrokeWidth=3, padding=0, offset=6).configure_text(
        fontSize=12).configure_concat(spacing=44)
    return dict(styled.to_dict())


def altair() -> Any:
    try:
        import altair
    except ImportError as error:
        raise missing_extra("altair", "report") from error
    return altair
