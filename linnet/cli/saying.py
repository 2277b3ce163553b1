"""An answer in one line, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linnet.tasks import Answer, Task


def said(task: Task, answer: Answer, sample: Any) -> str:
    """What the task answered to the sample: labels with their probabilities, spans with their places."""
    if answer.probabilities:
        choices = answer.probabilities
        return _several(answer.label, choices) if getattr(task, "choice", "") == "many" else _one(answer.label, choices)
    if task.kind == "tag":
        return _spans(json.loads(answer.label), sample) or "no spans"
    if task.kind == "understand":
        found = json.loads(answer.label)
        return ": ".join(filter(None, (found["intent"], _spans(found["slots"], sample))))
    if task.kind == "detect":
        return ", ".join(f"{label} ({onset / 1000:.2f} to {offset / 1000:.2f} s)"
                         for label, onset, offset in json.loads(answer.label)) or "nothing"
    if task.kind == "transcribe" and answer.label.startswith("["):
        return " ".join(json.loads(answer.label)) or "nothing"
    return answer.label or "nothing"


def _one(label: str, probabilities: Mapping[str, float]) -> str:
    (likeliest, first), (second, other), *_ = probabilities.items()
    likely = f"{likeliest} ({first:.2f}), then {second} ({other:.2f})"
    return likely if likeliest == label else f"{label}; likeliest were {likely}"


def _several(label: str, probabilities: Mapping[str, float]) -> str:
    likely = [f"{name} ({probability:.2f})" for name, probability in probabilities.items()]
    count = len(json.loads(label))
    given = ", ".join(likely[:count])
    return f"{given or 'none'}; next {likely[count]}" if count < len(likely) else given


def _spans(spans: list[Any], text: str) -> str:
    return ", ".join(f"{label} '{text[start:end]}' ({start} to {end})" for label, start, end in spans)
