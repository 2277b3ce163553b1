"""A step of DKM on a layer of 4 M weights: ours against coremltools' DKMPalettizer, the same result from both.

    python bench/shrink/dkm.py --peer /path/to/python/with/coremltools [--rows 2048] [--steps 3]

Every side runs in a process of its own on one thread: the same weights, the same 16 centroids to begin with, three
iterations, tau 1e-4 (coremltools' own), forward and backward from the same gradient. Told are CPU seconds of a step
(the median), the peak of memory above what weights, gradient and program take before it, and how far weights
and gradients lie from those of the same equations in double precision (whose gradients the tests hold against
differences of the function).

coremltools runs `palett_unique` on CUDA alone, in a process group: it asks the card for its memory and the group for
its size. Here it is told that nothing of the card's memory is in use, and that it is alone; and tensors of no more
entries than the layer are left as they are (`palett_min_tsize`), since 9.0 stops at those with one axis.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

BITS, TAU, ITERATIONS = 4, 1e-4, 3
CASES = {"as it comes (float32)": ("float32", 1, False), "palett_unique (bfloat16)": ("bfloat16", 1, True),
         "vectors of 2 (float32)": ("float32", 2, False)}


def main() -> None:
    """Print a table; with --side, run one side and print its figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", default=sys.executable, help="a Python that has torch and coremltools")
    parser.add_argument("--side", choices=("ours", "peer"))
    parser.add_argument("--case", default=next(iter(CASES)))
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--rows", type=int, default=2048, help="and as many columns")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(_measure(given.side, given.case, given)))
        return
    print(f"{given.rows} x {given.rows} weights, {1 << BITS} clusters\n")
    print("| case | coremltools s | ours s | ratio | coremltools MB | ours MB | ratio | weights off: coremltools "
          "| ours | gradients off, relative: coremltools | ours |\n" + "|---" * 11 + "|")
    for case in given.cases:
        with tempfile.TemporaryDirectory() as folder:
            sides = {side: _run(side, case, Path(folder) / f"{side}.pt", given) for side in ("peer", "ours")}
            print(_row(case, sides, Path(folder), given.rows), flush=True)


def _run(side: str, case: str, out: Path, given: argparse.Namespace) -> dict[str, float]:
    command = [given.peer if side == "peer" else sys.executable, __file__, "--side", side, "--case", case,
               "--out", str(out), "--rows", str(given.rows), "--steps", str(given.steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _row(case: str, sides: dict[str, dict[str, float]], folder: Path, rows: int) -> str:
    import torch

    soft, gradient = _exact(case, rows)
    apart = []
    for side in ("peer", "ours"):
        found = torch.load(folder / f"{side}.pt", weights_only=True)
        apart.append(((found["soft"] - soft).abs().max(), (found["gradient"] - gradient).norm() / gradient.norm()))
    cells = [case]
    for name, digits in (("seconds", 2), ("megabytes", 0)):
        cells += [f"{sides[side][name]:.{digits}f}" for side in ("peer", "ours")]
        cells += [f"{sides['ours'][name] / sides['peer'][name]:.3f}"]
    cells += [f"{off:.1e}" for which in zip(*apart, strict=True) for off in which]
    return f"| {' | '.join(cells)} |"


def _measure(side: str, case: str, given: argparse.Namespace) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    _, length, unique = CASES[case]
    weight, centroids, gradient = _given(case, given.rows)
    step = _ours(centroids, length) if side == "ours" else _peer(centroids, length, unique, weight.numel())
    weight.requires_grad_()
    step(weight[:64].detach().clone().requires_grad_(), gradient[:64])  # what the first call loads is not of the step
    before, seconds = _reset_peak(), []
    for _ in range(given.steps):
        weight.grad = None
        begin = time.process_time()
        soft = step(weight, gradient)
        seconds.append(time.process_time() - begin)
    peak = _status("VmHWM") - before
    torch.save({"soft": soft.detach().float(), "gradient": weight.grad.float()}, given.out)
    return {"seconds": statistics.median(seconds), "megabytes": peak / 1024}


def _given(case: str, rows: int) -> tuple[Any, Any, Any]:
    """Weights, centroids, and the gradient of what comes out."""
    import torch

    kind, length, _ = CASES[case]
    generator = torch.Generator().manual_seed(0)
    weight = (torch.randn(rows, rows, generator=generator) * 0.1).bfloat16().to(getattr(torch, kind))
    centroids = (torch.randn(1 << BITS, length, generator=generator) * 0.1).sort(0).values
    return weight, centroids, torch.randn(rows, rows, generator=generator).to(weight.dtype)


def _exact(case: str, rows: int) -> tuple[Any, Any]:
    weight, centroids, gradient = (values.double() for values in _given(case, rows))
    weight.requires_grad_()
    soft = _ours(centroids, CASES[case][1])(weight, gradient)
    return soft.detach(), weight.grad


def _ours(centroids: Any, length: int) -> Any:
    from linnet.nn.soft.dkm import soft_weights

    def step(weight: Any, gradient: Any) -> Any:
        # coremltools takes vectors along the first axis
        points = weight.T.reshape(-1, length) if length > 1 else weight.reshape(-1, length)
        soft, _ = soft_weights(points, centroids, TAU, iterations=ITERATIONS)
        soft = soft.reshape(weight.T.shape).T if length > 1 else soft.view_as(weight)
        soft.backward(gradient)
        return soft

    return step


def _peer(centroids: Any, length: int, unique: bool, entries: int) -> Any:
    import torch
    from coremltools.optimize.torch.palettization import FakePalettize
    from torch.ao.quantization import MovingAveragePerChannelMinMaxObserver

    observer = MovingAveragePerChannelMinMaxObserver.with_args(dtype=torch.qint8)
    options = {"palett_tau": TAU, "kmeans_max_iter": ITERATIONS, "palett_epsilon": 0.0}
    if unique:
        options |= {"palett_unique": True, "palett_max_mem": 0.5, "palett_min_tsize": entries}
        torch.cuda.get_device_properties = lambda _: SimpleNamespace(total_memory=1)  # type: ignore[assignment]
        torch.cuda.memory_allocated = lambda _: 0  # type: ignore[assignment]
        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)

    def step(weight: Any, gradient: Any) -> Any:
        palette = FakePalettize(observer, BITS, length, advanced_options=options)
        palette.enable_fake_palett()
        palette.create_partitions(weight.detach())
        palette.centroids = [centroids.to(weight.dtype)]
        soft = palette(weight)
        soft.backward(gradient)
        return soft

    return step


def _reset_peak() -> float:
    """Kilobytes in use now, from which on the peak is counted."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name)))


if __name__ == "__main__":
    main()
