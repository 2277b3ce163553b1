"""Spoken digits, leave one speaker out, float and int8 on the same recordings: python bench/fsdd.py

For each of the six speakers, the configuration is chosen among the committed ones by leaving out, in turn, each of the
other five: the held-out speaker plays no part in the choice. A model trained without the speakers a and b serves the
choice in both folds (scored on b when a is held out, on a when b is). The chosen configuration is then trained on all
five, exported as float and as int8, and both files answer the held-out speaker's recordings. The corpus's own split, on
speakers that were heard, comes last.

Peers, measured in the same run: mean and deviation of MFCC with logistic regression. Finished trainings are kept in
bench/results/fsdd/, so a stopped run goes on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
CONFIGURATIONS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "fsdd.json").read_text())


def folds(held_out: tuple[str, ...], seed: int) -> tuple[Any, dict[str, Any]]:
    """Everyone else's recordings, a tenth of which only watches the training; and each held-out speaker's own."""
    from linnet import data

    speech = data.load("fsdd")
    tested = {speaker: speech.where(speaker=speaker) for speaker in held_out}
    return watched(speech.where(lambda row: row["speaker"] not in held_out), tested[held_out[0]], seed), tested


def watched(known: Any, test: Any, seed: int) -> Any:
    """Splits whose validation part, a tenth of the known recordings, chooses nothing: the last epoch is kept."""
    from linnet import data

    order = np.random.default_rng(seed).permutation(len(known))
    cut = len(known) // 10
    watching, learning = sorted(order[:cut].tolist()), sorted(order[cut:].tolist())
    return data.Splits(train=known.take(learning), validation=known.take(watching), test=test)


def trained(name: str, splits: Any, seed: int) -> tuple[Any, Any]:
    """The model of one configuration, and its task."""
    import torch

    from linnet import nn, tasks, train

    torch.set_num_threads(1)
    configuration = CONFIGURATIONS[name]
    task = tasks.Classify(splits, input="audio", target="digit", groups=["speaker"], seconds=1.0)
    model = nn.zoo.dscnn(task, width=configuration["width"], seed=seed)
    fitted = train.fit(model, task, splits, epochs=configuration["epochs"], seed=seed, augment=configuration["augment"],
                       options=train.Options(**configuration["options"]))
    return fitted, task


def choose(job: tuple[str, str, str, int]) -> dict[str, Any]:
    """Inner training: without a and b, scored on each."""
    name, a, b, seed = job
    return {"pair": (a, b), **once(f"inner-{name}-{a}-{b}-{seed}", name, lambda: inner_scores(name, (a, b), seed))}


def inner_scores(name: str, pair: tuple[str, str], seed: int) -> dict[str, Any]:
    """Accuracy on each of two speakers of a model that heard neither."""
    from linnet import tasks

    splits, tested = folds(pair, seed)
    model, task = trained(name, splits, seed)
    return {"scores": {speaker: tasks.evaluate(model, task, part).mean for speaker, part in tested.items()}}


def final(job: tuple[str, str, int]) -> dict[str, Any]:
    """Outer training: all other speakers, both files answer the held-out one."""
    name, speaker, seed = job

    def measure() -> dict[str, Any]:
        splits, _ = folds((speaker,), seed)
        return shipped(name, splits, seed)

    return {"speaker": speaker, **once(f"outer-{name}-{speaker}-{seed}", name, measure)}


def shipped(name: str, splits: Any, seed: int) -> dict[str, Any]:
    """Train, export as float and as int8; both files' scores on the test part."""
    from linnet import export, runtime, shrink, tasks

    model, task = trained(name, splits, seed)
    small = shrink.apply(shrink.plan().quantize(8), model, task, splits, seed=seed)
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        for label, which in {"float": model, "int8": small}.items():
            file = export.write(which, task, Path(folder) / f"{label}.onnx", samples=splits.validation)
            scores = tasks.evaluate(runtime.load(file), task, splits.test)
            answers[label] = {"score": scores.score.tolist(), "bytes": file.stat().st_size}
    return {"answers": answers}


def official(seed: int) -> dict[str, Any]:
    """The split of the corpus: recordings 0 to 4 of each speaker and digit are the test, chosen on 5 to 9."""
    from linnet import data, tasks

    speech = data.load("fsdd")
    test, known = speech.where(lambda row: row["index"] < 5), speech.where(lambda row: row["index"] >= 5)
    means = {}
    for name in CONFIGURATIONS:
        def measure(name: str = name) -> dict[str, Any]:
            watch = known.where(lambda row: row["index"] < 10)
            splits = watched(known.where(lambda row: row["index"] >= 10), watch, seed)
            model, task = trained(name, splits, seed)
            return {"mean": tasks.evaluate(model, task, watch).mean}

        means[name] = once(f"official-inner-{name}-{seed}", name, measure)["mean"]
    print("official split, recordings 5 to 9: " + ", ".join(f"{name} {mean:.4f}" for name, mean in means.items()))
    best = max(means, key=lambda name: means[name])
    return once(f"official-{best}-{seed}", best, lambda: shipped(best, watched(known, test, seed), seed))


def once(file: str, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A finished training's result, kept for the next run of the script unless its configuration changed."""
    path = RESULTS / "fsdd" / f"{file}.json"
    if path.exists() and (kept := json.loads(path.read_text()))["configuration"] == [name, CONFIGURATIONS[name]]:
        return dict(kept)
    start = time.process_time()
    result = measure()
    result |= {"configuration": [name, CONFIGURATIONS[name]], "cpu_seconds": round(time.process_time() - start, 1)}
    write(path, result)
    return result


def write(path: Path, value: Any) -> None:
    """Beside, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value))
    partial.replace(path)


def mfcc(samples: np.ndarray, rate: int) -> np.ndarray:
    """Mean of 20 MFCC in five stretches of time, their deviation, and the length: the peer's features."""
    import scipy.fft

    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), 42) / 2595) - 1)
    bins = np.linspace(0, rate / 2, 129)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    mel = np.maximum(0, np.minimum(rising, falling))
    padded = np.pad(samples, (0, max(0, 1000 - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 200)[::80] * np.hanning(200)
    power = np.abs(scipy.fft.rfft(frames, 256)) ** 2
    cepstrum = scipy.fft.dct(np.log(power @ mel.T + 1e-8), axis=1, norm="ortho")[:, :20]
    stretches = [part.mean(axis=0) for part in np.array_split(cepstrum, 5)]
    return np.concatenate([*stretches, cepstrum.std(axis=0), [len(samples) / rate]])


def peer(speakers: list[str]) -> dict[str, float]:
    """MFCC with logistic regression, trained on the other five."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from linnet import data

    speech = data.load("fsdd")
    features = np.array([mfcc(sound.samples, sound.sample_rate_hz) for sound in speech.decode("audio")])
    digit, who = np.array(speech.values("digit")), np.array(speech.values("speaker"))
    result = {}
    for speaker in speakers:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        model.fit(features[who != speaker], digit[who != speaker])
        result[speaker] = float(model.score(features[who == speaker], digit[who == speaker]))
    return result


def discordant(before: np.ndarray, after: np.ndarray) -> tuple[int, int]:
    """How many answers became wrong, and how many became right."""
    return int((before > after).sum()), int((after > before).sum())


def main() -> None:
    """Choose, train, export, compare; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    from linnet import data, evidence

    speakers = sorted(set(map(str, data.load("fsdd").values("speaker"))))
    jobs = [(name, a, b, arguments.seed) for name in CONFIGURATIONS for a, b in itertools.combinations(speakers, 2)]
    with ProcessPoolExecutor(arguments.workers) as pool:
        inner = list(pool.map(choose, jobs))
        chosen = {}
        for speaker in speakers:
            means = {name: float(np.mean([run["scores"][next(s for s in run["pair"] if s != speaker)] for run in inner
                                          if run["configuration"][0] == name and speaker in run["pair"]]))
                     for name in CONFIGURATIONS}
            chosen[speaker] = max(means, key=lambda name: means[name])
            print(f"{speaker}: " + ", ".join(f"{name} {mean:.3f}" for name, mean in means.items()), flush=True)
        outer = list(pool.map(final, [(chosen[speaker], speaker, arguments.seed) for speaker in speakers]))
    peers = peer(speakers)
    print("\n| speaker | chosen | float | int8 | difference (95 %) | file KB | MFCC + logistic regression |")
    print("|" + "---|" * 7)
    for run in outer:
        whole, small = (np.array(run["answers"][label]["score"]) for label in ("float", "int8"))
        low, high = evidence.comparisons.paired_difference(*discordant(whole, small), len(whole), level=0.95)
        difference, size = small.mean() - whole.mean(), run["answers"]["int8"]["bytes"] / 1000
        print(f"| {run['speaker']} | {run['configuration'][0]} | {whole.mean():.3f} | {small.mean():.3f} | "
              f"{difference:+.3f} ({low:+.3f} to {high:+.3f}) | {size:.1f} | {peers[run['speaker']]:.3f} |")
    whole, small = (np.concatenate([run["answers"][label]["score"] for run in outer]) for label in ("float", "int8"))
    low, high = evidence.comparisons.paired_difference(*discordant(whole, small), len(whole), level=0.95)
    print(f"| all {len(whole):,} pairs | | | | {small.mean() - whole.mean():+.3f} ({low:+.3f} to {high:+.3f}) | | |")
    means = [[np.mean(run["answers"][label]["score"]) for run in outer] for label in ("float", "int8")]
    largest = max(run["answers"]["int8"]["bytes"] for run in outer) / 1000
    whole, small = map(np.mean, means)
    print(f"| mean | | {whole:.3f} | {small:.3f} | {small - whole:+.3f} | {largest:.1f} | "
          f"{np.mean(list(peers.values())):.3f} |")
    print(f"| worst | | {min(means[0]):.3f} | {min(means[1]):.3f} | | | {min(peers.values()):.3f} |")
    answers = official(arguments.seed)["answers"]
    whole, small = (np.array(answers[label]["score"]) for label in ("float", "int8"))
    print(f"| official split | | {whole.mean():.4f} | {small.mean():.4f} | {small.mean() - whole.mean():+.4f} | | |")
    print(f"\nCPU seconds in all: {sum(run['cpu_seconds'] for run in [*inner, *outer]):.0f}")


if __name__ == "__main__":
    main()
