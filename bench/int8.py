"""What eight bits bring, and where: python bench/int8.py

A DS-CNN is exported as float and as int8, calibrated on real recordings (LINNET_DATA) or on seeded noise. The table
says which operators the engine runs in int8 after its own optimisation, and the time of one answer on one thread, the
files in turn. Weights are fresh: precision and time do not depend on them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from linnet import export, nn, runtime, tasks
from linnet.data import Audio
from linnet.errors import LinnetError


def sounds(rate_hz: int) -> tuple[list[Audio], str]:
    """A hundred recordings at the rate: real ones where they are there."""
    from linnet import data

    try:
        speech = data.load("fsdd")
        rows = np.random.default_rng(0).permutation(len(speech))[:100]
        heard = speech.take(rows.tolist()).decode("audio")
        return [data.resample(sound, rate_hz) for sound in heard], "real recordings"
    except LinnetError:
        rng = np.random.default_rng(0)
        return [Audio(rng.normal(0, 0.1, rate_hz).clip(-1, 1).astype(np.float32), rate_hz) for _ in range(100)], "noise"


def listed(operators: Mapping[str, int]) -> str:
    """Operators with their counts."""
    return ", ".join(f"{count} {name}" for name, count in sorted(operators.items())) or "none"


def main() -> None:
    """Export, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    print("| rate | file | KB | p50 ms | p95 ms | ratio | convolutions in int8 | in int8 | in float | calibrated on |")
    print("|" + "---|" * 10)
    for rate_hz in (8000, 16000):
        task = tasks.from_json({"kind": "classify", "target": "word", "groups": [], "choice": "one",
                                "labels": [str(n) for n in range(10)],
                                "takes": {"kind": "audio_window", "column": "audio", "sample_rate_hz": rate_hz,
                                          "samples": rate_hz}})
        heard, source = sounds(rate_hz)
        report(task, nn.zoo.dscnn(task, width=arguments.width), heard, source, arguments.seconds)


def report(task: tasks.Task, model: nn.Model, heard: list[Audio], source: str, seconds: float) -> None:
    """Two rows: the float file and the int8 file."""
    from dataclasses import replace

    samples = task.prepare(heard)
    with tempfile.TemporaryDirectory() as folder:
        models = {"float": model, "int8": replace(model, encoding=nn.Encoding(bits=8), calibration=samples)}
        files = [export.write(which, task, Path(folder) / f"{name}.onnx", samples=samples)
                 for name, which in models.items()]
        benches = runtime.bench_many(files, seconds=seconds)
        for file, bench in zip(files, benches, strict=True):
            realised = runtime.load(file).card.realised
            in_int8 = realised.int8.get("QLinearConv", 0)
            convolutions = in_int8 + sum(n for name, n in realised.float_.items() if "Conv" in name)
            size, ratio = file.stat().st_size / 1000, bench.p50_ms / benches[0].p50_ms
            print(f"| {task.arrays['audio'][1][0]} | {file.stem} | {size:.1f} | {bench.p50_ms:.3f} | "
                  f"{bench.p95_ms:.3f} | {ratio:.2f} | {in_int8} of {convolutions} | "
                  f"{listed(realised.int8)} | {listed(realised.float_)} | {source} |")


if __name__ == "__main__":
    main()
