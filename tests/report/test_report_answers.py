from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from report_contents import digits, scores

from linnet.report.answers import examples, figures, is_one_label, mistakes
from linnet.report.contents import Contents


@dataclass(frozen=True)
class Slots:
    """As much of a task as the report asks."""

    kind: str = "tag"
    loss: str = "token_cross_entropy"
    target: str = "slot"
    labels: tuple[str, ...] = ("artist",)
    arrays: Any = None

    def metrics(self, answers: Any, expected: Any) -> dict[str, float]:
        return {"slot_f1": 0.93, "answers": len(answers)}


def slots() -> Contents:
    some = scores({"ann": 0.5}, 40)
    wrong = replace(some, answers=['[["artist", 0, 4]]'] * 40, targets=["[]"] * 40, score=np.zeros(40))
    return Contents("slots", task=Slots(), after=wrong)  # type: ignore[arg-type]


def test_further_figures_stand_in_a_table_where_the_task_has_them() -> None:
    page = str(figures(slots()))
    assert "slot f1" in page
    assert "0.93" in page
    assert figures(digits()) == ""


def test_spans_are_not_confused_with_one_another() -> None:
    assert not is_one_label(slots())
    assert mistakes(slots()) == ""
    assert "What it mixes up" in str(mistakes(digits()))


def test_wrong_answers_are_shown_spread_over_the_part_and_counted() -> None:
    page = str(examples(slots()))
    assert "12 of the 40 samples that it got wrong" in page
    assert "artist" in page
    one = digits().after
    assert one is not None
    assert examples(Contents("all right", after=replace(one, score=np.ones(len(one))))) == ""
