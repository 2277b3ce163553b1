"""SNIPS: intents and slots of one file, beside a linear SVM for the intents.

    python bench/speech/snips.py --freeze bench/results/speech/baselines/snips.json    # the peer, once: 20 CPU s
    linnet run recipes/snips-understand.yaml
    python bench/speech/snips.py --model runs/snips-understand/snips-understand.onnx

Trained on `train.jsonl` without its last 100 rows an intent, which are validation; 700 test texts. The peer reads the
same rows. Slot F1 counts exact spans with their labels. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from linnet import data, runtime, tasks
from linnet.evidence.intervals import binomial

BASELINE = Path("bench/results/speech/baselines/snips.json")


def peer(parts: data.Splits) -> dict[str, Any]:
    """TF-IDF of 2 to 5 characters within words, and of words and their pairs; one linear SVM an intent."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    model = make_pipeline(make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)), LinearSVC(C=0.5))
    start = time.process_time()
    model.fit(parts.train.values("text"), parts.train.values("intent"))
    spent = time.process_time() - start
    right = int((model.predict(parts.test.values("text")) == parts.test.values("intent")).sum())
    texts = list(parts.test.values("text"))[:200]
    start = time.process_time()
    for text in texts:
        model.predict([text])
    return {"model": "char + word LinearSVC", "intents": _share(right, len(parts.test)), "slots": None,
            "cpu_ms": 1000 * (time.process_time() - start) / 200, "train_cpu_s": spent}


def ours(path: Path, parts: data.Splits) -> dict[str, Any]:
    """Both figures of the file, and the time of one text with its decoding."""
    file = runtime.load(path)
    scores = tasks.evaluate(file, file.task, parts.test)
    figures = file.task.metrics(scores.answers, scores.targets)
    texts = list(parts.test.values("text"))[:200]
    start = time.process_time()
    for text in texts:
        file.task.decode(file(file.task.prepare([text])), [text])
    return {"model": f"{file.name}, {file.size.bytes / 1e6:.2f} MB", "slots": figures["slot_f1"],
            "intents": _share(round(figures["intent_accuracy"] * len(scores)), len(scores)),
            "whole": float(scores.score.mean()), "cpu_ms": 1000 * (time.process_time() - start) / len(texts)}


def _share(right: int, rows: int) -> list[float]:
    return [right / rows, *binomial(right, rows, 0.95)]


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = ["| model | intents | slot F1 | all right | CPU ms a text |", "|---|---|---|---|---|"]
    for row in rows:
        mean, low, high = (100 * value for value in row["intents"])
        slots, whole = (f"{row[name]:.3f}" if row.get(name) is not None else "-" for name in ("slots", "whole"))
        lines.append(f"| {row['model']} | {mean:.1f} ({low:.1f} to {high:.1f}) | {slots} | {whole} | "
                     f"{row['cpu_ms']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--freeze", type=Path)
    asked.add_argument("--model", type=Path, action="append", default=[])
    given = asked.parse_args()
    parts = data.load("snips").split(parts="split")
    if given.freeze:
        given.freeze.parent.mkdir(parents=True, exist_ok=True)
        given.freeze.write_text(json.dumps(peer(parts), indent=1) + "\n")
    rows = [json.loads((given.freeze or BASELINE).read_text())]
    print(table([*rows, *(ours(path, parts) for path in given.model)]))


if __name__ == "__main__":
    main()
