"""A View as JSON for the page: numbers as typed arrays in base64, everything else as plain text."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect import Finding, Findings
from linnet.report.look.linking import samples_of
from linnet.report.look.view import Trait, View

_MOST_CHARACTERS = 160
_MOST_ITEMS = 2000
"""Findings of one look that are listed; the page says how many more there are."""
_MOST_PARTS = 40
"""Entries of a list in a finding's evidence that are shown."""
_TYPES = {"f": "<f4", "u": "<u4", "i": "<i4"}


def packed(view: View, *, served: bool, samples: Mapping[int, Mapping[str, Any]] | None = None,
           seed: int = 0) -> dict[str, Any]:
    """What `look.js` reads. `samples` are the details that a saved page carries, by position."""
    places = {name: at for at, name in enumerate(view.dataset.ids)}
    found = [_findings(one, places, view) for one in view.findings]
    return {"title": view.title, "sentence": view.sentence, "notes": list(view.notes), "target": view.target,
            "rows": len(view.dataset), "ids": view.dataset.ids, "served": served, "explains": view.explain is not None,
            "columns": [column.kind for column in view.dataset.columns.values()],
            "texts": _texts(view), "points": None if view.points is None else array(_framed(view.points)),
            "order": array(np.random.default_rng(seed).permutation(len(view.dataset)).astype(np.uint32)),
            "traits": [_trait(trait) for trait in (*view.traits, *_found(view, found))],
            "findings": [{**one, "items": [{**item, "samples": array(item["samples"])} for item in one["items"]]}
                         for one in found],
            "samples": {str(at): dict(detail) for at, detail in (samples or {}).items()}}


def array(values: NDArray[Any]) -> dict[str, str]:
    """A typed array: its type and its bytes, the least significant first, in base64.

    >>> array(np.array([1, 2], np.uint32))
    {'type': 'u', 'data': 'AQAAAAIAAAA='}
    """
    kind = values.dtype.kind
    return {"type": kind, "data": base64.b64encode(np.ascontiguousarray(values, _TYPES[kind]).tobytes()).decode()}


def script_safe(value: Any) -> str:
    """JSON that can stand inside of a script element: no "<", so that no text in it can end the element.

    >>> script_safe({"a": "</script>"})
    '{"a":"\\\\u003c/script>"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _framed(points: NDArray[Any]) -> NDArray[np.float32]:
    """Moved and scaled so that the longer side goes from 0 to 1; both axes by the same factor."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max()) or 1.0
    return np.asarray((points - low) / side, np.float32)


def _texts(view: View) -> list[str] | None:
    name = next((name for name, column in view.dataset.columns.items() if column.kind == "text"), None)
    if name is None:
        return None
    return [str(text or "")[:_MOST_CHARACTERS] for text in view.dataset.values(name)]


def _trait(trait: Trait) -> dict[str, Any]:
    if trait.names is not None:
        return {"name": trait.name, "names": list(trait.names), "values": array(trait.values.astype(np.uint32))}
    return {"name": trait.name, "names": None, "values": array(trait.values.astype(np.float32))}


def _found(view: View, findings: Sequence[Mapping[str, Any]]) -> list[Trait]:
    """A trait that says of each sample the first look that found something about it."""
    kinds = list(dict.fromkeys(one["kind"] for one in findings if any(len(item["samples"]) for item in one["items"])))
    if not kinds:
        return []
    codes = np.zeros(len(view.dataset), np.uint32)
    for one in reversed(findings):
        for item in one["items"]:
            codes[item["samples"]] = kinds.index(one["kind"]) + 1 if len(item["samples"]) else 0
    return [Trait("finding", codes, ("none", *kinds))]


def _findings(found: Findings, places: Mapping[str, int], view: View) -> dict[str, Any]:
    return {"kind": found.kind, "count": len(found), "facts": _rows(getattr(found, "facts", {})),
            "items": [_item(item, places, view) for item in found.items[:_MOST_ITEMS]]}


def _item(finding: Finding, places: Mapping[str, int], view: View) -> dict[str, Any]:
    return {"subject": finding.subject, "statement": finding.statement, "evidence": _rows(finding.evidence),
            "samples": samples_of(finding, places, view)}


def _rows(evidence: Mapping[str, Any]) -> list[list[str]]:
    """Evidence as a table of two columns, whatever is in it."""
    return [[str(name).replace("_", " "), said(value)] for name, value in evidence.items()]


def said(value: Any) -> str:
    """A plain JSON value in a cell of a table.

    >>> said([0.25, 1, None]), said({"part": "test"})
    ('0.25, 1, not known', 'part: test')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _MOST_PARTS:,} more" if len(value) > _MOST_PARTS else ""
        return ", ".join(map(said, value[:_MOST_PARTS])) + more
    return str(value)
