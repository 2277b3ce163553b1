"""How the shipped file answered: the field's further figures, what it mixes up, and samples that it got wrong."""

from __future__ import annotations

import json

from linnet.evidence import Scores
from linnet.introspect import confusions
from linnet.report import charts
from linnet.report.contents import Contents
from linnet.report.markup import Html, chart, join, section, table, tag

_EXAMPLES = 12
_LONGEST = 160


def figures(contents: Contents) -> Html:
    """What the task measures besides right and wrong (slot F1, token error rate ...), before and after."""
    sides = {"before": contents.before, "the file that ships": contents.after}
    found = {name: contents.task.metrics(scores.answers, scores.targets) for name, scores in sides.items()
             if scores is not None and contents.task is not None}
    found = {name: metrics for name, metrics in found.items() if metrics}
    if not found:
        return Html("")
    names = [name for name in next(iter(found.values())) if all(name in metrics for metrics in found.values())]
    rows = [[side, *(f"{metrics[name]:.4g}" for name in names)] for side, metrics in found.items()]
    head = ["", *(name.replace("_", " ") for name in names)]
    note = tag("p", "Over all samples of the test part; without intervals, unlike the claims.", class_="note")
    return section("Further figures", table(head, rows, numbers=range(1, len(head))), note)


def mistakes(contents: Contents) -> Html:
    """The confusion matrix and the most frequent mistakes of the shipped file; then those of other models, by step."""
    drawn: list[tuple[str, charts.Figure | None]] = []
    if contents.after is not None and contents.task is not None and is_one_label(contents):
        drawn += [("", charts.confusion(contents.after, contents.task.labels)),
                  ("", charts.worst_confusions(confusions(contents.after)))]
    drawn += [(name, charts.worst_confusions(findings)) for name, findings in contents.findings.items()
              if findings.kind == "confusions"]
    return section("What it mixes up", *(join([tag("h3", name) if name else "", chart(figure)])
                                         for name, figure in drawn if figure))


def examples(contents: Contents) -> Html:
    """Some samples that the shipped file got wrong, spread over the test part: what was right, what was answered."""
    scores = contents.after
    wrong = _wrong(scores) if scores is not None else []
    if scores is None or not wrong:
        return Html("")
    shown = [wrong[place * len(wrong) // min(_EXAMPLES, len(wrong))] for place in range(min(_EXAMPLES, len(wrong)))]
    rows = [[scores.ids[row], _short(scores.targets[row]), _short(scores.answers[row])] for row in shown]
    told = f"{len(shown)} of the {len(wrong):,} samples that it got wrong; after.parquet in the run holds all."
    return section("Samples that it got wrong", tag("p", told, class_="note"),
                   table(["sample", "right", "answered"], rows))


def is_one_label(contents: Contents) -> bool:
    """Whether each answer is one label, so that labels can be confused."""
    task = contents.task
    return task is not None and task.kind == "classify" and task.loss != "binary_cross_entropy"


def _wrong(scores: Scores) -> list[int]:
    return [row for row, score in enumerate(scores.score) if score < 1]


def _short(answer: str) -> str:
    """Structured answers in a readable form, cut where they are long."""
    try:
        value = json.loads(answer)
    except ValueError:
        value = answer
    text = " ".join(str(part) for part in value) if isinstance(value, list) and all(
        isinstance(part, str) for part in value) else answer
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
