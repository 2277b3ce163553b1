"""One label in five is wrong: found, repaired, and the gain certified. python docs/stories/dirty_labels.py [--small]

scikit-learn's handwritten digits; 20 % of the training labels are flipped on purpose, so that it is known what should
be found. Writes into --folder: what people are to check (queue.csv), the file with its claim (repaired.onnx), the table
for a paper (table.tex), the picture (gain.svg) and the findings (doubtful.json, for `linnet look`).
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from linnet import data, evidence, export, introspect, nn, runtime, tasks, train
from linnet.evidence.intervals import binomial
from linnet.report.booktabs import booktabs, escape
from linnet.report.charts import altair, svg

NOISE, RATE, LEVEL = 0.2, 0.1, 0.95


def flipped(dataset: data.Dataset, share: float, seed: int) -> tuple[data.Dataset, set[str]]:
    """The dataset with this share of its labels replaced by another digit, and whose they are."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(dataset), round(share * len(dataset)), replace=False)
    given = dict(zip(dataset.ids, dataset.values("digit"), strict=True))
    wrong = {dataset.ids[row]: str((int(given[dataset.ids[row]]) + random.integers(1, 10)) % 10) for row in rows}
    labels = {name: wrong.get(name, digit) for name, digit in given.items()}
    ids = iter(dataset.ids)
    return dataset.map("digit", lambda _: labels[next(ids)], name="digit", kind="label"), set(wrong)


def learned(name: str, splits: data.Splits, epochs: int, folder: Path) -> evidence.Scores:
    """Train plainly to the end, export, and score the very file on the test part, whose labels nobody touched."""
    task = tasks.Classify(splits, input="image", target="digit")
    model = train.fit(nn.zoo.smallcnn(task, seed=0), task, splits, epochs=epochs, seed=0,
                      options=train.Options(label_smoothing=0.0, keep="last"))
    model = replace(model, name=f"the one from {name} labels")
    file = export.write(model, task, folder / f"{name}.onnx", samples=splits.validation)
    return tasks.evaluate(runtime.load(file), task, splits.test)


def main() -> None:
    """The story, from finding to repair to certified gain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("runs/dirty-labels"))
    parser.add_argument("--small", action="store_true", help="few epochs, for a quick look")
    given = parser.parse_args()
    logging.getLogger("linnet").setLevel(logging.ERROR)
    given.folder.mkdir(parents=True, exist_ok=True)
    epochs = 8 if given.small else 30

    clean = data.load("handwritten").split(seed=0)
    dirty, wrong = flipped(clean.train, NOISE, seed=0)
    watch, _ = flipped(clean.validation, NOISE, seed=1)
    task = tasks.Classify(data.Splits(dirty, watch, clean.test), input="image", target="digit")
    asked = train.out_of_fold(nn.zoo.smallcnn(task, seed=0), task, dirty, folder=given.folder / "folds",
                              how={"epochs": epochs, "augment": "handwriting"})
    found = introspect.label_issues(asked.probabilities, asked.given, names=asked.names, ids=asked.ids, rate=RATE)
    (given.folder / "doubtful.json").write_text(json.dumps(found.to_json()))
    introspect.write_queue(dirty, found, given.folder / "queue.csv", column="digit")
    hits = len(wrong & set(found.subjects))
    print(f"{len(found)} labels doubted; {hits} of them were flipped. Flipped and missed: {len(wrong) - hits}.")

    repaired = introspect.relabel(dirty, found, column="digit")
    trained = {"dirty": dirty, "repaired": repaired, "clean": clean.train}
    scores = {name: learned(name, data.Splits(part, watch, clean.test), 3 * epochs, given.folder)
              for name, part in trained.items()}
    export.prove(given.folder / "repaired.onnx", [evidence.better(scores["repaired"], scores["dirty"], level=LEVEL)])
    (claim,) = runtime.load(given.folder / "repaired.onnx").claims
    print(f"{claim.verdict}: {claim.statement}")
    tell(given.folder, scores)


def tell(folder: Path, scores: dict[str, evidence.Scores]) -> None:
    """The table as text and as LaTeX, the picture as SVG."""
    rows = [(name, len(one), int(one.score.sum()), *binomial(int(one.score.sum()), len(one), LEVEL))
            for name, one in scores.items()]
    print("\n| training labels | right | of | share (95 %) |\n|---|---|---|---|")
    for name, of, right, low, high in rows:
        print(f"| {name} | {right} | {of} | {right / of:.3f} ({low:.3f} to {high:.3f}) |")
    cells = [[escape(name), str(right), str(of), f"{right / of:.3f}", f"$[{low:.3f},\\,{high:.3f}]$"]
             for name, of, right, low, high in rows]
    (folder / "table.tex").write_text(booktabs(
        ["Training labels", "Right", "Of", "Share", r"95\,\% interval"], cells, label="tab:dirty-labels",
        caption=r"Clean test images named by the same network, trained on labels of which 20\,\% were flipped, on the "
                "labels repaired by what introspection found, and on clean labels."))
    drawn = altair()
    table = drawn.Data(values=[{"labels": name, "share": right / of, "low": low, "high": high}
                               for name, of, right, low, high in rows])
    base = drawn.Chart(table).encode(y=drawn.Y("labels:N", sort=[row[0] for row in rows], title="training labels"))
    dots = base.mark_point(filled=True, size=80, color="#2455a4").encode(
        x=drawn.X("share:Q", scale=drawn.Scale(zero=False), title="right, of the clean test images"))
    lines = base.mark_rule(color="#2455a4").encode(x="low:Q", x2="high:Q")
    (folder / "gain.svg").write_text(svg((lines + dots).properties(width=420, height=110)))


if __name__ == "__main__":
    main()
