"""What a case expects, in the form in which the file answers, and what no file of its kind could answer.

It may be written shorter than the file answers: of a list only its elements, with spaces or commas between them; of an
object the fields that matter, or its intent or total alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from linnet.tasks import Recognize, Task, Understand

ALONE = ("intent", "total")
"""The field that a plain text stands for, where the answer is an object."""


def as_answered(task: Task, answer: str, expected: str) -> str:
    """The cell in the form in which the task answers, where that is JSON."""
    if isinstance(task, Recognize):
        return task.grammar.acceptor.spelled(expected) or expected.strip()
    said, wanted = _parsed(answer), _parsed(expected)
    if isinstance(said, dict):
        field = next((name for name in ALONE if name in said), None)
        wanted = {field: _plain(expected)} if wanted is None and field else wanted
        return json.dumps({**said, **wanted} if isinstance(wanted, dict) else wanted, ensure_ascii=False)
    if not isinstance(said, list):
        return expected.strip()
    if wanted is None:
        separator = next((sign for sign in ";|," if sign in expected), None)
        wanted = [part.strip() for part in expected.split(separator) if part.strip()]
    if task.kind == "classify" and isinstance(wanted, list):
        wanted = sorted(map(str, wanted))
    return json.dumps(wanted, ensure_ascii=False)


def strange(task: Task, answer: str, expected: str) -> str:
    """Why no answer of the file could be this one, as far as it can be told; else empty."""
    wanted = _parsed(expected)
    if task.kind == "classify" and _parsed(answer) is None:
        return "" if expected in (*task.labels, getattr(task, "reject", None)) else _unknown(expected)
    if isinstance(task, Recognize):
        is_held = not expected or task.grammar.acceptor.accepts(expected.split())
        return "" if is_held else "the grammar does not hold it, so the file cannot answer it"
    if isinstance(task, Understand):
        return _strange_meaning(task, wanted)
    return _strange_spans(wanted, task.labels) if task.kind in ("detect", "tag") else ""


def _unknown(label: str) -> str:
    return f"the file knows no label '{label}'"


def _strange_meaning(task: Understand, wanted: Any) -> str:
    if not isinstance(wanted, dict):
        return f"{json.dumps(wanted)} is no intent, nor an object with the fields intent and slots"
    if fields := sorted(set(wanted) - {"intent", "slots"}):
        return f"there is no field '{fields[0]}' in an answer, but intent and slots"
    return _unknown(wanted["intent"]) if wanted["intent"] not in task.labels else _strange_spans(wanted["slots"],
                                                                                               task.tag.labels)


def _strange_spans(spans: Any, labels: Collection[str]) -> str:
    for span in spans if isinstance(spans, list) else [spans]:
        label, *ends = span if isinstance(span, list) and len(span) == 3 else (None,)
        if not isinstance(label, str) or not all(isinstance(end, int | float) for end in ends) or ends[0] > ends[1]:
            return f"{json.dumps(span, ensure_ascii=False)} is no [label, start, end]"
        if label not in labels:
            return _unknown(label)
    return ""


def _parsed(text: str) -> Any:
    """The JSON list or object that a text is; None for any other text."""
    if not text.strip().startswith(("[", "{")):
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text.strip()
