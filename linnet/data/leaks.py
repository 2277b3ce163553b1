"""Refusing what is in two parts at once, or saying it, and listing it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from linnet.errors import LinnetError

SHOWN = 10
"""How many offenders an error names before it only counts them."""
_log = logging.getLogger("linnet")


def refuse_crossing(what: str, seen: Mapping[str, Mapping[str, str]], advice: str) -> None:
    """Raises LinnetError where two parts have a key in common; `seen` maps a part's keys to the ids that hold them."""
    crossing = [f"{seen[one][key]} ({one}) = {seen[other][key]} ({other})"
                for one, other in itertools.combinations(seen, 2) for key in sorted(set(seen[one]) & set(seen[other]))]
    if crossing:
        raise LinnetError(f"the splits leak: the same {what} is in two of them, {len(crossing)} times: "
                          f"{listed(crossing)}. {advice}")


def say_crossing(column: str, seen: Mapping[str, Mapping[str, str]]) -> None:
    """Warns, with the count and an example, where two parts have a text in common."""
    for one, other in itertools.combinations(seen, 2):
        both = sorted(set(seen[one]) & set(seen[other]))
        if both:
            _log.warning("%d different texts of '%s' are in %s and in %s, such as '%.60s' (%s and %s); they are kept. "
                         "To leave them out, call dataset.distinct('%s') before splitting",
                         len(both), column, one, other, both[0], seen[one][both[0]], seen[other][both[0]], column)


def listed(names: Sequence[Any]) -> str:
    """The first ten, and how many more there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(str(name) for name in names[:SHOWN]) + more
