"""What claims promise where it is not exact, and what they promise together: clusters, and many files on one test part.

    python bench/evidence_claims.py [--quick]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit

from linnet.evidence.claims.spending import level_at
from linnet.evidence.comparisons.paired import lower_of_shares
from linnet.evidence.intervals.clusters import known_rows

Floats = NDArray[np.float64]
ROWS = 40
LEVELS = (0.95, level_at(1, 0.95), level_at(2, 0.95))
MEANS = ((0.005, 5), (0.01, 10), (0.02, 10), (0.05, 10), (0.05, 2), (0.1, 10), (0.2, 10), (0.5, 5))
PAIRS = ((0.01, 0.005, 10), (0.02, 0.01, 10), (0.02, 0.05, 10), (0.05, 0.025, 10), (0.1, 0.05, 10),
         (0.1, 0.05, 1e6), (0.005, 0.005, 1e6), (0.3, 0.1, 10))


def effective_rows(counts: Floats, level: float, *, is_wary: bool = True) -> tuple[Floats, Floats]:
    """The share of each run (runs, clusters of ROWS), and the independent rows that a claim takes it to rest on."""
    clusters = counts.shape[1]
    n, mean = clusters * ROWS, counts.sum(axis=1) / (clusters * ROWS)
    variance = clusters / (clusters - 1) * np.square(counts - mean[:, None] * ROWS).sum(axis=1) / n**2
    independent = mean * (1 - mean) / n
    is_spread = (variance > 0) & (independent > 0)
    worth = np.where(is_spread, np.minimum(1.0, independent / np.where(is_spread, variance, 1.0)), 1.0)
    rows = worth * n * (stdtrit(n - 1, level) / stdtrit(clusters - 1, level)) ** 2
    return mean, known_rows(rows, mean, clusters, level) if is_wary else rows


def mean_misses(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(0)
    for clusters in (10, 20, 40, 100, 200):
        for wrong, size in MEANS:
            counts = rng.binomial(ROWS, rng.beta(wrong * size, (1 - wrong) * size, (runs, clusters))).astype(float)
            missed = []
            for level in LEVELS:
                for is_wary in (True, False):
                    mean, rows = effective_rows(counts, level, is_wary=is_wary)
                    right = np.maximum((1 - mean) * rows, 1e-9)
                    upper = np.where(mean < 1, betaincinv(mean * rows + 1, right, level), 1.0)
                    missed.append(f"{(upper < wrong).mean():.4f}")
            yield clusters, wrong, size, *missed


def difference_misses(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(1)
    for clusters in (10, 20, 40, 100):
        for worse, better, size in PAIRS:
            shape = (runs, clusters)
            lost = rng.binomial(ROWS, rng.beta(worse * size, (1 - worse) * size, shape))
            gained = rng.binomial(ROWS - lost, rng.beta(better * size, (1 - better) * size, shape))
            truth, found = better * (1 - worse) - worse, []
            for level in LEVELS:
                (w, rows), (i, others) = (effective_rows(c.astype(float), level) for c in (lost, gained))
                low = lower_of_shares(w, i, rows, others, level)
                found += [f"{(low > truth).mean():.4f}", f"{100 * (truth - low).mean():.1f}"]
            yield clusters, worse, better, f"{size:g}", *found


def tried(runs: int) -> Iterator[Sequence[object]]:
    """Somebody tries files that are exactly as bad as the claim denies, until one claim holds."""
    rng = np.random.default_rng(2)
    for bound, n in ((0.8, 300), (0.95, 1000), (0.99, 3000)):
        right = rng.binomial(n, bound - 1e-9, (runs, 50))
        for files in (1, 2, 10, 50):
            shown = []
            for is_paid in (True, False):
                levels = [level_at(number, 0.95) if is_paid else 0.95 for number in range(1, files + 1)]
                lower = betaincinv(right[:, :files], n - right[:, :files] + 1, 1 - np.array(levels))
                shown.append(f"{(lower >= bound).any(axis=1).mean():.4f}")
            yield bound, n, files, *shown


def learnt(runs: int) -> Iterator[Sequence[object]]:
    """Files that toss coins, their exact accuracies read off the test part, and a majority of them as the last file."""
    rng, rows = np.random.default_rng(3), 1000
    for files in (1, 5, 20, 50, 200):
        shown = np.zeros(2)
        for _ in range(runs):
            right = rng.random((files, rows)) < 0.5
            votes = np.where(right.mean(axis=1)[:, None] >= 0.5, right, ~right).sum(axis=0)
            last = int((votes > files / 2).sum() + rng.binomial(int((votes * 2 == files).sum()), 0.5))
            for column, level in enumerate((level_at(files + 1, 0.95), 0.95)):
                shown[column] += betaincinv(last, rows - last + 1, 1 - level) >= 0.5
        yield files, *(f"{share:.3f}" for share in shown / runs)


def table(head: Sequence[str], lines: Iterator[Sequence[object]]) -> None:
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for line in lines:
        print("| " + " | ".join(map(str, line)) + " |", flush=True)


def main() -> None:
    runs = 400 if "--quick" in sys.argv else 20_000
    error = (0.05 * 0.95 / runs) ** 0.5
    print(f"{runs:,} runs a cell; Monte Carlo error {error:.4f} at 0.05, {(0.005 * 0.995 / runs) ** 0.5:.4f} at 0.005.")
    alphas = [f"{1 - level:.3g}" for level in LEVELS]
    print("\n## Accuracy by cluster: how often the bound misses; 'bold' takes few errors as they are\n")
    table(["clusters of 40", "wrong", "concentration", *(f"at {a}{b}" for a in alphas for b in ("", ", bold"))],
          mean_misses(runs))
    print("\n## Differences by cluster: how often the bound misses, and how far it lies below the truth (points)\n")
    table(["clusters of 40", "worsened", "improved", "concentration", *(f"{b}{a}" for a in alphas
                                                                         for b in ("at ", "points at "))],
          difference_misses(runs))
    print("\n## Files tried on one test part, none of which deserves its claim: any claim holds\n")
    table(["bound", "rows", "files", "paying for looks", "not paying"], tried(runs))
    print("\n## What no share of alpha pays for: a last file made from the figures of earlier ones "
          f"({runs // 40} runs)\n")
    table(["earlier files", "false claims, paying", "not paying"], learnt(runs // 40))


if __name__ == "__main__":
    main()
