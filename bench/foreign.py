"""A word n-gram linear model on CLINC150 as a foreign file, beside scikit-learn's own score: python bench/foreign.py

Prints both scores on the in-scope test part, how many answers differ, size and latency of the file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from linnet import data, export, runtime, tasks


def part(folder: Path, name: str) -> data.Dataset:
    """The rows of one file that have an intent in scope."""
    lines = (folder / "clinc150" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["intent"] != "oos"]
    table = pa.table({"id": [f"{name}/{number}" for number in range(len(rows))], "text": [row["text"] for row in rows],
                      "intent": [row["intent"] for row in rows]})
    return data.Dataset("clinc150", table, {"text": data.TextColumn(), "intent": data.label_column(
        sorted({row["intent"] for row in rows}))}, part=name.partition("_")[0])


def main() -> int:
    """Train, adopt, and ask both the whole test part."""
    if not os.environ.get("LINNET_DATA"):
        print("LINNET_DATA is not set: nothing to measure.")
        return 0
    folder = Path(os.environ["LINNET_DATA"])
    train, test = part(folder, "train_full"), part(folder, "test")
    task = tasks.Classify(train, input="text", target="intent", tokenizer=None)
    source = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
                           LinearSVC())
    source.fit(train.values("text"), train.values("intent"))
    own = source.predict(test.values("text"))
    with tempfile.TemporaryDirectory() as place:
        file = runtime.load(export.adopt(source, task, Path(place) / "linear.onnx", samples=test))
        scores = tasks.evaluate(file, task, test)
        [bench] = runtime.bench_many([file.path], seconds=1)
    right = sum(answer == target for answer, target in zip(own, test.values("intent"), strict=True)) / len(test)
    differing = sum(a != b for a, b in zip(own, scores.answers, strict=True))
    print(f"scikit-learn's own accuracy  {right:.4f}")
    print(f"the file's accuracy          {scores.mean:.4f}  ({100 * (scores.mean - right):+.2f} points)")
    print(f"answers that differ          {differing} of {len(test)}")
    print(f"largest difference of scores {file.card.parity.largest_difference:.2g} over {file.card.parity.samples}")
    print(f"size                         {bench.size_bytes / 1e6:.1f} MB;  median {bench.p50_ms:.3f} ms a text, "
          f"{bench.threads} thread, {bench.processor}")
    return 0 if abs(scores.mean - right) <= 0.002 else 1


if __name__ == "__main__":
    sys.exit(main())
