"""The health of a dataset as a page: what was found in plain words, and the spread of every measure as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from linnet import __version__
from linnet.files import replacing
from linnet.introspect import Findings
from linnet.report import charts
from linnet.report.charts import BLUE, ORANGE, PALE, Figure
from linnet.report.counting import counted
from linnet.report.markup import Html, chart, join, safe, section, table, tag

_SHOWN_SAMPLES, _MOST_ITEMS, _MOST_GROUPS, _ACROSS = 8, 100, 60, 3
_TITLES = {"profile": "What was found", "order": "The order of the rows", "drift": "Drift",
           "near_duplicates": "Near duplicates"}
_NOTHING = {"order": "Neighbours are no more alike than chance would have them.",
            "drift": "No column, and not all together, differ more than chance would have it."}


def write(looks: Mapping[str, Findings], path: str | Path) -> Path:
    """Write the page beside, then rename. `looks` maps "profile", "order", "drift" ... to what they found."""
    path = Path(path)
    text = html(looks)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def html(looks: Mapping[str, Findings]) -> str:
    """The whole page as text."""
    here = resources.files("linnet.report")
    facts = looks["profile"].facts
    found = sum(len(one) for one in looks.values())
    return Template(here.joinpath("samples.html").read_text(encoding="utf-8")).substitute(
        title=safe(f"{facts['name']}: health"), name=safe(facts["name"]), version=safe(__version__),
        style=here.joinpath("style.css").read_text(encoding="utf-8"),
        more=here.joinpath("samples.css").read_text(encoding="utf-8"),
        sentence=safe(f"{counted(facts['rows'], 'row')[0].upper()}{counted(facts['rows'], 'row')[1:]} of "
                      f"{facts['name']}: {counted(found, 'finding')}."),
        fingerprint=safe(facts.get("fingerprint", "(not taken)")), broken=_broken(facts["broken"]), about="",
        samples=join(_look(name, one) for name, one in looks.items()),
        columns=join([_measures(facts), _groups(facts)]))


def histograms(facts: Mapping[str, Any]) -> Figure | None:
    """A histogram of every measure that is not always the same; what lies far out is put into the outermost bars."""
    drawn = {name: one for name, one in facts["measures"].items() if one["rows"] and one["least"] < one["most"]}
    if not drawn:
        return None
    alt = charts.altair()
    parts = [_histogram(alt, name, one) for name, one in drawn.items()]
    rows = [alt.hconcat(*parts[at:at + _ACROSS]) for at in range(0, len(parts), _ACROSS)]
    told = "; ".join(f"{name} {one['least']:.3g} to {one['most']:.3g}, median {one['median']:.3g}"
                     for name, one in drawn.items())
    return Figure(charts.svg(alt.vconcat(*rows)), "Rows by measure; the line is the median. Numbers beyond three "
                  "quartile ranges stand in the outermost bars.", f"Histograms: {told}.")


def _histogram(alt: Any, name: str, one: Mapping[str, Any]) -> Any:
    edges = one["edges"]
    rows = [{"from": low, "to": high, "rows": count}
            for low, high, count in zip(edges, edges[1:], one["counts"], strict=False)]
    unit = f" ({one['unit']})" if one["unit"] else ""
    along = alt.X("from:Q", title=f"{name}{unit}", axis=alt.Axis(grid=False, tickCount=4),
                  scale=alt.Scale(domain=[edges[0], edges[-1]], nice=False))
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(color=PALE, stroke="white", strokeWidth=0.5).encode(
        x=along, x2="to:Q", y=alt.Y("rows:Q", title=None, axis=alt.Axis(tickCount=3)), y2=alt.datum(0))
    middle = alt.Chart(alt.Data(values=[{"from": one["median"]}])).mark_rule(color=BLUE, strokeWidth=2).encode(x=along)
    return alt.layer(bars, middle).properties(width=215, height=80)


def effects(findings: Findings) -> Figure | None:
    """How far each column drifted, from 0 to 1; those that chance does not explain stand out."""
    tests = sorted(findings.facts["tests"], key=lambda one: -one["effect"])[:_MOST_GROUPS]
    if not tests:
        return None
    alt = charts.altair()
    told = set(findings.subjects)
    rows = [{"column": one["column"], "effect": one["effect"],
             "told": "drifted" if one["column"] in told else "no difference shown"} for one in tests]
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(height=14).encode(
        x=alt.X("effect:Q", title="0: the same, 1: nothing in common", scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("column:N", title=None, sort=[row["column"] for row in rows]),
        color=alt.Color("told:N", title=None, scale=alt.Scale(domain=["drifted", "no difference shown"],
                                                              range=[ORANGE, PALE])))
    caption = (f"How far each column is from what it was. Orange: more than chance explains, at "
               f"{100 * findings.facts['rate']:.3g} % for all columns together.")
    return Figure(charts.svg(bars.properties(width=440, height=22 * len(rows))), caption,
                  f"Drift of {counted(len(rows), 'column')}, {len(told)} of them beyond chance.")


def _broken(bad: Sequence[Mapping[str, str]]) -> Html:
    if not bad:
        return Html("")
    rows = [[one["sample"], one["column"], one["reason"]] for one in bad[:_MOST_ITEMS]]
    return tag("section", tag("h2", f"{counted(len(bad), 'file')} cannot be used"),
               table(["sample", "column", "why"], rows), class_="broken")


def _look(name: str, found: Findings) -> Html:
    rows = [[tag("b", item.subject), join([item.statement, _samples(item.evidence)])]
            for item in list(found)[:_MOST_ITEMS]]
    more = tag("p", f"... and {len(found) - _MOST_ITEMS:,} more.") if len(found) > _MOST_ITEMS else ""
    told = table(["about", "what"], rows) if rows else tag("p", _NOTHING.get(name, "Nothing was found."))
    picture = effects(found) if name == "drift" else None
    rate = "" if name == "near_duplicates" else _rate(found.facts)
    return section(_TITLES.get(name, name), chart(picture) if picture else "", told, more, rate)


def _rate(facts: Mapping[str, Any]) -> Html:
    return tag("p", f"Where there is nothing to find, a difference is told in at most {100 * facts['rate']:.3g} of 100 "
               f"datasets ({facts['method']}).", class_="note")


def _samples(evidence: Mapping[str, Any]) -> Html:
    """The first names of the samples, the most extreme first where they were measured."""
    names = list(evidence.get("samples", ()))
    if not names:
        return Html("")
    shown = ", ".join(names[:_SHOWN_SAMPLES]) + (" ..." if len(names) > _SHOWN_SAMPLES else "")
    return tag("div", shown, class_="note")


def _measures(facts: Mapping[str, Any]) -> Html:
    picture = histograms(facts)
    counts = [tag("h3", f"{name}: how it is stored or written") + table(
        ["form", "rows"], [[form, f"{rows:,}"] for form, rows in list(forms.items())[:_MOST_GROUPS]], numbers=[1])
        for name, forms in facts["forms"].items()]
    return section("Measures", chart(picture) if picture else "", Html("".join(counts)))


def _groups(facts: Mapping[str, Any]) -> Html:
    """For each column of groups a table of medians."""
    parts = []
    for column, groups in facts["groups"].items():
        names = [name for name in facts["measures"] if facts["measures"][name]["rows"]]
        rows = [[group, f"{one['rows']:,}", *("" if one["medians"][name] is None else f"{one['medians'][name]:.3g}"
                                              for name in names)] for group, one in list(groups.items())[:_MOST_GROUPS]]
        more = tag("p", f"... and {len(groups) - _MOST_GROUPS:,} more.", class_="note") \
            if len(groups) > _MOST_GROUPS else ""
        parts.append(join([tag("h3", f"By {column}: medians"),
                           table([column, "rows", *names], rows, numbers=range(1, len(names) + 2)), more]))
    return section("Groups", *parts)
