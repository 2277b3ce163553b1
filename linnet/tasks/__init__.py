"""What is asked of a model: prepare, decode and score, one file a task.

Knows datasets and scores; knows no network, no engine and no loss beyond its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from linnet.errors import unknown
from linnet.tasks.answer import Answer, answer
from linnet.tasks.assess import Assess
from linnet.tasks.assessing import Assessed, assessed
from linnet.tasks.classify import Classify
from linnet.tasks.detect import Detect
from linnet.tasks.evaluate import evaluate
from linnet.tasks.inputs.spoken import Acoustic
from linnet.tasks.operate import Operated, check_wanted, operate
from linnet.tasks.recognize import Recognize
from linnet.tasks.regress import Regress
from linnet.tasks.tag import Tag
from linnet.tasks.task import Arrays, Predictor, Shape, Task
from linnet.tasks.transcribe import Transcribe
from linnet.tasks.understand import Understand
from linnet.tasks.verify import Verify

TASKS: dict[str, Any] = {"classify": Classify, "tag": Tag, "transcribe": Transcribe, "regress": Regress,
                         "detect": Detect, "assess": Assess, "recognize": Recognize, "understand": Understand,
                         "verify": Verify}


def from_json(value: Mapping[str, Any]) -> Task:
    """The task that wrote `value` with `to_json`."""
    kind = str(value.get("kind"))
    if kind not in TASKS:
        raise unknown("task", kind, TASKS)
    task: Task = TASKS[kind].from_json(value)
    return task


__all__ = ["TASKS", "Acoustic", "Answer", "Arrays", "Assess", "Assessed", "Classify", "Detect", "Operated",
           "Predictor", "Recognize", "Regress", "Shape", "Tag", "Task", "Transcribe", "Understand", "Verify",
           "answer", "assessed", "check_wanted", "evaluate", "from_json", "operate"]
