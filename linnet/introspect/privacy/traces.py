"""traces: which names, ids and texts of the data stand in what is about to be given away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linnet.errors import LinnetError
from linnet.introspect.findings import Finding, Findings

_SHORTEST = 3
"""Shorter values stand in any text by chance."""
_EXAMPLES = 5


def traces(given: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> Findings:
    """Findings of kind "traces": columns of the data whose values stand in a report, a card or a claim.

    `given` are texts by name (`card.model_dump_json()`, a page's HTML); `values` columns by name: ids, speakers,
    transcripts. Values are looked for as they are, letter by letter, upper or lower case alike. A packed claim is
    looked into by giving its ids (`claim.than.unpack()`) as a text.

    Not for: names written otherwise, faces, voices. Values under three letters are left out, and counted in facts.

    >>> found = traces({"card": "recordings of the held-out speaker theo"}, {"speaker": ["theo", "lucas"]})
    >>> found.subjects, found.items[0].evidence["examples"]
    (('speaker in card',), ['theo'])
    """
    for name, text in given.items():
        if not isinstance(text, str):
            raise LinnetError(f"'{name}' is {type(text).__name__}; expected a text, such as a page or a card as JSON.")
    found, short = [], {}
    for column, column_values in values.items():
        distinct = sorted({str(value).casefold() for value in column_values})
        known = [value for value in distinct if len(value) >= _SHORTEST]
        short[column] = len(distinct) - len(known)
        for name, text in given.items():
            there = [value for value in known if value in text.casefold()]
            if there:
                found.append(Finding(f"{column} in {name}", f"{len(there)} of {len(known)} values of {column} stand in "
                                     f"{name}.", {"values": len(there), "of": len(known),
                                                  "examples": there[:_EXAMPLES]}))
    found.sort(key=lambda one: -one.evidence["values"] / one.evidence["of"])
    return Findings("traces", tuple(found), {"texts": sorted(given), "too_short": short})
