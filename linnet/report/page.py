"""The report as one HTML file: plain words first, then the figures; no script, nothing loaded from elsewhere."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template

from linnet import __version__
from linnet.evidence import verdict_of
from linnet.files import replacing
from linnet.report import plain
from linnet.report.contents import Contents
from linnet.report.markup import Html, join, safe, tag, unbroken
from linnet.report.sections import SECTIONS, badge
from linnet.report.verdicts import asked, found
from linnet.report.words import headline, not_shown


def write(contents: Contents, path: str | Path) -> Path:
    """Write the report beside, then rename; a report that was there before survives a kill."""
    path = Path(path)
    with replacing(path) as partial:
        partial.write_text(html(contents), encoding="utf-8")
    return path


def html(contents: Contents) -> str:
    """The whole page as text."""
    here = resources.files("linnet.report")
    figures = join(section(contents) for section in SECTIONS)
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=safe(f"{contents.name}: report"), name=safe(contents.name), version=safe(__version__),
        style=here.joinpath("style.css").read_text(encoding="utf-8"), sentence=safe(headline(contents)),
        open_claims=_open_claims(contents),
        verdicts=_verdicts(contents), blocks=_blocks(contents),
        figures=tag("div", tag("p", "The figures", class_="part"), figures, class_="figures") if figures else "")


def _open_claims(contents: Contents) -> Html:
    said = not_shown(contents.claims)
    return tag("p", said, class_=f"open {verdict_of(contents.claims)}") if said else Html("")


def _verdicts(contents: Contents) -> Html:
    rows = [tag("li", badge(claim), tag("div", tag("strong", asked(claim)), tag("p", found(claim))))
            for claim in contents.claims]
    return tag("ul", *rows, class_="verdicts") if rows else Html("")


def _blocks(contents: Contents) -> Html:
    blocks = [_block("What it was tested on", plain.tested_on(contents)),
              _block("What this does not say", plain.limits(contents)),
              _block("What it costs", plain.costs(contents)), _check(contents)]
    there = [block for block in blocks if block]
    return tag("div", *there, class_="blocks") if there else Html("")


def _block(title: str, sentences: list[str]) -> Html:
    return tag("section", tag("h2", title), *(tag("p", sentence) for sentence in sentences)) if sentences else Html("")


def _check(contents: Contents) -> Html:
    said = plain.check(contents)
    if not said:
        return Html("")
    before, command, after = said
    shown = tag("pre", unbroken(command))
    return tag("section", tag("h2", "How to check it"), tag("p", before), shown, tag("p", after))
