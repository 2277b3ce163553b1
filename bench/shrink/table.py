"""Ours against the peers, from the same float network and data: python bench/shrink/table.py [NAME ...] --peers PYTHON

Four networks (networks.py), each made smaller by our plan (plans.py; chosen on the validation part) and by the peers:
onnxruntime's static int8 in two ways, NNCF's int8 on OpenVINO, coremltools' four-bit palettes (their size; it runs on a
Mac only). PYTHON is an interpreter with onnx, onnxruntime, openvino, nncf, coremltools and what Linnet needs (make
peers-shrink). Latency is CPU time behind the front end, one sample, one thread, all files in turn in one process; the
whole file's beside it. Right answers are counted on the whole test part and compared pairwise with the float
network's. What is made is kept in bench/results/shrink/table/; a second call only reads and times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bodies
import errors_of
import headless
import networks
import numpy as np
import plans
import torch

from linnet import export, runtime, tasks
from linnet.evidence import Scores
from linnet.runtime.processor import processor_name

HERE = Path(__file__).resolve().parent
RESULTS = networks.ROOT / "bench" / "results" / "shrink" / "table"
PEERS = {"onnxruntime-s8s8": "onnxruntime int8, signed", "onnxruntime-u8s8": "onnxruntime int8, unsigned",
         "nncf": "NNCF int8 on OpenVINO", "coreml-4bit": "coremltools, 4-bit palette"}
MARGIN = 0.01


@dataclass(frozen=True)
class Row:
    """A file: its bytes, its latency behind the front end (none where it cannot run here), how right it is."""

    name: str
    size_bytes: int
    seconds: list[float] | None
    whole_seconds: list[float] | None
    scores: Scores


class Stored:
    """A predictor that says, sample after sample, what was answered elsewhere."""

    def __init__(self, path: Path, name: str, output: str) -> None:
        self.name, self.identity, self.output, self.next = name, name, output, 0
        with np.load(path) as stored:
            self.answers = [stored[f"arr_{place}"] for place in range(len(stored.files))]

    def __call__(self, arrays: tasks.Arrays) -> dict[str, np.ndarray]:
        count = len(next(iter(arrays.values())))
        rows = self.answers[self.next : self.next + count]
        self.next += count
        if rows[0].ndim == 1:
            return {self.output: np.stack(rows)}
        longest = max(len(row) for row in rows)
        padded = np.full((count, longest, rows[0].shape[1]), np.float32(-1e4))
        padded[:, :, 0] = 0  # beyond its end a sample says the blank
        for place, row in enumerate(rows):
            padded[place, : len(row)] = row
        return {self.output: padded}


def prepare(network: networks.Network, folder: Path) -> None:
    """The float file, its body, and samples for calibration, test and timing."""
    if (folder / "facts.json").exists():
        return
    whole = export.write(network.model, network.task, folder / "whole-float.onnx")
    test = networks.inputs(network, network.splits.test)
    typical = sorted(test, key=lambda row: max(values.size for values in row.values()))[len(test) // 2]
    calibration = networks.of_one_length(networks.inputs(network, network.splits.train, 512))[:256]
    is_padded = network.name == "conformer"
    for name, samples in (("calibration", calibration), ("test", test), ("typical", [typical])):
        pictures = bodies.unpadded(network, samples) if is_padded else bodies.fronts(whole, samples)
        bodies.store(folder / f"{name}.npz", pictures)
    if is_padded:
        headless.write(network.model.module, bodies.unpadded(network, [typical])[0]["front"], folder / "body.onnx")
    else:
        bodies.cut(whole, folder / "body.onnx")
    bodies.store(folder / "typical-whole.npz", [typical])
    kind = network.name in ("conformer", "transformer")
    (folder / "facts.json").write_text(json.dumps({"transformer": kind}))


def peers_rows(folder: Path) -> list[bodies.Row]:
    """The sample that is timed, as the whole files take it."""
    with np.load(folder / "typical-whole.npz") as stored:
        return [{key.partition("/")[2]: stored[key] for key in stored.files}]


def ask_peers(python: str, name: str, folder: Path) -> None:
    """Let the peers make their files and time all of them."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = {"onnxruntime-u8s8.answers.npz": ["peers.py", "make", str(folder)],
            "coreml-4bit.json": ["coreml.py", str(networks.RUNS / networks.NETWORKS[name]), str(folder)]}
    for mark, (script, *arguments) in made.items():
        if not (folder / mark).exists():
            subprocess.run([python, str(HERE / script), *arguments], env=environment, check=True,
                           stdout=subprocess.DEVNULL)
    subprocess.run([python, str(HERE / "peers.py"), "time", str(folder)], env=environment, check=True)


def rows(network: networks.Network, folder: Path) -> list[Row]:
    """All files, the float one first, then the peers, then ours."""
    times: dict[str, list[float]] = json.loads((folder / "times.json").read_text())
    test, task = network.splits.test, network.task

    def scores(predictor: tasks.Predictor) -> Scores:
        return tasks.evaluate(predictor, task, test)

    whole = folder / "whole-float.onnx"
    found = [Row("float, onnxruntime", (folder / "body.onnx").stat().st_size, times["body.onnx"],
                 times["whole-float.onnx"], scores(runtime.load(whole)))]
    for stem, title in PEERS.items():
        if not (folder / f"{stem}.answers.npz").exists():
            print(f"{title} answers with another number of frames than it was asked: left out.")
            continue
        stored = Stored(folder / f"{stem}.answers.npz", title, task.output[0])
        parts = [folder / f"{stem}{suffix}" for suffix in (".onnx", ".xml", ".bin")]
        size = (json.loads((folder / f"{stem}.json").read_text())["bytes"] if stem == "coreml-4bit" else
                sum(path.stat().st_size for path in parts if path.exists()))
        seconds = times.get(f"{stem}.onnx", times.get(f"{stem}.xml"))
        found.append(Row(title, size, seconds, None, scores(stored)))
    for path in sorted(folder.glob("whole-ours*.onnx")):
        body = folder / path.name.removeprefix("whole-")
        found.append(Row(f"**{plans.TITLES[path.stem.removeprefix('whole-ours-')]}**", body.stat().st_size,
                         times[body.name], times[path.name], scores(runtime.load(path))))
    return found


def make_ours(network: networks.Network, folder: Path) -> None:
    """Our files, and their bodies."""
    for name in plans.PLANS[network.name]:
        whole = folder / f"whole-ours-{name}.onnx"
        if not whole.exists():
            model = plans.made(network, name, folder / f"ours-{name}")
            export.write(model, network.task, whole, samples=network.splits.validation)
        bodies.cut(whole, folder / f"ours-{name}.onnx")
        bodies.store(folder / f"typical-ours-{name}.npz", bodies.fronts(whole, peers_rows(folder)))


def show(network: networks.Network, found: list[Row]) -> None:
    """The network's part of the table."""
    runnable = [row for row in found if row.name in PEERS.values() and row.seconds]
    fastest = min(statistics.median(row.seconds or []) for row in runnable)
    smallest = min(row.size_bytes for row in found if row.name in PEERS.values())
    print(f"\n{network.name}, {len(network.splits.test):,} test samples; the fastest peer takes {1e3 * fastest:.3f} "
          f"ms, the smallest has {smallest / 1000:.1f} KB\n")
    print("| file | KB | of the smallest peer | CPU ms behind the front end | of the fastest peer | CPU ms whole | "
          f"{errors_of.NOUN[network.task.kind]} | difference, points (95 %) | no worse by 1 point |")
    print("|---" * 9 + "|")
    for row in found:
        one = statistics.median(row.seconds) if row.seconds else float("nan")
        whole = f"{1e3 * statistics.median(row.whole_seconds):.3f}" if row.whole_seconds else "-"
        rate, interval, verdict = errors_of.compared(network.task, row.scores, found[0].scores, MARGIN)
        speed = f"{1e3 * one:.3f} | {one / fastest:.2f}" if row.seconds else "- | -"
        print(f"| {row.name} | {row.size_bytes / 1000:.1f} | {row.size_bytes / smallest:.2f} | {speed} | {whole} | "
              f"{rate:.4f} | {interval} | {verdict} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NETWORK", help=f"of {', '.join(networks.NETWORKS)}; all without")
    parser.add_argument("--peers", required=True, metavar="PYTHON", help="interpreter of the peers' environment")
    arguments: Any = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{processor_name()}; one thread; ratios below 1 are better")
    for name in arguments.names or networks.NETWORKS:
        network, folder = networks.load(name), RESULTS / name
        folder.mkdir(parents=True, exist_ok=True)
        prepare(network, folder)
        make_ours(network, folder)
        ask_peers(arguments.peers, name, folder)
        show(network, rows(network, folder))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
