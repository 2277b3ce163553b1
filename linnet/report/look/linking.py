"""Which samples a finding speaks of, whatever look it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect import Finding
from linnet.report.look.view import Trait, View

_NAMING = ("id", "ids", "sample", "samples", "pair", "members", "first", "second", "copies")
"""Keys of evidence under which looks name samples."""
_ONE = ("id", "sample", "first", "second")
"""Those under which a number is a sample's id, and not how many there are."""
_EXAMPLES = "examples"
"""A key that names some of them, taken where nothing says all."""
_BETWEEN = " & "


def samples_of(finding: Finding, places: Mapping[str, int], view: View) -> NDArray[np.uint32]:
    """Positions of the samples that a finding names, or that its slice or confusion describes; empty for a layer's.

    `places` maps the id of each sample to its position. A subject names a sample, several with " & " between, or
    values of columns ("speaker=theo & digit=3"); evidence names a target beside an answer, or samples by their ids.
    """
    wanted = _wanted(finding, view)
    known = {trait.name: trait for trait in view.traits if trait.names is not None}
    if wanted and set(wanted) <= set(known):
        has_all = np.logical_and.reduce([_has(known[name], value) for name, value in wanted.items()])
        return np.flatnonzero(has_all).astype(np.uint32)
    named = [finding.subject, *finding.subject.split(_BETWEEN)]
    named += [name for key in _NAMING for name in _strings(finding.evidence.get(key), is_one=key in _ONE)]
    found = dict.fromkeys(places[name] for name in named if name in places)
    if not found:
        found = dict.fromkeys(places[name] for name in _strings(finding.evidence.get(_EXAMPLES)) if name in places)
    return np.array(list(found), np.uint32)


def _wanted(finding: Finding, view: View) -> dict[str, str]:
    """Values by column; empty where the finding is not about such."""
    evidence = finding.evidence
    if {"target", "answer"} <= evidence.keys():
        return {view.target: str(evidence["target"]), "answer": str(evidence["answer"])}
    parts = [part.partition("=") for part in finding.subject.split(_BETWEEN)]
    if not all(sign for _, sign, _ in parts):
        return {}
    return {view.target if name == "target" else name: value for name, _, value in parts}


def _has(trait: Trait, value: str) -> NDArray[np.bool_]:
    names = trait.names or ()
    return np.asarray(trait.values == (names.index(value) if value in names else -1), np.bool_)


def _strings(value: Any, *, is_one: bool = False) -> Iterator[str]:
    if isinstance(value, str) or (is_one and isinstance(value, int) and not isinstance(value, bool)):
        yield str(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one, is_one=True)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
