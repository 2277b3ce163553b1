from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_contents
from report_contents import spoken

from linnet import evidence, report
from linnet.report import Contents
from linnet.report.page import html

VOID = {"meta", "path", "line", "rect", "circle"}


class Outline(HTMLParser):
    """Headings and ids of a page; raises where a tag is closed that was not opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


@pytest.fixture(scope="module")
def digits() -> Contents:
    return report_contents.digits()


@pytest.fixture(scope="module")
def page(digits: Contents) -> str:
    return html(digits)


def test_one_file_without_scripts_that_loads_nothing(page: str) -> None:
    outline = Outline(page)
    assert outline.open == []
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert outline.links == []
    assert "url(" not in page
    assert len(outline.ids) == len(set(outline.ids))
    assert len(page.encode()) < 400_000


def test_every_section_that_has_contents_is_there(page: str) -> None:
    assert Outline(page).headings[1:] == [
        "What it was tested on", "What this does not say", "What it costs", "How to check it", "Who it works for",
        "What it mixes up", "Samples that it got wrong", "Claims that the file carries", "What it costs to run",
        "Realised precision", "How it learned", "What was seen inside", "The data", "Looks at the test part so far",
        "Where it was made", "The recipe"]


def test_sections_without_contents_are_absent() -> None:
    outline = Outline(html(Contents("digits")))
    assert outline.headings == ["digits: nothing was measured on the test part yet."]
    assert not {"table", "svg", "ul", "section"} & set(outline.tags)


def test_pictures_are_described_in_words(page: str) -> None:
    assert page.count('role="img"') == page.count("<svg")
    assert all(len(words) > 20 for words in re.findall(r'role="img" aria-label="([^"]*)"', page))


def test_what_comes_from_outside_is_escaped(digits: Contents) -> None:
    claim = digits.claims[0].model_copy(update={"kind": "of another room", "statement": "<b>$name</b>"})
    hostile = replace(digits, name="<script>alert(1)</script>", recipe="a: <i>&", claims=[claim], histories={"<u>": ()},
                      environment={"<s>": "<s>"}, verify_command='linnet verify "<q>"')
    page = html(hostile)
    assert not re.search(r"<(script|b|i|u|s|q)>", page)
    assert "&lt;b&gt;$name&lt;/b&gt;" in page


def test_verdicts_are_words_and_not_only_colours(digits: Contents) -> None:
    failing = evidence.size_below(evidence.Size(90_000, spoken().subject), bound_kb=64)
    page = html(replace(digits, claims=[*digits.claims, failing]))
    for word in ("Holds", "Fails", "Undecided"):
        assert f"</span> {word}</span>" in page
    assert 'class="open fails"' in page


def test_the_old_report_survives_a_failure(tmp_path: Path, digits: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    path = report.write(Contents("digits"), tmp_path / "deep" / "report.html")
    old = path.read_text()
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report.write(digits, path)
    assert path.read_text() == old


def test_the_same_contents_give_the_same_page(digits: Contents, page: str) -> None:
    assert html(digits) == page
