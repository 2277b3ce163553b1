"""Streams of every causal family: CPU time a second of sound at 1, 4 and 16 steps a run, and how far from the whole.

    OMP_NUM_THREADS=1 python bench/speech/streaming.py [--families crnn,conformer,dscnn] [--rounds 5]

Fresh weights (time does not depend on them) at the default widths, 16 kHz, 40 labels for what is said and 10 for a
window of a second, onnxruntime on one thread. A minute of noise goes through `runtime.Stream`, in chunks of a block;
CPU seconds (`time.process_time`), the median of the rounds, all blocks in turn. "Whole" is one run over the minute. The
last column is the largest difference of a logit between the stream and the whole, over the largest logit.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from linnet import export, nn, runtime, tasks
from linnet.export.samples import made_up

RATE, SECONDS, BLOCKS = 16_000, 60, (1, 4, 16)
SAID = tasks.from_json({
    "kind": "transcribe", "target": "said", "groups": [], "labels": [f"p{number}" for number in range(39)],
    "is_text": False, "takes": {"kind": "audio_sequence", "column": "audio", "sample_rate_hz": RATE, "seconds": None}})
WORD = tasks.from_json({
    "kind": "classify", "target": "word", "groups": [], "labels": [str(number) for number in range(10)],
    "choice": "one", "takes": {"kind": "audio_window", "column": "audio", "sample_rate_hz": RATE, "samples": RATE}})


def exported(family: str, bits: int | None, folder: Path) -> runtime.Shipped:
    task = SAID if family in ("crnn", "conformer") else WORD
    model = nn.FAMILIES[family](task, causal=True)
    if bits:
        model = replace(model, encoding=nn.Encoding(bits=bits), calibration=made_up(model.spec))
    return runtime.load(export.write(model, task, folder / "stream.onnx"))


def heard(shipped: runtime.Shipped, steps: int, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    stream = runtime.Stream(shipped, steps)
    size, answers = stream.block_samples, []
    for start in range(0, len(sound), size):
        answers.append(stream.update(sound[start : start + size]))
    answers.append(stream.finish())
    return np.concatenate([answer["logits"] for answer in answers if answer], axis=0 if stream.is_pooled else 1)


def whole(shipped: runtime.Shipped, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = {"lengths": np.array([len(sound)])} if "lengths" in shipped.card.input else {}
    return shipped({"audio": sound[None], **lengths})["logits"]


def row(name: str, shipped: runtime.Shipped, rounds: int) -> str:
    sound = (0.1 * np.random.default_rng(0).standard_normal(RATE * SECONDS)).astype(np.float32)
    seconds: dict[int, list[float]] = {block: [] for block in (*BLOCKS, 0)}
    for number in range(rounds + 1):
        for block, found in seconds.items():
            begin = time.process_time()
            answers = heard(shipped, block, sound) if block else whole(shipped, sound)
            if number:
                found.append(time.process_time() - begin)
            if block == 1:
                stepwise = answers
    last = stepwise if answers.ndim == 3 else stepwise[-1:]
    apart = np.abs(last - answers).max() / np.abs(answers).max()
    state = 4 * sum(int(np.prod(spec.shape)) for spec in shipped.card.state.values())
    step_ms = 1000 * shipped.card.step_samples / RATE
    first = 1e3 * np.median(seconds[1]) / SECONDS * step_ms
    rates = " | ".join(f"{np.median(found) / SECONDS:.4f}" for found in seconds.values())
    size = shipped.artifact.size_without_claims_bytes
    return (f"| {name} | {size / 1000:.0f} | {state / 1000:.1f} | {step_ms:.0f} | {first:.0f} | {rates} | "
            f"{apart:.1e} |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--families", default="crnn,conformer,dscnn")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print("| network | file kB | state kB | step ms | us a step | CPU s a second, 1 step a run | 4 steps | 16 steps | "
          "whole | apart |\n|---|---|---|---|---|---|---|---|---|---|")
    for family in asked.families.split(","):
        for bits in (None, 8):
            with TemporaryDirectory() as folder:
                shipped = exported(family, bits, Path(folder))
                print(row(f"{family}, {'int8' if bits else 'float'}", shipped, asked.rounds), flush=True)


if __name__ == "__main__":
    main()
