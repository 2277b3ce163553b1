"""A comparison as a picture, and as one HTML page: quality against cost, each difference with its interval."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from linnet import __version__
from linnet.errors import LinnetError
from linnet.evidence.many import Difference
from linnet.files import replacing
from linnet.report import charts
from linnet.report.charts import LINE, MUTED, Figure
from linnet.report.comparison import cells, head, how, limits, rows, sentence, span
from linnet.report.front import front
from linnet.report.markup import Html, chart, safe, section, table, tag, unbroken
from linnet.runtime import Comparison, Side

_COLOURS = ["#1f6f93", "#c4622d", "#3f8f5b", "#8a5a9e", "#b08a00", "#66737d", "#b23a5e", "#2b3f8c"]
"""Told apart by those who see no red or green too, with the shapes."""
_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-left", "triangle-right"]
_WITH_FRONT = 4
"""From so many sides on, the picture shows which of them no other one beats in both."""
_BADGES = {"better": "holds", "worse": "fails", "no difference shown": "undecided"}


def picture(compared: Comparison) -> Figure:
    """Above the differences from the reference with their intervals, below quality against latency and against size."""
    told = "; ".join(f"{side.name}: {100 * side.seeds.mean:.1f} in 100, {side.p50_ms:.3g} ms, "
                     f"{side.size_bytes / 1000:,.1f} KB" for side in compared.sides)
    caption = (f"Above: right answers more in 100 than {compared.reference}, with intervals that hold together. "
               "Below: the same files against what they cost"
               + ("; those on the dashed line are beaten by no other in both." if len(compared.sides) >= _WITH_FRONT
                  else "."))
    return Figure(charts.svg(_drawn(compared)), caption, f"{told}.")


def write_picture(compared: Comparison, path: str | Path) -> Path:
    """Write the picture as SVG, or as PNG where the name ends so."""
    target = Path(path)
    if target.suffix.lower() not in (".svg", ".png"):
        raise LinnetError(f"a picture is written as .svg or .png; got the name {target.name}.")
    drawn = _drawn(compared)
    content = charts.png(drawn) if target.suffix.lower() == ".png" else charts.svg(drawn).encode()
    return _replace(target, content)


def write_page(compared: Comparison, path: str | Path, *, command: str = "") -> Path:
    """Write the page; `command` makes it again."""
    return _replace(Path(path), page(compared, command=command).encode())


def page(compared: Comparison, *, command: str = "") -> str:
    """The whole page as text."""
    here = resources.files("linnet.report")
    names = ", ".join(side.name for side in compared.sides)
    again = tag("section", tag("h2", "How to make it again"), tag("pre", unbroken(command))) if command else ""
    blocks = tag("div", tag("section", tag("h2", "What this does not say"),
                            *(tag("p", said) for said in limits(compared))), again, class_="blocks")
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=safe(f"{names}: comparison"), name=Html("comparison"), version=__version__,
        style=here.joinpath("style.css").read_text(encoding="utf-8"), sentence=safe(sentence(compared)),
        open_claims="", verdicts=_verdicts(compared), blocks=blocks,
        figures=tag("div", tag("p", "The figures", class_="part"), figures(compared), class_="figures"))


def figures(compared: Comparison) -> Html:
    """The picture, the table and the seeds: a section of any report."""
    names = head(compared)
    shown = table(names, (cells(compared, row) for row in rows(compared)),
                  numbers=[at for at, title in enumerate(names) if title])
    return Html(section("Quality against cost", chart(picture(compared)))
                + section("Every file on the same rows", shown, tag("p", how(compared), class_="note"))
                + section("Single seeds", *_seeds(compared)))


def _replace(path: Path, content: bytes) -> Path:
    with replacing(path) as partial:
        partial.write_bytes(content)
    return path


def _seeds(compared: Comparison) -> list[Html]:
    seeds = [[side.name, Path(file).name, f"{100 * accuracy:.2f}"] for side in compared.sides if len(side.files) > 1
             for file, accuracy in zip(side.files, side.seeds.accuracies, strict=True)]
    return [table(["", "file", "right in 100"], seeds, numbers=(2,))] if seeds else []


def _verdicts(compared: Comparison) -> Html:
    return tag("ul", *(tag("li", tag("span", _short(found), class_=f"badge {_BADGES[found.word]}"),
                           tag("div", tag("strong", found.name), tag("p", f"{span(compared, found)}.")))
                       for found in compared.differences), class_="verdicts")


def _short(found: Difference) -> str:
    return "Not shown" if found.word == "no difference shown" else found.word.capitalize()


def _drawn(compared: Comparison) -> Any:
    """Differences above, cost below."""
    return _differences(compared) & (_cost(compared, "ms", "median latency in ms")
                                     | _cost(compared, "kb", "size in KB"))


def _differences(compared: Comparison) -> Any:
    alt = charts.altair()
    values = [{"side": side.name, "value": 0.0, "low": 0.0, "high": 0.0} if found is None else
              {"side": side.name, "value": 100 * found.estimate, "low": 100 * found.interval[0],
               "high": 100 * found.interval[1]}
              for side in compared.sides for found in [compared.difference(side.name)]]
    base = alt.Chart(alt.Data(values=values)).encode(y=alt.Y("side:N", sort=None, title=None))
    zero = alt.Chart(alt.Data(values=[{"x": 0}])).mark_rule(stroke=MUTED, strokeDash=[3, 3]).encode(x="x:Q")
    interval = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=f"right answers more in 100 than {compared.reference}",
                axis=alt.Axis(gridColor=LINE, tickCount=8)), x2="high:Q", color=_colour(compared))
    point = base.mark_point(filled=True, size=80, opacity=1).encode(
        x="value:Q", color=_colour(compared), shape=_shape(compared))
    return alt.layer(zero, interval, point).properties(width=560, height=max(50, 26 * len(values)))


def _cost(compared: Comparison, of: str, title: str) -> Any:
    alt = charts.altair()
    values = [{"side": side.name, "right": 100 * side.seeds.mean, "cost": _price(side, of)} for side in compared.sides]
    prices = [_price(side, of) for side in compared.sides]
    spread = max(prices) / max(min(prices), 1e-9)
    scale = alt.Scale(type="log" if spread > 10 else "linear", zero=False, nice=True, padding=12)
    x = alt.X("cost:Q", title=title, scale=scale, axis=alt.Axis(tickCount=4, format=",.3~r", grid=False))
    y = alt.Y("right:Q", title="right in 100", scale=alt.Scale(zero=False, nice=True, padding=12))
    points = alt.Chart(alt.Data(values=values)).mark_point(filled=True, size=90, opacity=1).encode(
        x=x, y=y, color=_colour(compared), shape=_shape(compared))
    best = front(values, cost="cost", worth="right")
    line = alt.Chart(alt.Data(values=best)).mark_line(interpolate="step-after", stroke=MUTED, strokeDash=[3, 3]).encode(
        x=x, y=y)
    names = alt.Chart(alt.Data(values=best)).mark_text(align="left", dx=7, dy=-7, fontSize=9, fill=MUTED).encode(
        x=x, y=y, text="side:N")
    drawn = alt.layer(line, points, names) if len(compared.sides) >= _WITH_FRONT else points
    return drawn.properties(width=235, height=180)


def _price(side: Side, of: str) -> float:
    return side.p50_ms if of == "ms" else side.size_bytes / 1000


def _colour(compared: Comparison) -> Any:
    return charts.altair().Color("side:N", legend=None, sort=None, scale=_scale(compared, _COLOURS))


def _shape(compared: Comparison) -> Any:
    return charts.altair().Shape("side:N", legend=None, sort=None, scale=_scale(compared, _SHAPES))


def _scale(compared: Comparison, marks: list[str]) -> Any:
    names = [side.name for side in compared.sides]
    return charts.altair().Scale(domain=names, range=[marks[at % len(marks)] for at in range(len(names))])
