"""A dataset as one HTML page: samples to see and to hear, counts, lengths, what is broken, licence and citation."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from linnet import __version__
from linnet.data import Audio, Card, Dataset
from linnet.files import replacing
from linnet.report import pictures
from linnet.report.counting import counted
from linnet.report.markup import Html, join, safe, section, table, tag

_MOST_BARS, _MOST_BROKEN = 30, 500
_NOUNS = {"audio": "recording", "image": "image", "text": "text"}


def write(dataset: Dataset, found: Mapping[str, Any], path: str | Path, *, card: Card | None = None,
          rows: int = 24) -> Path:
    """Write the page beside, then rename. `found` is what `data.describe` says; `rows` samples are shown."""
    path = Path(path)
    with replacing(path) as partial:
        partial.write_text(html(dataset, found, card=card, rows=rows), encoding="utf-8")
    return path


def html(dataset: Dataset, found: Mapping[str, Any], *, card: Card | None = None, rows: int = 24) -> str:
    """The whole page as text."""
    here = resources.files("linnet.report")

    def text(name: str) -> str:
        return here.joinpath(name).read_text(encoding="utf-8")

    return Template(text("samples.html")).substitute(
        title=safe(f"{dataset.name}: samples"), name=safe(dataset.name), version=safe(__version__),
        style=text("style.css"), more=text("samples.css"), sentence=safe(_sentence(dataset, card)),
        fingerprint=safe(found["fingerprint"]), broken=_broken(found["broken"]), about=_about(card),
        samples=_samples(dataset, {one["sample"] for one in found["broken"]}, rows),
        columns=_columns(found["columns"]))


def chosen(dataset: Dataset, rows: int, *, without: Iterable[str] = (), seed: int = 0) -> list[int]:
    """Positions of so many rows, drawn so that each label (else group) comes in turn; in the order of labels."""
    bad = set(without)
    there = [index for index, name in enumerate(dataset.ids) if name not in bad]
    random.Random(seed).shuffle(there)  # noqa: S311 which samples are shown needs no secret
    by = _by(dataset)
    if by is None:
        return sorted(there[:rows])
    values, turns = dataset.values(by), dict[Any, int]()
    turn = {}
    for index in there:
        turn[index] = turns[values[index]] = turns.get(values[index], -1) + 1
    picked = sorted(there, key=lambda index: turn[index])[:rows]
    order = {label: at for at, label in enumerate(getattr(dataset.columns[by], "labels", sorted(set(values))))}
    return sorted(picked, key=lambda index: (order[values[index]], index))


def _by(dataset: Dataset) -> str | None:
    """The column by which samples are chosen: the first of labels, else the first of groups."""
    return next((name for kind in ("label", "group") for name, column in dataset.columns.items()
                 if column.kind == kind), None)


def _sentence(dataset: Dataset, card: Card | None) -> str:
    kinds = [column.kind for column in dataset.columns.values()]
    noun = next((_NOUNS[kind] for kind in kinds if kind in _NOUNS), "row")
    many = counted(len(dataset), noun)
    return f"{many[0].upper()}{many[1:]}. {card.summary}." if card else f"{dataset.name}: {many}."


def _broken(bad: Sequence[Mapping[str, str]]) -> Html:
    if not bad:
        return Html("")
    rows = [[one["sample"], one["column"], one["reason"]] for one in bad[:_MOST_BROKEN]]
    more = tag("p", f"... and {len(bad) - _MOST_BROKEN:,} more.") if len(bad) > _MOST_BROKEN else ""
    return tag("section", tag("h2", f"{counted(len(bad), 'file')} cannot be used"),
               table(["sample", "column", "why"], rows), more, class_="broken")


def _about(card: Card | None) -> Html:
    if card is None:
        return Html("")
    facts = [("Licence", card.licence), ("Cite", card.citation), ("Origin", card.homepage),
             *(("Commit", one) for one in [card.commit] if one), *(("Note", note) for note in card.notes)]
    return section("Where it comes from", tag("dl", *(part for name, said in facts
                                                      for part in (tag("dt", name), tag("dd", said)))))


def _samples(dataset: Dataset, bad: set[str], rows: int) -> Html:
    picked = chosen(dataset, rows, without=bad)
    if not picked:
        return Html("")
    turns = ", each label (or group) in turn" if _by(dataset) else ""
    of = f"{len(picked)} of {counted(len(dataset), 'row')}, drawn by chance{turns}."
    note = tag("p", of, class_="note")
    shown = dataset.take(picked)
    kinds = {column.kind for column in dataset.columns.values()}
    if not kinds & {"audio", "image", "text"}:
        names = list(shown.columns)
        cells = zip(shown.ids, *(shown.values(name) for name in names), strict=True)
        return section("Samples", note, table(["id", *names], list(cells)))
    kind = "samples images" if "image" in kinds and not kinds & {"audio", "text"} else "samples"
    return section("Samples", note, tag("div", *(_sample(shown, index) for index in range(len(shown))), class_=kind))


def _sample(dataset: Dataset, index: int) -> Html:
    parts, facts = [], []
    for name, column in dataset.columns.items():
        if column.kind in ("audio", "image"):
            media = dataset.media(name, index)
            parts.append(pictures.sound(media) if isinstance(media, Audio) else pictures.image(media))
            continue
        value = dataset.table.column(name)[index].as_py()
        if column.kind == "text":
            parts.append(tag("p", _marked(value, _spans(dataset, name, index)), class_="said"))
        elif column.kind in ("sequence", "labels"):
            parts.append(tag("p", " ".join(value) if value else "(none)", class_="items"))
        elif column.kind != "spans":
            facts.append(tag("span", tag("b", name), f"{value:g}" if isinstance(value, float) else value))
    return tag("article", tag("h3", dataset.ids[index]), *parts, tag("p", *facts, class_="facts") if facts else "")


def _spans(dataset: Dataset, text: str, index: int) -> list[tuple[int, int, str, int]]:
    """(start, end, label, hue) of every stretch of this text, in order."""
    found = []
    for name, column in dataset.columns.items():
        if column.kind == "spans" and getattr(column, "of", None) == text:
            hues = {label: round(at * 137.5) % 360 for at, label in enumerate(getattr(column, "labels", ()))}
            found += [(span["start"], span["end"], span["label"], hues[span["label"]])
                      for span in dataset.table.column(name)[index].as_py()]
    return sorted(found)


def _marked(text: str, spans: Iterable[tuple[int, int, str, int]]) -> Html:
    parts: list[object] = []
    at = 0
    for start, end, label, hue in spans:
        style = f"background: hsl({hue} 70% 88%)"
        parts += [text[at:start], tag("span", text[start:end], tag("small", label), class_="span", style=style)]
        at = end
    return join([*parts, text[at:]])


def _columns(found: Mapping[str, Any]) -> Html:
    parts = [tag("article", tag("h3", f"{name} ", tag("span", f"({said['kind']})", class_="note")),
                 _column(said)) for name, said in found.items()]
    return section("Columns", tag("div", *parts, class_="columns"))


def _column(said: Mapping[str, Any]) -> Html:
    parts: list[Html] = []
    if said["kind"] == "audio":
        total = said["seconds"]["total"]
        parts = [_bars(said["formats"]), tag("p", f"{total / 3600:.2f} hours in all.", class_="note"),
                 _spread(said["seconds"], "s")]
    elif said["kind"] == "image":
        parts = [_bars(said["sizes"])]
    elif said["kind"] == "value":
        parts = [_spread(said, "")]
    elif said["kind"] == "text":
        parts = [_spread(said["characters"], "characters"),
                 tag("p", f"{said['different']:,} are different.", class_="note")]
    else:
        parts = [_bars(said["counts"])]
        if "in_a_row" in said:
            parts.append(_spread(said["in_a_row"], "in a row"))
    return join(parts)


def _bars(counts: Mapping[str, int]) -> Html:
    """A bar a name; of many, the most and the least frequent."""
    shown = list(counts.items())
    between = ""
    if len(shown) > _MOST_BARS:
        ordered = sorted(shown, key=lambda item: -item[1])
        shown = ordered[:_MOST_BARS // 2] + ordered[-_MOST_BARS // 2:]
        between = f"{len(counts):,} in all; the {_MOST_BARS // 2} most and the {_MOST_BARS // 2} least frequent."
    most = max((count for _, count in shown), default=1) or 1
    cells = [part for name, count in shown for part in (
        tag("span", name, class_="name", title=name),
        tag("span", tag("div", "", class_="bar", style=f"width: {100 * count / most:.1f}%")),
        tag("span", f"{count:,}", class_="number"))]
    return join([tag("div", *cells, class_="bars"), tag("p", between, class_="note") if between else ""])


def _spread(said: Mapping[str, Any], unit: str) -> Html:
    """A histogram, with the least, the median and the most below it."""
    counts = said["histogram"]
    heights = tag("div", *(tag("span", "", style=f"height: {100 * count / max(counts):.1f}%") for count in counts),
                  class_="heights", role="img", aria_label="histogram")
    ends = tag("div", *(tag("span", f"{word} {said[word]:g} {unit}") for word in ("least", "median", "most")),
               class_="ends")
    return join([heights, ends]) if counts else Html("")
