"""Findings of every kind without a picture of its own: what was seen, one sentence each, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linnet.introspect import Findings
from linnet.report.contents import Contents
from linnet.report.markup import Html, join, section, tag

DRAWN = ("redundancy", "sensitivity", "confusions")
"""Kinds that have a section of their own."""
_SHOWN, _LONG = 20, 120


def found(contents: Contents) -> Html:
    """A heading a look, its first findings as sentences, how many more there are, and the facts of the look."""
    parts = [_look(name, findings) for name, findings in contents.findings.items() if findings.kind not in DRAWN]
    return section("What else was seen", *parts)


def _look(name: str, findings: Findings) -> Html:
    kind = findings.kind.replace("_", " ")
    shown = tag("ul", *(tag("li", item.statement) for item in findings.items[:_SHOWN]))
    more = len(findings) - _SHOWN
    said = [f"and {more:,} more" if more > 0 else "", facts(findings.facts)]
    return join([tag("h3", name if name == kind else f"{name}: {kind}"),
                 shown if len(findings) else tag("p", "Looked, and found nothing."),
                 tag("p", "; ".join(one for one in said if one), class_="note")])


def facts(given: Mapping[str, Any]) -> str:
    """The facts of a look in a line; what is too long for one is left to the JSON.

    >>> facts({"rows": 12000, "rate": 0.05, "method": "exact"})
    'rows: 12,000; rate: 0.05; method: exact'
    """
    told = [(name.replace("_", " "), _plain(value)) for name, value in given.items() if not isinstance(value, dict)]
    return "; ".join(f"{name}: {value}" for name, value in told if 0 < len(value) <= _LONG)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    if isinstance(value, list):
        two = len(value) == 2 and not any(isinstance(one, str) for one in value)
        return (" to " if two else ", ").join(map(_plain, value))
    return str(value or "")
