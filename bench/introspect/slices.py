"""Slices: how often something false is told, and how many rows it takes to find something true.

    .venv/bin/python bench/introspect/slices.py [--runs 200] [--power-runs 100] [--sizes N ...] [--picture FILE.svg]

Null: 2000 rows, 10 % errors that mean nothing, 300 random candidate slices of 2 to 20 % of the rows; the usual rules
on the same runs. With clusters: 2000 rows of 50 speakers whose error rates differ (standard deviation 10 points), half
of the candidates are whole speakers, half cut through them. Planted: 3 % of the rows are wrong at 20 %, the rest at
10 %; as one of 300 columns; as a cluster among 21 of 16 features; as the nearest 3 % around a random sample, which
are no cluster. A region counts as found where a slice that is told has half of it and half of the slice lies in it.
"One question" asks about the planted slice alone, on all rows: nobody who searches can do better. A Monte Carlo error
of 200 runs is 1.5 points at 5 %, of 100 runs 3 points at 90 %. Ten CPU minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet import introspect
from linnet.evidence import DataRef, Scores
from linnet.evidence.intervals import binomial
from linnet.evidence.many import benjamini_hochberg
from linnet.evidence.many.slice_tests import by_row

ROWS, ERRORS, CANDIDATES, SIZES = 2000, 0.1, 300, [2000, 5000, 10_000, 12_000, 15_000, 20_000]
PLANTED, GAP = 0.03, 0.1
PLANTINGS = ["column", "cluster of features", "neighbourhood"]
Masks = NDArray[np.bool_]
Floats = NDArray[np.float64]


def scored(wrong: Floats, groups: dict[str, Any] | None = None) -> Scores:
    """Scores with these errors."""
    ids = [str(row) for row in range(len(wrong))]
    data = DataRef(population="simulated rows", fingerprint="0" * 64, rows=len(wrong))
    return Scores(ids, ids, ids, 1.0 - wrong, data, "0" * 64, groups=groups or {})


def named(masks: Masks) -> dict[str, Masks]:
    """Columns of true and false."""
    return {str(place): mask for place, mask in enumerate(masks)}


def rules(wrong: Floats, masks: Masks) -> dict[str, int]:
    """How many slices the usual rules tell."""
    p_values, sizes = by_row(wrong, masks), masks.sum(axis=1)
    gaps = (masks @ wrong) / sizes - wrong.mean()
    return {"p < 0.05": int((p_values < 0.05).sum()),
            "gap > 5 points, 20 rows": int(((gaps > 0.05) & (sizes >= 20)).sum()),
            "Benjamini-Hochberg 5 %": int((np.array(benjamini_hochberg(p_values.tolist())) < 0.05).sum()),
            "Bonferroni 5 %": int((p_values < 0.05 / len(masks)).sum())}


def random_masks(rng: np.random.Generator, rows: int) -> Masks:
    """300 candidates of 2 to 20 % of the rows."""
    return np.asarray(rng.random((CANDIDATES, rows)) < rng.uniform(0.02, 0.2, (CANDIDATES, 1)))


def null(rng: np.random.Generator) -> dict[str, int]:
    """One run in which nothing is there: how many slices each tells."""
    wrong, masks = (rng.random(ROWS) < ERRORS).astype(float), random_masks(rng, ROWS)
    scores, seed = scored(wrong), int(rng.integers(2**31))
    look: dict[str, dict[str, Any]] = {
        "Linnet, the 300": {"attributes": named(masks), "paired": False},
        "Linnet, the 300 and pairs of 60": {"attributes": named(masks)},
        "Linnet, 16 features": {"attributes": {}, "features": rng.normal(size=(ROWS, 16))}}
    return rules(wrong, masks) | {name: len(introspect.slices(scores, seed=seed, **how)) for name, how in look.items()}


def clustered_null(rng: np.random.Generator) -> dict[str, int]:
    """The same where errors hang together in speakers; features that tell speakers apart."""
    speaker = rng.permutation(np.arange(ROWS) % 50)
    size = ERRORS * (1 - ERRORS) / 0.1**2 - 1
    wrong = (rng.random(ROWS) < rng.beta(ERRORS * size, (1 - ERRORS) * size, 50)[speaker]).astype(float)
    whole = rng.random((CANDIDATES // 2, 50)) < rng.uniform(0.04, 0.2, (CANDIDATES // 2, 1))
    masks = np.concatenate([whole[:, speaker], random_masks(rng, ROWS)[: CANDIDATES // 2]])
    masks = masks[(masks.sum(axis=1) > 0)]
    features, seed = rng.normal(size=(50, 16))[speaker] + 0.5 * rng.normal(size=(ROWS, 16)), int(rng.integers(2**31))
    scores = scored(wrong, {"speaker": [str(one) for one in speaker]})
    alike = {"attributes": named(masks), "paired": False, "seed": seed}
    return rules(wrong, masks) | {
        "Linnet, without clusters": len(introspect.slices(scores, **alike)),
        "Linnet, clusters": len(introspect.slices(scores, clusters="speaker", **alike)),
        "Linnet, clusters and features": len(introspect.slices(scores, clusters="speaker", features=features, **alike))}


def planted_column(rng: np.random.Generator, rows: int) -> dict[str, bool]:
    """Whether the planted one of 300 columns is told."""
    masks, truth = random_masks(rng, rows), np.arange(rows) < PLANTED * rows
    masks[0] = truth
    wrong = (rng.random(rows) < ERRORS + GAP * truth).astype(float)
    p_values = by_row(wrong, masks)
    found = introspect.slices(scored(wrong), attributes=named(masks), paired=False, seed=int(rng.integers(2**31)))
    return {"one question": bool(p_values[0] < 0.05), "Bonferroni, all rows": bool(p_values[0] < 0.05 / CANDIDATES),
            "column": "0=true" in found.subjects}


def planted_region(rng: np.random.Generator, rows: int, *, is_cluster: bool) -> bool:
    """Whether a slice that is told is about the planted region."""
    truth = np.arange(rows) < PLANTED * rows
    centres = rng.normal(size=(21, 16)) * 2
    member = np.where(truth & is_cluster, 20, rng.integers(0, 20, rows))
    features = centres[member] + rng.normal(size=(rows, 16))
    if not is_cluster:
        far = np.square(features - features[int(rng.integers(rows))]).sum(axis=1)
        truth = far <= np.quantile(far, PLANTED)
    wrong = (rng.random(rows) < ERRORS + GAP * truth).astype(float)
    seen: list[Masks] = []
    found = introspect.slices(scored(wrong), attributes={}, features=features, seed=int(rng.integers(2**31)))
    for finding in found:
        seen.append(np.isin(np.arange(rows), np.array(finding.evidence["members"], dtype=int)))
    return any((mask & truth).sum() >= 0.5 * max(mask.sum(), truth.sum()) for mask in seen)


def plant(kind: str, rng: np.random.Generator, rows: int) -> dict[str, bool]:
    """One run with one kind of slice."""
    if kind == "column":
        return planted_column(rng, rows)
    return {kind: planted_region(rng, rows, is_cluster=kind == PLANTINGS[1])}


def share(hits: int, runs: int) -> str:
    """A share with its exact 95 % interval."""
    low, high = binomial(hits, runs)
    return f"{hits / runs:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    """Simulate; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--power-runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--planted", choices=PLANTINGS, nargs="+", default=PLANTINGS)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    if given.runs:
        table("nothing there", null, given)
        table("nothing there, errors hang together in 50 speakers", clustered_null, given)
    curve = powers(given) if given.power_runs else {}
    if given.picture and curve:
        given.picture.write_text(picture(curve, given.sizes, given.power_runs), encoding="utf-8")


def table(title: str, simulate: Callable[[np.random.Generator], dict[str, int]], given: argparse.Namespace) -> None:
    """False slices a run, and the share of runs with any."""
    runs = [simulate(np.random.default_rng([given.seed, run])) for run in range(given.runs)]
    print(f"\n| {title}, {given.runs} runs | false slices a run | runs with any (95 % interval) |\n|---|---|---|")
    for rule in runs[0]:
        told = [run[rule] for run in runs]
        print(f"| {rule} | {np.mean(told):.3f} | {share(sum(one > 0 for one in told), given.runs)} |", flush=True)


def powers(given: argparse.Namespace) -> dict[str, list[float]]:
    """How often the planted slice is found, over the number of rows."""
    curve: dict[str, list[float]] = {}
    runs = given.power_runs
    for rows in given.sizes:
        found: dict[str, int] = {}
        for run in range(runs):
            one: dict[str, bool] = {}
            rng = np.random.default_rng([given.seed + 1, rows, run])
            for kind in given.planted:
                one |= plant(kind, rng, rows)
            for name, is_found in one.items():
                found[name] = found.get(name, 0) + is_found
        if not curve:
            print(f"\n| rows ({runs} runs each) | " + " | ".join(found) + " |\n|" + "---|" * (len(found) + 1))
        print(f"| {rows:,} | " + " | ".join(share(count, runs) for count in found.values()) + " |", flush=True)
        for name, count in found.items():
            curve.setdefault(name, []).append(count / runs)
    return curve


COLOURS = ("#999999", "#bb8800", "#0066cc", "#228833", "#aa3377")


def picture(curve: dict[str, list[float]], sizes: list[int], runs: int) -> str:
    """The curves as SVG."""
    def at(rows: float, found: float) -> str:
        return f"{60 + 480 * rows / sizes[-1]:.1f},{270 - 240 * found:.1f}"

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 320" font-family="sans-serif" font-size="13">'
             f'<rect width="760" height="320" fill="#fff"/><text x="60" y="20">A slice of 3 % that is wrong at 20 % '
             f'instead of 10 %: how often it is found ({runs} runs a point)</text>']
    for tick in (0, 0.5, 0.9, 1):
        y = 270 - 240 * tick
        lines.append(f'<line x1="60" x2="540" y1="{y}" y2="{y}" stroke="#ddd"/><text x="52" y="{y + 4}" '
                     f'text-anchor="end">{tick:g}</text>')
    lines += [f'<text x="{60 + 480 * rows / sizes[-1]:.0f}" y="290" text-anchor="middle">{rows:,}</text>'
              for rows in sizes]
    lines.append('<text x="300" y="312" text-anchor="middle">rows</text>')
    for place, (name, found) in enumerate(curve.items()):
        points = " ".join(at(rows, one) for rows, one in zip(sizes, found, strict=True))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[place]}" stroke-width="2"/>'
                     f'<text x="555" y="{60 + 22 * place}" fill="{COLOURS[place]}">{name}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
