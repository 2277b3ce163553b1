"""traces: which names, ids and texts of the data stand in what is about to be given away."""

from __future__ import annotations

import html
import json
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

    As letters count what HTML and JSON write for them ("O&#x27;Brien"); what is missing (None) is no value.

    Not for: names written otherwise, faces, voices. Values under three letters are left out, and counted in facts.

    >>> found = traces({"card": "recordings of the held-out speaker theo"}, {"speaker": ["theo", "lucas"]})
    >>> found.subjects, found.items[0].evidence["examples"]
    (('speaker in card',), ['theo'])
    """
    if not isinstance(given, Mapping) or not isinstance(values, Mapping):
        raise LinnetError("traces takes texts by name, and columns by name; got "
                          f"{type(given).__name__} and {type(values).__name__}.")
    for name, text in given.items():
        if not isinstance(text, str):
            raise LinnetError(f"'{name}' is {type(text).__name__}; expected a text, such as a page or a card as JSON.")
    texts = {str(name): text.casefold() for name, text in given.items()}
    found, short = [], {}
    for column, column_values in values.items():
        if isinstance(column_values, str):
            raise LinnetError(f"'{column}' is one text; expected a list of values.")
        distinct = {str(value).casefold(): str(value) for value in column_values if value is not None}
        known = sorted(value for value in distinct if len(value) >= _SHORTEST)
        short[str(column)] = len(distinct) - len(known)
        forms = {value: {value, *_written(distinct[value])} for value in known}
        for name, text in texts.items():
            there = [value for value in known if any(form in text for form in forms[value])]
            if there:
                found.append(Finding(f"{column} in {name}", f"{len(there)} of {len(known)} values of {column} stand in "
                                     f"{name}.", {"values": len(there), "of": len(known),
                                                  "examples": there[:_EXAMPLES]}))
    found.sort(key=lambda one: -one.evidence["values"] / one.evidence["of"])
    return Findings("traces", tuple(found), {"texts": sorted(texts), "too_short": short})


def _written(value: str) -> set[str]:
    """What a page and JSON write for it, upper and lower case alike."""
    return {html.escape(value).casefold(), json.dumps(value)[1:-1].casefold()}
