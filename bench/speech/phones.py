"""Phone error rate of shipped files on the test speakers of speechocean762, and what 8 bits cost, with intervals.

    PYTHONPATH=. python bench/speech/phones.py float.onnx int8.onnx [--part validation] [--keep FOLDER] [--prove]

All utterances of the part, phones without stress; the first file is the one that others are held against. Intervals
are percentiles of 1,000 draws of whole speakers; the claim is `evidence.no_worse` on the share of right phones of each
utterance (1 less its error rate, at least 0), exact for every n. `--prove` writes it into the other files. CPU time is
that of one thread on the first 100 utterances, one at a time. `--keep` keeps a file's logits. Needs LINNET_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray

from linnet import data, evidence, export, runtime, tasks
from linnet.evidence import Scores
from linnet.tasks import Arrays
from linnet.tasks.figures import edit_distance

DRAWS, MARGIN, TIMED = 1000, 0.01, 100


class Kept:
    """A file whose logits are kept by recording, in the order in which `evaluate` asks for them, one at a time."""

    def __init__(self, shipped: runtime.Shipped, ids: list[str], file: Path | None) -> None:
        self.shipped, self.ids, self.file, self.next = shipped, ids, file, 0
        self.identity, self.name = shipped.identity, shipped.path.stem
        self.logits: dict[str, NDArray[np.float32]] = dict(np.load(file)) if file and file.exists() else {}

    def __call__(self, arrays: Arrays) -> Arrays:
        name = self.ids[self.next]
        self.next += 1
        if name not in self.logits:
            self.logits[name] = self.shipped(arrays)["logits"][0].astype(np.float16)
        return {"logits": self.logits[name][None].astype(np.float32)}

    def save(self) -> None:
        """Write what was heard."""
        if self.file:
            np.savez(self.file, **self.logits)


def errors(scores: Scores) -> NDArray[np.float64]:
    """(rows, 2): edits and phones of each utterance."""
    pairs = [(json.loads(a), json.loads(e)) for a, e in zip(scores.answers, scores.targets, strict=True)]
    return np.array([(edit_distance(a, e), len(e)) for a, e in pairs], np.float64)


def rate(counts: NDArray[np.float64]) -> float:
    """Edits over phones."""
    return float(counts[:, 0].sum() / counts[:, 1].sum())


def draws(speakers: NDArray[np.str_]) -> list[NDArray[np.int64]]:
    """Rows of whole speakers, drawn with replacement."""
    rng = np.random.default_rng(0)
    each = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]
    return [np.concatenate([each[pick] for pick in rng.integers(0, len(each), len(each))]) for _ in range(DRAWS)]


def real_time(shipped: runtime.Shipped, part: data.Dataset) -> float:
    """CPU seconds a second of sound, of the network alone."""
    sounds = part.take(range(min(TIMED, len(part)))).decode("audio")
    asked = [shipped.task.prepare([sound]) for sound in sounds]
    shipped(asked[0])
    start = time.process_time()
    for arrays in asked:
        shipped(arrays)
    return (time.process_time() - start) / sum(sound.seconds for sound in sounds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--part", default="test", choices=["validation", "test"])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--prove", action="store_true")
    asked = parser.parse_args()
    splits = data.load("speechocean762", validation=True, stress=False).split(parts="split", by="speaker")
    part: data.Dataset = getattr(splits, asked.part)
    speakers = np.array(list(map(str, part.values("speaker"))))
    picked = draws(speakers)
    print(f"| {len(part)} utterances of {len(set(speakers))} speakers | parameters | kB | PER | against the first | "
          "CPU s a second |\n|---|---|---|---|---|---|", flush=True)
    first: tuple[Scores, NDArray[np.float64]] | None = None
    for path in asked.files:
        shipped = runtime.load(path)
        keeping = Kept(shipped, part.ids, asked.keep and asked.keep / f"{asked.part}-{shipped.identity[:12]}.npz")
        scores = tasks.evaluate(keeping, shipped.task, part, batch=1)
        keeping.save()
        counts = errors(scores)
        low, high = np.percentile([rate(counts[rows]) for rows in picked], [2.5, 97.5])
        than = ""
        if first is not None:
            apart = [rate(counts[rows]) - rate(first[1][rows]) for rows in picked]
            low_apart, high_apart = np.percentile(apart, [2.5, 97.5])
            than = f"{rate(counts) - rate(first[1]):+.4f} ({low_apart:+.4f} to {high_apart:+.4f})"
        print(f"| {path.name} | {shipped.card.parameters:,} | {path.stat().st_size / 1000:.0f} | {rate(counts):.4f} "
              f"({low:.4f} to {high:.4f}) | {than} | {real_time(shipped, part):.4f} |", flush=True)
        if first is None:
            first = scores, counts
        else:
            claim = evidence.no_worse(scores, first[0], margin=MARGIN)
            print(f"\n{claim.statement} {claim.verdict}.\n", flush=True)
            if asked.prove:
                export.prove(path, [claim])


if __name__ == "__main__":
    main()
