"""A word n-gram linear model on CLINC150 as a foreign file, beside scikit-learn's own score: python bench/foreign.py

Prints both scores on the in-scope test part, how many answers differ, size and latency of the file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from linnet import data, export, runtime, tasks


def main() -> int:
    """Train, adopt, and ask both the whole test part."""
    if not os.environ.get("LINNET_DATA"):
        print("LINNET_DATA is not set: nothing to measure.")
        return 0
    parts = data.load("clinc150", oos=False).split(parts="split")
    train, test = parts.train, parts.test
    task = tasks.Classify(parts, input="text", target="intent", tokenizer=None)
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
