"""Contents made up for the tests of the report: no number in here was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from linnet import evidence, tasks
from linnet.evidence import Claim, DataRef, Look, Scores
from linnet.introspect import Finding, Findings
from linnet.report import Contents
from linnet.runtime import Bench, Card

DIGITS = tuple("0123456789")
SPEAKERS = {"lucas": 0.93, "theo": 0.90}
SPLIT_BY_SPEAKER = {"source": "fsdd", "options": {}, "steps": [{"split": {"by": "speaker", "seed": 0}, "part": "test"}]}
SPLIT_BY_ROWS = {"source": "handwritten", "options": {}, "steps": [{"split": {"by": None, "seed": 0}, "part": "test"}]}


def sounds(groups: Sequence[str] = ("speaker",)) -> tasks.Task:
    """Spoken digits of one second."""
    return tasks.from_json({"kind": "classify", "target": "digit", "groups": list(groups),
                            "labels": list(DIGITS), "choice": "one", "takes": {
                                "kind": "audio_window", "column": "audio", "sample_rate_hz": 8000, "samples": 8000}})


def images() -> tasks.Task:
    """Handwritten digits of 8 x 8 pixels."""
    return tasks.from_json({"kind": "classify", "target": "digit", "groups": [],
                            "labels": list(DIGITS), "choice": "one",
                            "takes": {"kind": "images", "column": "image", "shape": [8, 8, 1]}})


def scores(rates: Mapping[str, float], rows: int, *, group: str | None = "speaker", seed: int = 0,
           origin: Mapping[str, Any] = SPLIT_BY_SPEAKER, subject: str = "a" * 64, name: str = "digits.onnx",
           part: str | None = "test", population: str = "recordings of the held-out speakers lucas and theo") -> Scores:
    """`rows` answers, split evenly over the groups, each with its rate of right ones (counted exactly)."""
    drawn = np.random.default_rng(seed)
    names = sorted(rates)
    member = [names[index * len(names) // rows] for index in range(rows)]
    right = np.concatenate([_exactly(rates[one], member.count(one), drawn) for one in names])
    targets = [DIGITS[index % len(DIGITS)] for index in range(rows)]
    wrong = {"5": "9", "9": "5", "3": "2", "0": "2"}
    answers = [target if good else wrong.get(target, DIGITS[(int(target) + int(drawn.integers(1, 10))) % 10])
               for target, good in zip(targets, right, strict=True)]
    return Scores(ids=[f"sample-{index:04d}" for index in range(rows)], answers=answers, targets=targets,
                  score=np.array([float(a == t) for a, t in zip(answers, targets, strict=True)]), subject=subject,
                  subject_name=name, groups={group: member} if group else {},
                  data=DataRef(population=population, fingerprint="7c" * 32, rows=rows, part=part, origin=dict(origin)))


def digits() -> Contents:
    """Spoken digits: two speakers held out, claims that hold, one that is undecided, everything filled."""
    after, before = spoken(), spoken(better=6)
    benches = [bench("digits-float.onnx", 352_400, 1.42, 3.1), bench("digits.onnx", 38_912, 0.61, 1.2)]
    looks = [Look("a" * 64, "accuracy_at_least bound=0.8", after.data.fingerprint)]
    return Contents(
        name="digits", task=sounds(), data=parts(), histories={"big": history(30, 0.96), "small": history(15, 0.94)},
        before=before, after=after, claims=claims(after, before, benches[-1]), benches=benches, card=card(),
        findings={"found": redundancy()}, looks=looks,
        environment={"linnet": "0.1.0", "python": "3.11.2", "system": "Linux", "torch": "2.13.0"},
        recipe="name: digits\nseed: 0\ndata: {source: fsdd, split: {by: speaker}}\n",
        verify_command="linnet verify runs/digits/digits.onnx --data fsdd")


def handwritten() -> Contents:
    """Images without groups, a float file only, no model before."""
    after = scores({"all": 0.986}, 360, group=None, origin=SPLIT_BY_ROWS,
                   population="images of the test part of handwritten")
    claim = evidence.accuracy_at_least(after, bound=0.95)
    return Contents(name="handwritten", task=images(), after=after, claims=[claim],
                    benches=[bench("handwritten.onnx", 21_400, 0.08, 0.7)])


def spoken(*, better: int = 0, subject: str = "a" * 64) -> Scores:
    """1,000 recordings of two speakers; with `better`, so many more are right, as by another model."""
    who = {"subject": "b" * 64, "name": "big"} if better else {"subject": subject}
    made = scores(SPEAKERS, 1000, **who)
    answers, mistakes = list(made.answers), [index for index, value in enumerate(made.score) if not value]
    for index in mistakes[:better]:
        answers[index] = made.targets[index]
    right = np.array([float(a == t) for a, t in zip(answers, made.targets, strict=True)])
    return replace(made, answers=answers, score=right)


def claims(after: Scores, before: Scores, measured: Bench) -> list[Claim]:
    """What the recipe asks, and one question about speakers that were not tested."""
    return [evidence.accuracy_at_least(after, bound=0.8), evidence.no_worse(after, before, margin=0.03),
            evidence.accuracy_at_least(after, bound=0.8, clusters="speaker"),
            evidence.size_below(evidence.Size(38_912, after.subject, after.subject_name), bound_kb=64),
            evidence.latency_below(measured.timing, bound_ms=20)]


def bench(name: str, size_bytes: int, milliseconds: float, memory_mb: float) -> Bench:
    """A file that answers in about so many milliseconds."""
    seconds = np.random.default_rng(1).gamma(60, milliseconds / 60, 2000) / 1000
    return Bench(name=name, subject="a" * 64, engine="onnxruntime", version="1.31.1", processor="Some Processor 3.0",
                 threads=1, seconds=seconds, throughput_per_second=2600 / milliseconds, throughput_batch=32,
                 throughput_threads=2, peak_memory_mb=memory_mb, size_bytes=size_bytes,
                 size_without_claims_bytes=size_bytes, energy_joules=None)


def card() -> Card:
    """A card with its realised precision and parity."""
    return Card.model_validate({
        "schema": "linnet/card/v1", "name": "digits", "task": sounds().to_json(), "labels": DIGITS, "parameters": 24330,
        "input": {"audio": {"dtype": "float32", "shape": [8000]}},
        "output": {"logits": {"dtype": "float32", "shape": [10]}},
        "bits": "int8", "linnet_version": "0.1.0",
        "realised": {"engine": "onnxruntime", "version": "1.31.1", "processor": "Some Processor 3.0",
                     "int8": {"QLinearConv": 9, "QGemm": 1}, "float": {"Conv": 2, "Log": 1, "MatMul": 1},
                     "float_reasons": {"Conv": "the front end stays in float", "Log": "has no int8 kernel"}},
        "parity": {"compared_with": "the QDQ graph without optimisation", "samples": 500, "largest_difference": 0.034,
                   "tolerance": 0.1, "answers_changed": 0}})


def history(epochs: int, reached: float) -> list[dict[str, float]]:
    """Losses that fall and an accuracy that climbs."""
    drawn = np.random.default_rng(3)
    rows = []
    for epoch in range(1, epochs + 1):
        left = math.exp(-4 * epoch / epochs)
        overfit = 0.12 * max(0, epoch / epochs - 0.75)
        rows.append({"epoch": epoch, "train_loss": 0.45 + 1.8 * left, "learning_rate": 1e-3, "seconds": 3.2,
                     "validation_loss": 0.56 + 1.7 * left + overfit + 0.02 * drawn.normal(),
                     "validation_accuracy": reached - 0.8 * left + 0.008 * drawn.normal()})
    return rows


def redundancy() -> Findings:
    """Layers of 64 channels that say the same as fewer."""
    return Findings("redundancy", tuple(
        Finding(f"block{number}.pointwise", f"64 channels say what {24 - 4 * number} could say.",
                {"units": 64, "effective_units": 23.7 - 4 * number, "most_redundant_first": list(range(64))})
        for number in range(4)))


def parts() -> list[dict[str, Any]]:
    """What `data.describe` says of three parts."""
    who = {"train": ("george", "jackson", "nicolas"), "validation": ("yweweler",), "test": ("lucas", "theo")}
    return [{"name": "fsdd", "part": part, "rows": 500 * len(names), "fingerprint": f"{index}7c" * 21,
             "columns": {"speaker": {"kind": "group", "counts": dict.fromkeys(names, 500)},
                         "digit": {"kind": "label", "counts": dict.fromkeys(DIGITS, 50 * len(names))}}}
            for index, (part, names) in enumerate(who.items())]


def _exactly(rate: float, rows: int, drawn: np.random.Generator) -> np.ndarray[Any, Any]:
    right = np.zeros(rows)
    right[: round(rate * rows)] = 1
    return drawn.permutation(right)
