"""What `runtime.load(file)(inputs)` takes more than the bare engine, one sample at a time, for files of several sizes.

    .venv/bin/python bench/overhead.py [file.onnx ...] [--runs 2000]

Without files it exports fresh networks: the time does not depend on their weights. The two take turns, run by run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from linnet import export, nn, runtime, tasks
from linnet.runtime.inputs import random_inputs, varying_samples


def fresh(folder: Path) -> list[Path]:
    """Files of networks for sounds, images and tables."""
    sound = {"kind": "audio_window", "column": "audio", "sample_rate_hz": 16000, "samples": 16000}
    image = {"kind": "images", "column": "image", "shape": [32, 32, 3]}
    row = {"kind": "features", "fields": [{"column": str(n), "mean": 0.0, "deviation": 1.0} for n in range(10)]}
    files = []
    for name, family, takes in (("dscnn", nn.zoo.dscnn, sound), ("smallcnn", nn.zoo.smallcnn, image),
                                ("resnet", nn.zoo.resnet, image), ("mlp", nn.zoo.mlp, row)):
        task = tasks.from_json({"kind": "classify", "takes": takes, "target": "label", "groups": [],
                                "labels": [str(number) for number in range(10)], "choice": "one"})
        files.append(export.write(family(task), task, folder / f"{name}.onnx"))
    return files


def compare(file: Path, runs: int) -> tuple[float, float]:
    """Median seconds of the bare engine, and of ours."""
    shipped = runtime.load(file)
    inputs = random_inputs(shipped.session, samples=varying_samples(shipped.artifact))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    bare = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for times, call in zip(taken, (lambda: bare.run(None, inputs), lambda: shipped(inputs)), strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return float(np.median(taken[0])), float(np.median(taken[1]))


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=2000)
    given = parser.parse_args()
    print("| file | bare onnxruntime, us | runtime.load, us | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for file in given.files or fresh(Path(folder)):
            bare, ours = compare(file, given.runs)
            print(f"| {file.name} | {1e6 * bare:.1f} | {1e6 * ours:.1f} | {ours / bare:.3f} |")


if __name__ == "__main__":
    main()
