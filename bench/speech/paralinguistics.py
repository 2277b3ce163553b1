"""For whom recipes/speechocean762-{gender,age,fluency,prosodic} are right, beside rules that learn nothing.

    LINNET_DATA=DATA python bench/speech/paralinguistics.py FILE.onnx [FILE.onnx ...]

Files are those that the recipes write. The test part, by gender and age group; intervals of the correlation are of
1,000 draws of whole speakers. The rule for gender is a median pitch above 165 Hz in the middle two seconds, those for
the rest are the most frequent answer of the training part.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from linnet import data, runtime, tasks
from linnet.data import Dataset
from linnet.speech import prosody

LIMIT_HZ, DRAWS = 165.0, 1000


def main() -> None:
    whole = data.load("speechocean762", validation=True)
    for path in map(Path, sys.argv[1:]):
        shipped = runtime.load(path)
        task = shipped.task
        parts = [whole.where(split=split) for split in ("train", "test")]
        if isinstance(task, tasks.Regress):
            parts = [part.where(approximate="no") for part in parts]
        train, test = parts
        scores = tasks.evaluate(shipped, task, test)
        rule = by_pitch(test) if task.target == "gender" else most_frequent(train, test, task.target)
        print(f"\n**{task.target}**, {path.stat().st_size / 1000:.0f} KB, {len(test):,} test recordings\n")
        graded = isinstance(task, tasks.Regress)
        print(f"| group | speakers | recordings | right | rule |{' correlation |' if graded else ''}\n"
              f"|---|---|---|---|---|{'---|' if graded else ''}")
        ages, genders, speakers = (np.array(scores.groups[name]) for name in ("age_group", "gender", "speaker"))
        groups = {"all": np.ones(len(test), bool)} | {
            f"{age}, {gender}": (ages == age) & (genders == gender) for age in ("adult", "child") for gender in "fm"}
        for name, rows in groups.items():
            right = f"{100 * scores.score[rows].mean():.1f} % | {100 * rule[rows].mean():.1f} %"
            line = f"| {name} | {len(set(speakers[rows]))} | {rows.sum():,} | {right} |"
            if graded:
                answers, targets = (np.array(values, float)[rows] for values in (scores.answers, scores.targets))
                low, high = interval(answers, targets, speakers[rows])
                line += f" {np.corrcoef(answers, targets)[0, 1]:.3f} ({low:.3f} to {high:.3f}) |"
            print(line, flush=True)


def by_pitch(test: Dataset) -> np.ndarray:
    """Whether the rule is right, (rows,)."""
    right = []
    for row, gender in enumerate(test.values("gender")):
        sound = test.media("audio", row)
        samples = np.asarray(sound.samples, np.float32).reshape(-1)
        start = max(0, len(samples) // 2 - sound.sample_rate_hz)
        heard = prosody.pitch(samples[start : start + 2 * sound.sample_rate_hz], sound.sample_rate_hz)
        voiced = heard.hz[heard.is_voiced]
        right.append(len(voiced) > 0 and (np.median(voiced) > LIMIT_HZ) == (gender == "f"))
    return np.array(right, float)


def most_frequent(train: Dataset, test: Dataset, target: str) -> np.ndarray:
    ((answer, _),) = Counter(train.values(target)).most_common(1)
    return np.array([value == answer for value in test.values(target)], float)


def interval(answers: np.ndarray, targets: np.ndarray, speakers: np.ndarray) -> tuple[float, float]:
    rng, rows = np.random.default_rng(0), [np.flatnonzero(speakers == name) for name in np.unique(speakers)]
    drawn = [np.concatenate([rows[one] for one in rng.integers(0, len(rows), len(rows))]) for _ in range(DRAWS)]
    low, high = np.quantile([np.corrcoef(answers[one], targets[one])[0, 1] for one in drawn], (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
