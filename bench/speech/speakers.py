"""Verification of speakers who were never heard: error rates, costs, and thresholds that keep what they promise.

    LINNET_DATA=DATA python bench/speech/speakers.py --baseline            freeze the baseline (once)
    LINNET_DATA=DATA python bench/speech/speakers.py --file FILE [--look]

FILE is what recipes/speechocean762-speakers.yaml writes. The baseline is what was usual before networks: mean and
deviation of 20 mel-frequency cepstra and their slopes over speech, linear discriminants in 60 dimensions (chosen among
20, 30, 40 and 60 on 25 of the training speakers), PLDA, learned from all 125; it is written once, with
its scores' summary, and read ever after. Trials are all pairs of recordings of the test speakers: 23,750 of one speaker
and 3,100,000 of two, one of these with the same text. Without --look everything is judged on the five speakers whom the
recipe keeps, for whom the baseline learns from the other training speakers only. Intervals are over speakers.

Thresholds: 200 times the speakers are halved at random. On one half `false_accept_threshold` certifies a false-accept
rate of 1 % at level 0.95, from at most 40 pairs of each two speakers; on the other half all pairs are counted. The
oracle's threshold accepts exactly 1 % there. Costs (prior 1 %) are those of log likelihood ratios calibrated on these
five.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet import data, runtime, tasks
from linnet.data import Dataset, Splits
from linnet.evidence.thresholds import false_accept_threshold
from linnet.speech.speakers import (
    Calibration,
    Plda,
    Trials,
    actual_cost,
    all_pairs,
    equal_error_rate,
    interval,
    log_ratio_cost,
    minimum_cost,
    similarities,
    statistics,
)

HERE = Path(__file__).resolve().parent.parent / "results" / "speech"
FROZEN = HERE / "baselines" / "speakers.json"
DIMENSIONS, RATE, SPLITS, PAIRS = 60, 0.01, 200, 40


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--look", action="store_true", help="at the test part; without, only at validation")
    return parser.parse_args()


def rows_of(part: Dataset) -> NDArray[np.float64]:
    return np.stack([statistics(sound) for sound in part.decode("audio")])


def speakers_of(part: Dataset) -> NDArray[np.int64]:
    return np.array([int(name) for name in part.values("speaker")])


def baseline(learned: list[Dataset], judged: Dataset) -> Trials:
    rows, names = (np.concatenate(found) for found in zip(*((rows_of(part), speakers_of(part)) for part in learned),
                                                           strict=True))
    model = Plda.fit(rows, names, dimensions=DIMENSIONS)
    return all_pairs(similarities(model.voices(rows_of(judged))), speakers_of(judged))


def summary(trials: Trials) -> dict[str, object]:
    return {"equal_error_rate": equal_error_rate(trials), "interval": interval(trials),
            "minimum_cost": minimum_cost(trials), "genuine": len(trials.genuine), "impostors": len(trials.impostors),
            "false_rejects_at_1_percent": float((trials.genuine <= np.quantile(trials.impostors, 1 - RATE)).mean())}


def certified(scores: NDArray[np.float64], names: NDArray[np.int64]) -> dict[str, float]:
    """What thresholds certified on half of the speakers do on the other half."""
    rng, speakers = np.random.default_rng(0), np.unique(names)
    one, other = np.triu_indices(len(names), 1)
    keep = np.flatnonzero(names[one] != names[other])
    keep = keep[rng.random(len(keep)) < PAIRS / 400]  # of 20 x 20 pairs of each two speakers
    held, undecided, accepts, rejects, oracles = 0, 0, [], [], []
    for _ in range(SPLITS):
        half = np.isin(names, rng.permutation(speakers)[: len(speakers) // 2])
        chosen = keep[half[one[keep]] & half[other[keep]]]
        first, second = one[chosen], other[chosen]
        found = false_accept_threshold(scores[first, second], names[first], names[second], rate=RATE)
        if found.threshold is None:
            undecided += 1
            continue
        away = all_pairs(scores[np.ix_(~half, ~half)], names[~half])
        impostors, genuine = away.impostors, away.genuine
        accepts.append(float((impostors > found.threshold).mean()))
        rejects.append(float((genuine <= found.threshold).mean()))
        oracles.append(float((genuine <= np.quantile(impostors, 1 - RATE)).mean()))
        held += accepts[-1] <= RATE
    decided = SPLITS - undecided
    return {"undecided": undecided / SPLITS, "held_of_decided": held / max(1, decided),
            "false_accepts": float(np.mean(accepts)), "false_rejects": float(np.mean(rejects)),
            "oracle": float(np.mean(oracles)), "ratio": float(np.mean(rejects) / np.mean(oracles)),
            "largest_accepts": float(np.max(accepts))}


def by_group(trials: Trials, groups: dict[int, str], threshold: float) -> dict[str, tuple[float, float]]:
    """False accepts and false rejects within each group at the threshold of all."""
    first, second = (np.array([groups[name] for name in side]) for side in (trials.first, trials.second))
    above, same = trials.scores > threshold, trials.is_genuine
    return {group: (float(above[~same & (first == group) & (second == group)].mean()),
                    float(1 - above[same & (first == group)].mean())) for group in sorted(set(groups.values()))}


def percent(value: float, digits: int = 2) -> str:
    return f"{100 * value:.{digits}f} %"


def main() -> None:
    wanted = arguments()
    splits: Splits = data.load("speechocean762").split(parts="split", by="speaker", validation=5)  # as in the recipe
    judged = splits.test if wanted.look or wanted.baseline else splits.validation
    learned = [splits.train, splits.validation] if judged is splits.test else [splits.train]
    plain = baseline(learned, judged)
    if wanted.baseline:
        FROZEN.parent.mkdir(parents=True, exist_ok=True)
        FROZEN.write_text(json.dumps({"date": str(date.today()), "dimensions": DIMENSIONS, **summary(plain)}, indent=1)
                          + "\n")
        print(FROZEN.read_text())
        return
    shipped = runtime.load(wanted.file)
    task = shipped.task
    assert isinstance(task, tasks.Verify)
    start = time.process_time()
    answers = {part: tasks.evaluate(shipped, task, dataset, batch=8)
               for part, dataset in (("judged", judged), ("validation", splits.validation))}
    spent = time.process_time() - start
    names = speakers_of(judged)
    scores = task.similarity(answers["judged"].answers)
    trials = all_pairs(scores, names)
    calibration = Calibration.fit(task.trials(answers["validation"].answers, answers["validation"].targets))
    print(f"`python bench/speech/speakers.py --file {wanted.file.name}{' --look' if wanted.look else ''}`, "
          f"{date.today()}, two cores, shared.\n")
    each_ms = 1000 * spent / (len(names) + len(splits.validation))
    print(f"{'Test' if wanted.look else 'Validation'}: {len(np.unique(names))} speakers, {len(names)} recordings; "
          f"pairs of one speaker: {len(trials.genuine):,}; of two: {len(trials.impostors):,}. File: "
          f"{wanted.file.stat().st_size / 1000:.0f} kB; {each_ms:.0f} ms of CPU a recording, decoding included.\n")
    print_errors(trials, plain, is_look=wanted.look)
    ratios = Trials(calibration(trials.scores), trials.first, trials.second)
    print(f"Calibrated on five speakers kept from training: actDCF {actual_cost(ratios):.3f}, Cllr "
          f"{log_ratio_cost(ratios):.3f}.\n")
    print_promised(certified(scores, names))
    print_groups(trials, judged, names)


def print_errors(trials: Trials, plain: Trials, *, is_look: bool) -> None:
    """Both systems on the same pairs, and how far apart."""
    ours, theirs = summary(trials), summary(plain)
    low, high = interval(trials, than=plain)
    print("| | equal error rate | 95 % over speakers | minDCF (1 %) | false rejects at 1 % false accepts |")
    print("|---|---|---|---|---|")
    for name, found in (("statistics of MFCC, LDA, PLDA", theirs), ("ecapa, width 96, and PLDA", ours)):
        print(f"| {name} | {percent(found['equal_error_rate'])} | {percent(found['interval'][0])} to "
              f"{percent(found['interval'][1])} | {found['minimum_cost']:.3f} | "
              f"{percent(found['false_rejects_at_1_percent'], 1)} |")
    print(f"\nRatio of the equal error rates {ours['equal_error_rate'] / theirs['equal_error_rate']:.3f} "
          f"({low:.3f} to {high:.3f} over the same speakers).")
    if is_look and FROZEN.is_file():
        frozen = json.loads(FROZEN.read_text())["equal_error_rate"]
        print(f"The frozen baseline: {percent(frozen)}; two thirds of it: {percent(2 * frozen / 3)}.")


def print_promised(promised: dict[str, float]) -> None:
    """What became of thresholds that were certified on half of the speakers."""
    print(f"| threshold for {percent(RATE, 0)} false accepts, certified on half of the speakers, 200 times | |")
    print("|---|---|")
    print(f"| holds on the other half | {percent(promised['held_of_decided'], 1)} of those decided; undecided "
          f"{percent(promised['undecided'], 1)} |")
    print(f"| false accepts there, mean and largest | {percent(promised['false_accepts'])}, "
          f"{percent(promised['largest_accepts'])} |")
    print(f"| false rejects there, the oracle's, ratio | {percent(promised['false_rejects'], 1)}, "
          f"{percent(promised['oracle'], 1)}, {promised['ratio']:.2f} |\n")


def print_groups(trials: Trials, judged: Dataset, names: NDArray[np.int64]) -> None:
    """Errors within children and adults, women and men, at one threshold for all."""
    limit = float(np.quantile(trials.impostors, 1 - RATE))
    print(f"| group, at the one threshold with {percent(RATE, 0)} false accepts of all | false accepts within | "
          "false rejects |\n|---|---|---|")
    who = [f"{'child' if float(age) < 18 else 'adult'}, {gender}" for age, gender in
           zip(judged.values("age"), judged.values("gender"), strict=True)]
    for group, (accepted, rejected) in by_group(trials, dict(zip(names.tolist(), who, strict=True)), limit).items():
        print(f"| {group} | {percent(accepted, 1)} | {percent(rejected, 1)} |")


if __name__ == "__main__":
    main()
