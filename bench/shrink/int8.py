"""Plain int8 alone, what it costs and brings: python bench/shrink/int8.py [--calibrations] [--repairs] [NETWORK ...]

The four trained networks (networks.py) and a fresh MobileNetV2 of 96 x 96 pixels. Each is exported in float and int8,
calibrated on 256 training samples. Latency is that behind the front end, one sample, one thread, files in
turn, as processor seconds; a ratio is that of the medians of the runs. Convolutions, and matrix products with weights,
are counted in the graph that the engine runs. Signal to noise is that of the int8 file's answers to the float file's,
on 128 validation samples; `changed` are answers that became others. --calibrations adds the other three, --repairs the
repairs (minutes).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bodies
import networks
import numpy as np
import onnxruntime
import torch

from linnet import export, nn, runtime, tasks
from linnet.export.parity import run
from linnet.export.samples import made_up

PLAIN = {"minmax": nn.Encoding(bits=8)}
CALIBRATIONS = {name: nn.Encoding(bits=8, calibration=name) for name in ("percentile", "mse", "entropy")}
REPAIRS = {repair: nn.Encoding(bits=8, repairs=(repair,)) for repair in ("equalize", "bias_correction", "adaround")}
COLUMNS = ("network", "int8", "ms", "of float", "whole, of float", "KB", "of float", "conv in int8", "products in int8",
           "SNR dB", "changed")
RUNS = 30


def mobilenet() -> networks.Network:
    """MobileNetV2 as it is made, its statistics those of noise: precision and time do not depend on weights."""
    task = tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": list("abcdefghij"),
                            "choice": "one", "takes": {"kind": "images", "column": "x", "shape": [96, 96, 3]}})
    model = nn.zoo.mobilenet(task)
    with torch.no_grad():
        for _ in range(20):
            model.module.train()(*map(torch.from_numpy, made_up(model.spec).values()))
    model.module.eval()
    return networks.Network("MobileNetV2", model, task, None)  # type: ignore[arg-type]


def samples(network: networks.Network, part: str, rows: int) -> tasks.Arrays:
    """So many rows of a part; noise where there is no data."""
    if network.splits is None:
        made = made_up(network.model.spec)
        random = np.random.default_rng(len(part))
        return {name: random.integers(0, 256, (rows, *values.shape[1:]), dtype=np.uint8)
                for name, values in made.items()}
    whole = getattr(network.splits, part)
    chosen = np.random.default_rng(0).permutation(len(whole))[:rows]
    some = whole.take(sorted(chosen.tolist()))
    return dict(network.task.prepare(network.task.read(some)))


def seconds(calls: Sequence[tuple[Path, dict[str, np.ndarray]]]) -> list[np.ndarray]:
    """Processor seconds of runs, the files in turn."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    sessions = [(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]), row)
                for path, row in calls]
    taken: list[list[float]] = [[] for _ in sessions]
    for number in range(RUNS + 5):
        for place, (session, row) in enumerate(sessions):
            begin = time.process_time()
            session.run(None, row)
            if number >= 5:
                taken[place].append(time.process_time() - begin)
    return [np.array(values) for values in taken]


def counts(path: Path) -> tuple[str, str]:
    """Convolutions and products with weights in int8, of all that were to be."""
    found = runtime.load(path).card.realised
    assert found is not None
    convolutions = found.int8.get("QLinearConv", 0)
    products = sum(number for name, number in found.int8.items() if "MatMul" in name or name == "QGemm")
    left = sum(number for name, number in found.float_.items() if "Conv" in name)
    kept = {name: why for name, why in found.float_reasons.items() if "kept" in why}
    return f"{convolutions} of {convolutions + left}", f"{products}{f' ({kept})' if kept else ''}"


def row_of(network: networks.Network) -> dict[str, np.ndarray]:
    """One sample, unpadded."""
    if network.splits is None:
        return {name: values[:1] for name, values in samples(network, "validation", 1).items()}
    return networks.inputs(network, network.splits.validation, 1)[0]


def report(network: networks.Network, encodings: dict[str, nn.Encoding], folder: Path) -> None:
    """A row for each encoding."""
    calibration, asked = samples(network, "train", 256), samples(network, "validation", 128)
    files = {"float": export.write(network.model, network.task, folder / "float.onnx", samples=asked)}
    for name, encoding in encodings.items():
        begin = time.process_time()
        small = replace(network.model, encoding=encoding, calibration=calibration)
        try:
            files[name] = export.write(small, network.task, folder / f"{name}.onnx", samples=asked)
        except Exception as error:
            print(f"| {network.name} | {name} | {error} |", flush=True)
            continue
        print(f"<!-- {network.name}, {name}: made in {time.process_time() - begin:.1f} processor seconds -->")
    row = row_of(network)
    body = [bodies.cut(path, folder / f"{name}-body.onnx") for name, path in files.items()]
    heard = [bodies.fronts(path, network, [row])[0] for path in files.values()]
    behind = [np.median(found) for found in seconds(list(zip(body, heard, strict=True)))]
    whole = [np.median(found) for found in seconds([(path, row) for path in files.values()])]
    expected = run(files["float"].read_bytes(), asked)
    sizes = [path.stat().st_size / 1000 for path in files.values()]
    for place, (name, path) in enumerate(files.items()):
        answers = run(path.read_bytes(), asked)
        noise = sum(float(np.square(a - b).sum()) for a, b in zip(answers, expected, strict=True))
        signal = sum(float(np.square(b).sum()) for b in expected)
        changed = sum(not np.array_equal(a.argmax(-1), b.argmax(-1)) for a, b in zip(answers, expected, strict=True))
        cells = (network.name, name, f"{1000 * behind[place]:.3f}", f"{behind[place] / behind[0]:.2f}",
                 f"{whole[place] / whole[0]:.2f}", f"{sizes[place]:.1f}", f"{sizes[place] / sizes[0]:.2f}",
                 *(("", "") if name == "float" else counts(path)),
                 "" if name == "float" else f"{10 * np.log10(signal / noise):.1f}",
                 "" if name == "float" else f"{changed} of {len(answers)}")
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Every network asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=[*networks.NETWORKS, "MobileNetV2"])
    parser.add_argument("--calibrations", action="store_true")
    parser.add_argument("--repairs", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    encodings = {**PLAIN, **(CALIBRATIONS if arguments.calibrations else {}), **(REPAIRS if arguments.repairs else {})}
    for name in arguments.networks:
        network = mobilenet() if name == "MobileNetV2" else networks.load(name)
        with tempfile.TemporaryDirectory() as folder:
            report(network, encodings, Path(folder))


if __name__ == "__main__":
    main()
