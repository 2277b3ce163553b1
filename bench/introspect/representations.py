"""PFA, silent units, CKA and principal directions beside DNIKit and scikit-learn: CPU, memory, and an offset of 1e8.

    PYTHONPATH=. PEERS/bin/python bench/introspect/representations.py [--picture FILE]

PEERS is an environment with dnikit, scikit-learn and Linnet's dependencies. Float32, 256 columns around 50 centres,
as in the protocol of the anchors, in chunks of 1024 rows. Each measurement is a process of its own on one thread. CPU:
the lowest seconds of three runs over rows that are there already, without imports. Memory: the highest above that
before the look, while a generator makes the rows, so that what a look keeps is what shows. scikit-learn's PCA needs all
rows at once. The two peers have no CKA: numpy computes it on all rows.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS, CHUNK, SEED = 256, 1024, 0
COUNTS = (50_000, 100_000, 200_000)
RUNS = 3


READY: list[np.ndarray] = []
"""Chunks that are there already, where CPU is measured."""


def chunks(count: int, offset: float = 0.0) -> Iterator[np.ndarray]:
    """The rows, one chunk made after the other: blobs whose noise repeats, which costs little to make."""
    if READY:
        yield from READY[: -(-count // CHUNK)]
        return
    rng = np.random.default_rng(SEED)
    centres = 2 * rng.normal(size=(50, COLUMNS)).astype(np.float32)
    noise = rng.normal(size=(16 * CHUNK, COLUMNS)).astype(np.float32)
    for start in range(0, count, CHUNK):
        size, shift = min(CHUNK, count - start), int(rng.integers(0, 15 * CHUNK))
        rows = centres[rng.integers(0, 50, size)]
        rows += noise[shift : shift + size]
        yield rows if not offset else rows.astype(np.float64) + offset


class Counted:
    """A producer as DNIKit wants it."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, batch_size: int) -> Iterator[Any]:
        from dnikit.base import Batch

        assert batch_size == CHUNK
        for rows in chunks(self.count):
            yield Batch({"layer": rows})


def named(count: int, two: bool = False) -> Iterator[dict[str, np.ndarray]]:
    for rows in chunks(count):
        yield {"first": rows[:, :128], "second": rows[:, 128:]} if two else {"layer": rows}


def our_pfa(count: int) -> Any:
    from linnet.introspect import pfa, redundancy

    return pfa(redundancy(named(count)), recipe="kl")


def dnikit_pfa(count: int) -> Any:
    import dnikit.introspectors as looks

    return looks.PFA.introspect(Counted(count), batch_size=CHUNK).get_recipe()


def our_inactive(count: int) -> Any:
    from linnet.introspect import inactive

    return inactive(named(count))


def dnikit_inactive(count: int) -> Any:
    import dnikit.introspectors as looks

    return looks.IUA.introspect(Counted(count), batch_size=CHUNK).results


def our_principal(count: int) -> Any:
    from linnet.introspect import principal

    return principal(chunks(count), 40)


def our_principal_whole(count: int) -> Any:
    from linnet.introspect import principal

    return principal(np.concatenate(list(chunks(count))), 40)


def sklearn_incremental(count: int) -> Any:
    from sklearn.decomposition import IncrementalPCA

    made = IncrementalPCA(40)
    for rows in chunks(count):
        if len(rows) >= 40:
            made.partial_fit(rows)
    return made


def sklearn_whole(count: int) -> Any:
    from sklearn.decomposition import PCA

    return PCA(40).fit(np.concatenate(list(chunks(count))))


def dnikit_principal(count: int) -> Any:
    import dnikit.introspectors as looks

    strategy = looks.DimensionReduction.Strategy.PCA(40)
    return looks.DimensionReduction.introspect(Counted(count), batch_size=CHUNK, strategies=strategy)


def our_cka(count: int) -> Any:
    from linnet.introspect import cka

    return cka(named(count, two=True))


def numpy_cka(count: int) -> Any:
    """The formula on all rows at once: there is no CKA in the two peers."""
    parts = [tuple(part.values()) for part in named(count, two=True)]
    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    return np.linalg.norm(second.T @ first) ** 2 / np.linalg.norm(first.T @ first) / np.linalg.norm(second.T @ second)


LOOKS: dict[str, dict[str, Callable[[int], Any]]] = {
    "PFA": {"Linnet": our_pfa, "DNIKit": dnikit_pfa},
    "silent units": {"Linnet": our_inactive, "DNIKit": dnikit_inactive},
    "PCA, 40 directions": {"Linnet": our_principal, "DNIKit": dnikit_principal,
                           "scikit-learn, incremental": sklearn_incremental, "Linnet, all rows": our_principal_whole,
                           "scikit-learn, all rows": sklearn_whole},
    "CKA, 128 and 128 columns": {"Linnet": our_cka, "numpy, all rows": numpy_cka},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=4, metavar=("LOOK", "WHOSE", "COUNT", "WHAT"))
    parser.add_argument("--picture", type=Path)
    wanted = parser.parse_args()
    if wanted.one:
        warnings.simplefilter("ignore")
        look, whose, count, what = wanted.one
        print((seconds if what == "cpu" else megabytes)(LOOKS[look][whose], int(count)))
        return
    found = table()
    offsets()
    if wanted.picture:
        wanted.picture.write_text(picture(found))


def table() -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Prints CPU seconds and megabytes of each look and peer; returns them by look and peer."""
    print("| look | whose | CPU s, 100,000 rows | MB above before: 50,000 | 100,000 | 200,000 rows |")
    print("|---|---|---|---|---|---|")
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for look, peers in LOOKS.items():
        found[look] = {}
        for whose in peers:
            cells = [apart(look, whose, count) for count in COUNTS]
            found[look][whose] = cells
            print(f"| {look} | {whose} | {cells[1][0]:.3f} | " + " | ".join(f"{mb:.0f}" for _, mb in cells) + " |",
                  flush=True)
    return found


def apart(look: str, whose: str, count: int) -> tuple[float, float]:
    """(CPU seconds or 0, megabytes), each in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def done(what: str) -> float:
        command = [sys.executable, __file__, "--one", look, whose, str(count), what]
        said = subprocess.run(command, check=True, text=True, capture_output=True, env=environment).stdout
        return float(said.splitlines()[-1])

    return done("cpu") if count == COUNTS[1] else 0.0, done("memory")


def seconds(look: Callable[[int], Any], count: int) -> float:
    """The lowest CPU seconds of some runs."""
    READY.extend(list(chunks(count)))
    look(5 * CHUNK)  # imports
    taken = []
    for _ in range(RUNS):
        begun = time.process_time()
        look(count)
        taken.append(time.process_time() - begun)
    return min(taken)


def megabytes(look: Callable[[int], Any], count: int) -> float:
    """The highest memory above that before the look."""
    look(5 * CHUNK)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    look(count)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def offsets() -> None:
    """What an offset does: the largest error of the covariance, and how many units PFA keeps."""
    from dnikit.introspectors._pfa._covariances_calculator import _CovariancesCalculator  # its one-pass covariance
    from sklearn.decomposition import PCA

    from linnet.introspect import Moments, principal

    print("\n| offset | Linnet, error of the covariance | DNIKit | Linnet, error of the first variance | "
          "scikit-learn PCA |\n|---|---|---|---|---|")
    exact = np.cov(np.concatenate(list(chunks(20_000, 0.0))).astype(np.float64).T, bias=True)
    first = np.linalg.eigvalsh(exact)[-1]
    for offset in (0.0, 1e4, 1e6, 1e8):
        moments, peer = Moments(), _CovariancesCalculator()
        for rows in chunks(20_000, offset or 1e-30):
            moments.update(rows)
            peer.add_batch(rows)
        whole = np.concatenate(list(chunks(20_000, offset or 1e-30)))
        ours = principal(chunks(20_000, offset or 1e-30), 1).variances[0]
        theirs = PCA(1, svd_solver="covariance_eigh").fit(whole).explained_variance_[0]
        errors = [np.abs(moments.covariance - exact).max(), np.abs(peer.get_centered_covariances() - exact).max(),
                  abs(ours / first - 1), abs(theirs * (len(whole) - 1) / len(whole) / first - 1)]
        print(f"| {offset:.0e} | " + " | ".join(f"{error:.1e}" for error in errors) + " |", flush=True)


def picture(found: dict[str, dict[str, list[tuple[float, float]]]]) -> str:
    """Memory of principal directions by rows, as SVG."""
    lines = found["PCA, 40 directions"]
    highest = max(mb for cells in lines.values() for _, mb in cells)
    colours = {"Linnet": "#0a7d5a", "DNIKit": "#b5532a", "scikit-learn, incremental": "#5b6ab0",
               "Linnet, all rows": "#7bb8a4", "scikit-learn, all rows": "#888"}
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 260" font-family="sans-serif" font-size="12">',
             '<rect width="520" height="260" fill="white"/>',
             '<text x="20" y="22" font-size="14">Memory of principal directions, by number of rows</text>']
    for tick in range(4):
        y = 220 - 160 * tick / 3
        parts.append(f'<line x1="70" x2="340" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>'
                     f'<text x="62" y="{y + 4:.0f}" text-anchor="end">{highest * tick / 3:.0f} MB</text>')
    xs = [70 + 270 * count / COUNTS[-1] for count in COUNTS]
    parts += [f'<text x="{x:.0f}" y="240" text-anchor="middle">{count:,}</text>' for x, count in zip(xs, COUNTS,
                                                                                                 strict=True)]
    for place, (whose, cells) in enumerate(lines.items()):
        points = " ".join(f"{x:.1f},{220 - 160 * mb / highest:.1f}" for x, (_, mb) in zip(xs, cells, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[whose]}" stroke-width="2.5"/>')
        parts.append(f'<text x="352" y="{70 + 20 * place}" fill="{colours[whose]}">{whose}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
