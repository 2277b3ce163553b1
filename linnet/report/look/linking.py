"""Which samples a finding speaks of, whatever look it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect import Finding
from linnet.report.look.view import Trait, View

_NAMING = ("id", "ids", "sample", "samples", "pair", "members", "first", "second", "copies", "neighbours", "examples")
"""Keys of evidence under which looks name samples."""
_WHERE = ("where", "slice")
"""Keys of evidence that hold {column: value}: every sample that has them."""
_BETWEEN = re.compile(r" & ")


def samples_of(finding: Finding, places: Mapping[str, int], view: View) -> NDArray[np.uint32]:
    """Positions of the samples that a finding names, or that its slice or confusion describes; empty for a layer's.

    `places` maps the id of each sample to its position. A subject names a sample or several with " & " between.
    """
    evidence = finding.evidence
    described = _described(evidence, view)
    if described is not None:
        return np.flatnonzero(described).astype(np.uint32)
    named = [*_BETWEEN.split(finding.subject), *_named(evidence)]
    found = dict.fromkeys(places[name] for name in named if name in places)
    return np.array(list(found), np.uint32)


def _described(evidence: Mapping[str, Any], view: View) -> NDArray[np.bool_] | None:
    wanted: dict[str, Any] = {}
    if {"target", "answer"} <= evidence.keys():
        wanted = {view.target: evidence["target"], "answer": evidence["answer"]}
    for key in _WHERE:
        if isinstance(evidence.get(key), Mapping):
            wanted |= evidence[key]
    known = {trait.name: trait for trait in view.traits if trait.names is not None}
    if not wanted or not set(wanted) <= set(known):
        return None
    masks = [_has(known[name], value) for name, value in wanted.items()]
    return np.asarray(np.logical_and.reduce(masks), np.bool_)


def _has(trait: Trait, value: Any) -> NDArray[np.bool_]:
    """Which samples have the value, or one of a list of them."""
    values = value if isinstance(value, list | tuple) else [value]
    codes = [at for at, name in enumerate(trait.names or ()) if name in set(map(str, values))]
    return np.isin(trait.values, codes)


def _named(evidence: Mapping[str, Any]) -> Iterator[str]:
    for key, value in evidence.items():
        if key in _NAMING:
            yield from _strings(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
