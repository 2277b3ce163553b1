"""CLINC150 with out-of-scope rows: our file beside a linear SVM of characters and words, at points of validation.

    python bench/speech/clinc150.py --freeze bench/results/speech/baselines/clinc150.json    # the peer, once: 20 CPU s
    linnet run recipes/clinc150-open.yaml
    python bench/speech/clinc150.py --model runs/clinc150-open/clinc150-open.onnx

Trained on `train_full` and its 100 out-of-scope rows (the peer on what is in scope). In-scope accuracy counts turning
down as wrong. A point is the threshold that is best on validation where an out-of-scope row missed costs `missed` times
as much as an in-scope row answered wrongly or turned down. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from linnet import data, runtime, tasks
from linnet.data import Dataset
from linnet.evidence.intervals import binomial
from linnet.tasks.rejecting import Costs, cheapest

MISSED = (1.0, 2.0, 6.0)
BASELINE = Path("bench/results/speech/baselines/clinc150.json")
FIGURES = ("in_scope_accuracy", "out_of_scope_recall")


def peer(parts: data.Splits) -> dict[str, Any]:
    """TF-IDF of 2 to 5 characters within words, and of words and their pairs; one linear SVM a label; the largest."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    model = make_pipeline(make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)), LinearSVC(C=0.5))
    train = parts.train.where(lambda row: row["intent"] != "oos")
    start = time.process_time()
    model.fit(train.values("text"), train.values("intent"))
    spent = time.process_time() - start
    found = {name: judged(model, getattr(parts, name)) for name in ("validation", "test")}
    points = {}
    for missed in MISSED:
        threshold = cheapest(*found["validation"], Costs(missed=missed, rejected=1.0), lowest=-np.inf)
        confidence, right, known = found["test"]
        points[f"missed {missed:g}"] = {"threshold": threshold, **rates(right & (confidence >= threshold),
                                                                      confidence < threshold, known)}
    texts = list(parts.test.values("text"))[:200]
    start = time.process_time()
    for text in texts:
        model.decision_function([text])
    return {"peer": "char + word LinearSVC", "points": points, "cpu_ms": 1000 * (time.process_time() - start) / 200,
            "train_cpu_s": spent, "closed_set": float(right[known].mean())}


def judged(model: Any, part: Dataset) -> tuple[Any, Any, Any]:
    """Each row's largest score, whether its label is right, whether the row is in scope."""
    scores = model.decision_function(part.values("text"))
    expected = np.array(part.values("intent"))
    return scores.max(axis=1), model.classes_[scores.argmax(axis=1)] == expected, expected != "oos"


def rates(right: Any, rejected: Any, known: Any) -> dict[str, list[float]]:
    """Both figures with their 95 % intervals."""
    pairs = zip(FIGURES, (right[known], rejected[~known]), strict=True)
    return {name: [float(rows.mean()), *binomial(int(rows.sum()), len(rows), 0.95)] for name, rows in pairs}


def ours(path: Path, parts: data.Splits) -> dict[str, Any]:
    """The file at its own operating point, and at the others chosen again on validation; time of one text."""
    file = runtime.load(path)
    task = file.task
    assert isinstance(task, tasks.Classify)
    points = {"as it ships": task} | {
        f"missed {missed:g}": tasks.operate(task, file, parts.validation, costs={"missed": missed, "rejected": 1.0})
        for missed in MISSED}
    found: dict[str, Any] = {}
    for name, at in points.items():
        scores = tasks.evaluate(file, at, parts.test)
        known = np.array(scores.targets) != "oos"
        found[name] = {**at.operating, **rates(scores.score.astype(bool), np.array(scores.answers) == "oos", known)}
    closed = tasks.evaluate(file, task.at(threshold=0.0), parts.test.where(lambda row: row["intent"] != "oos"))
    texts = list(parts.test.values("text"))[:300]
    for text in texts[:50]:
        task.decode(file(task.prepare([text])))
    start = time.process_time()
    for text in texts:
        task.decode(file(task.prepare([text])))
    return {"peer": f"bag, {file.size.bytes / 1e6:.2f} MB", "points": found,
            "cpu_ms": 1000 * (time.process_time() - start) / len(texts), "closed_set": float(closed.score.mean())}


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = ["| model | point | in-scope accuracy | out-of-scope recall | CPU ms a text | never turning down |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        for name, point in row["points"].items():
            cells = [f"{100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f})" for mean, low, high in
                     (point[figure] for figure in FIGURES)]
            lines.append(f"| {row['peer']} | {name} | {cells[0]} | {cells[1]} | {row['cpu_ms']:.2f} | "
                         f"{100 * row['closed_set']:.1f} |")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--freeze", type=Path)
    asked.add_argument("--model", type=Path)
    given = asked.parse_args()
    parts = data.load("clinc150").split(parts="split")
    if given.freeze:
        given.freeze.parent.mkdir(parents=True, exist_ok=True)
        given.freeze.write_text(json.dumps(peer(parts), indent=1) + "\n")
    rows = [json.loads((given.freeze or BASELINE).read_text())]
    print(table([*rows, ours(given.model, parts)] if given.model else rows))


if __name__ == "__main__":
    main()
