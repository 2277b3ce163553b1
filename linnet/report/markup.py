"""Pieces of HTML; everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from linnet.report.charts import Figure


class Html(str):
    """Text that is HTML already; any other string is escaped where it is put in."""

    __slots__ = ()


def safe(value: object) -> Html:
    """The value as HTML: escaped, unless it is HTML already.

    >>> safe("<b>"), safe(Html("<b>"))
    ('&lt;b&gt;', '<b>')
    """
    return value if isinstance(value, Html) else Html(escape(str(value)))


def tag(name: str, *inside: object, **attributes: str) -> Html:
    """An element; `class_` becomes class.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    said = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{said}>{''.join(safe(part) for part in inside)}</{name}>")


def join(parts: Iterable[object]) -> Html:
    """The parts one after the other."""
    return Html("".join(safe(part) for part in parts))


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> Html:
    """A table; the columns in `numbers` are set right."""

    def cells(name: str, row: Sequence[object]) -> Html:
        return join(tag(name, cell, **({"class_": "number"} if at in numbers else {})) for at, cell in enumerate(row))

    body = join(tag("tr", cells("td", row)) for row in rows)
    return tag("div", tag("table", tag("thead", tag("tr", cells("th", head))), tag("tbody", body)), class_="scroll")


def chart(figure: Figure) -> Html:
    """A chart with its caption; read aloud, its words stand for the picture."""
    picture = tag("div", Html(figure.svg), role="img", aria_label=figure.alt)
    return tag("figure", picture, tag("figcaption", figure.caption))


def section(title: str, *parts: object) -> Html:
    """A section under a heading; "" where nothing is in it."""
    inside = join(part for part in parts if part)
    return tag("section", tag("h2", title), inside) if inside else Html("")


def unbroken(command: str) -> Html:
    """A command that a line may break between its words, yet not inside of "--data"."""
    return Html(" ".join(tag("span", word, class_="word") for word in command.split()))
