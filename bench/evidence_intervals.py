"""How often intervals miss, how wide they are and what they cost, beside scipy and statsmodels.

    .venv/bin/python bench/evidence_intervals.py [--quick]

Everything is at level 0.95: 5 % misses are meant. Seeds are fixed. A Monte Carlo error (one standard deviation) stands
under each table; Wilson's and Clopper and Pearson's misses are enumerated and have none. Exact methods must miss at
most 5 %. Approximate ones must miss at most 6 % from the sizes on that their constants name, and exclude nothing below;
their tables show them with and without those limits.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from linnet.evidence import intervals
from linnet.evidence.intervals import bootstrap
from linnet.evidence.intervals.approximate import MINIMUM_COUNT
from linnet.evidence.intervals.bernstein import excess
from linnet.evidence.intervals.bets import log_wealth

LEVEL, ALPHA = 0.95, 0.05
Floats = NDArray[np.float64]
SIDE = -math.log(ALPHA / 2)


class Rows(NamedTuple):
    """A distribution of one score."""

    name: str
    draw: Callable[[np.random.Generator, tuple[int, int]], Floats]
    mean: float


class Clustered(NamedTuple):
    """Right and wrong answers of clusters that differ, of 5 to 79 rows each; `informative` is how much size and share
    go together: the share of a cluster is multiplied by 1 - informative where it has 42 rows or more."""

    name: str
    share: float
    concentration: float
    informative: float = 0.0

    @property
    def mean(self) -> float:
        """The mean over all rows of the population of clusters."""
        sizes = np.arange(5, 80)
        shares = self.share * np.where(sizes >= 42, 1 - self.informative, 1.0)
        return float((sizes * shares).sum() / sizes.sum())

    def draw(self, rng: np.random.Generator, clusters: int) -> tuple[Floats, NDArray[np.int64]]:
        """Right answers and sizes of so many clusters."""
        sizes = rng.integers(5, 80, clusters)
        own = rng.beta(self.share * self.concentration, (1 - self.share) * self.concentration, clusters)
        own = own * np.where(sizes >= 42, 1 - self.informative, 1.0)
        return rng.binomial(sizes, own).astype(np.float64), sizes


def bernoulli(share: float) -> Rows:
    return Rows(f"Bernoulli {share:g}", lambda rng, shape: (rng.random(shape) < share).astype(np.float64), share)


SKEWED = [
    Rows("Beta(0.1, 1)", lambda rng, shape: rng.beta(0.1, 1, shape), 1 / 11),
    Rows("9 in 10 zero, else Beta(2, 2)", lambda rng, shape: (rng.random(shape) < 0.1) * rng.beta(2, 2, shape), 0.05),
]
GRADED = [*SKEWED, Rows("Beta(2, 2)", lambda rng, shape: rng.beta(2, 2, shape), 0.5),
          Rows("Beta(20, 20)", lambda rng, shape: rng.beta(20, 20, shape), 0.5)]
UNLIMITED = Rows("log-normal", lambda rng, shape: rng.lognormal(0, 1, shape), math.exp(0.5))
MIXED = Rows("half the rows 0.1, half 0.9",
             lambda rng, shape: (rng.random(shape) < np.where(np.arange(shape[1]) % 2, 0.1, 0.9)).astype(float), 0.5)
SHARES = (0.5, 0.05, 0.01, 0.001)
CLUSTERED = [Clustered(f"share {share:g}, concentration {concentration:g}", share, concentration) for
             share, concentration in ((0.5, 2), (0.5, 50), (0.8, 10), (0.9, 10), (0.95, 10), (0.95, 50), (0.99, 10))]
INFORMATIVE = [Clustered(f"share {share:g}, large clusters half of it", share, 20, 0.5) for share in (0.5, 0.9)]


def table(heads: Sequence[str], lines: Iterator[Sequence[object]]) -> None:
    """Print lines as they come."""
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for line in lines:
        print("| " + " | ".join(str(cell) for cell in line) + " |", flush=True)


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def exact_misses(sums: Floats, sizes: Floats, mean: float, scale: Floats) -> tuple[float, float]:
    """Shares of runs (runs, clusters) in which betting and empirical Bernstein exclude the true mean.

    The excluded means are those up to a point, so the interval misses where the truth itself is excluded.
    """
    wealth = np.zeros(len(sums), bool)
    deviates = np.zeros(len(sums), bool)
    for part, truth in ((sums, mean), (sizes - sums, 1 - mean)):
        wealth |= log_wealth(part, sizes, truth, ALPHA / 2, scale) >= SIDE
        deviates |= excess(part, sizes, truth, math.log(4 / ALPHA)) > 0
    return float(wealth.mean()), float(deviates.mean())


def in_parts(runs: int, n: int) -> list[int]:
    size = max(1, 200_000 // n)
    return [min(size, runs - start) for start in range(0, runs, size)]


def rows_exact(runs: int, sizes: Sequence[int]) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(0)
    for cell in [*map(bernoulli, SHARES), *SKEWED, MIXED]:
        for n in sizes:
            missed = np.zeros(2)
            for part in in_parts(runs, n):
                drawn = cell.draw(rng, (part, n))
                missed += part * np.array(exact_misses(drawn, np.ones(n), cell.mean, np.float64(n)))
            binomial = percent(enumerated_binomial(cell.mean, n)) if cell.name.startswith("Bernoulli") else ""
            yield cell.name, f"{n:,}", *(percent(share) for share in missed / runs), binomial


def enumerated_binomial(share: float, n: int) -> float:
    """The exact chance that Clopper and Pearson's interval misses."""
    successes = np.arange(n + 1)
    low = stats.beta.ppf(ALPHA / 2, np.maximum(successes, 1e-300), n - successes + 1)
    high = stats.beta.ppf(1 - ALPHA / 2, successes + 1, np.maximum(n - successes, 1e-300))
    missed = (np.where(successes > 0, low, 0) > share) | (np.where(successes < n, high, 1) < share)
    return float(stats.binom.pmf(successes, n, share)[missed].sum())


def clusters_exact(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(1)
    for cell in [*CLUSTERED, *INFORMATIVE]:
        for clusters in (10, 20, 40):
            right, sizes = (np.array(each, dtype=float) for each in zip(
                *(cell.draw(rng, clusters) for _ in range(runs)), strict=True))
            unit = sizes.max(axis=1, keepdims=True)
            known = exact_misses(right / unit, sizes / unit, cell.mean, np.square(sizes / unit).sum(1))
            stated = exact_misses(right / 79, sizes / 79, cell.mean, np.full(runs, float(clusters)))
            rows = np.mean([low > cell.mean or high < cell.mean for low, high in (
                intervals.binomial(int(each.sum()), int(size.sum())) for each, size in zip(right, sizes, strict=True))])
            yield cell.name, clusters, *map(percent, (known[0], stated[0], known[1], stated[1], rows))


def wilson_worst(counts: Sequence[int]) -> Iterator[Sequence[object]]:
    """The worst share for every n, just beside an end of an interval, where the chance of a miss jumps."""
    for least in counts:
        worst = [worst_of_wilson(n, least) for n in (20, 50, 100, 200, 500, 1000, 5000, 20000)]
        yield least, *map(percent, worst)


def worst_of_wilson(n: int, least: int) -> float:
    successes = np.arange(n + 1)
    low, high = wilson_ends(n)
    decided = np.minimum(successes, n - successes) >= least
    if not decided.any():
        return 0.0
    ends = np.unique(np.concatenate([low[decided], high[decided]]))
    ends = ends[(ends > 0) & (ends <= 0.5)][:500]
    worst = 0.0
    for share in np.concatenate([ends - 1e-9, ends + 1e-9]).clip(1e-12):
        near = slice(*np.clip(np.array([-1, 1]) * 9 * math.sqrt(n * share + 9) + n * share, 0, n + 1).astype(int))
        missed = decided[near] & ((low[near] > share) | (high[near] < share))
        worst = max(worst, float(stats.binom.pmf(successes[near][missed], n, share).sum()))
    return worst


def wilson_ends(n: int) -> tuple[Floats, Floats]:
    z = stats.norm.ppf(1 - ALPHA / 2)
    share = np.arange(n + 1) / n
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    return centre - half, centre + half


class Runs(NamedTuple):
    """Misses of each run without the limits, and what the limits look at."""

    missed: dict[str, NDArray[np.bool_]]
    skewness: Floats
    n: int


def bootstrapped(samples: Iterator[tuple[Floats, NDArray[np.int64] | None]], mean: float, n: int) -> Runs:
    """Both bootstraps with their limits taken away, on rows or on right answers and sizes of clusters."""
    missed: dict[str, list[bool]] = {"bca": [], "studentised": []}
    skewness = []
    for seed, (sums, sizes) in enumerate(samples):
        given = None if sizes is None else sizes.astype(np.float64)
        residuals = sums - (sums.mean() if given is None else sums.sum() / given.sum() * given)
        skewness.append(math.inf if np.ptp(residuals) < 1e-9 else bootstrap.skewness_of_mean(residuals))
        for method in (bootstrap.bca, bootstrap.studentised):
            low, high = method(sums, LEVEL, denominator=given, resamples=600, seed=seed)
            missed[method.__name__].append(low > mean or high < mean)
    return Runs({name: np.array(each) for name, each in missed.items()}, np.array(skewness), n)


def bootstrap_runs(runs: int) -> Iterator[tuple[str, str, Runs]]:
    """Whole clusters as rows with a denominator: what `clusters=` makes of them, without making the rows."""
    rng = np.random.default_rng(2)
    cells = [*((bernoulli(share), n) for share, n in (
        (0.5, 20), (0.5, 100), (0.05, 100), (0.05, 1000), (0.01, 1000), (0.01, 5000), (0.001, 10000), (0.001, 30000))),
        *((cell, n) for cell in SKEWED for n in (20, 50, 400)), (UNLIMITED, 20), (UNLIMITED, 200)]
    for cell, n in cells:
        samples = ((cell.draw(rng, (1, n))[0], None) for _ in range(runs))
        yield cell.name, "rows", bootstrapped(samples, cell.mean, n)
    for clustered in CLUSTERED:
        for n in (10, 15, 20, 40):
            yield clustered.name, "clusters", bootstrapped((clustered.draw(rng, n) for _ in range(runs)),
                                                           clustered.mean, n)


def without_limits(runs: int) -> list[tuple[str, str, Runs]]:
    kept = bootstrap.MINIMUM_ROWS, bootstrap.MINIMUM_CLUSTERS, bootstrap.MAXIMUM_SKEWNESS
    bootstrap.MINIMUM_ROWS = bootstrap.MINIMUM_CLUSTERS = 2
    bootstrap.MAXIMUM_SKEWNESS = 1e9
    try:
        return list(bootstrap_runs(runs))
    finally:
        bootstrap.MINIMUM_ROWS, bootstrap.MINIMUM_CLUSTERS, bootstrap.MAXIMUM_SKEWNESS = kept


def bootstrap_lines(results: list[tuple[str, str, Runs]]) -> Iterator[Sequence[object]]:
    for name, unit, each in results:
        least = bootstrap.MINIMUM_ROWS if unit == "rows" else bootstrap.MINIMUM_CLUSTERS
        decided = (each.skewness <= bootstrap.MAXIMUM_SKEWNESS) & (each.n >= least)
        share = f"{percent(float(decided.mean()))}" if decided.any() else "undecided"
        yield (name, f"{each.n:,} {unit}", share,
               *(percent(float(part.mean())) for missed in each.missed.values() for part in (missed & decided, missed)))


def limits_lines(results: list[tuple[str, str, Runs]]) -> Iterator[Sequence[object]]:
    """The worst cell under other limits: from here the constants come."""
    for skewness in (0.1, 0.2, 0.3, 0.5, math.inf):
        for clusters in (10, 15, 20, 40):
            cells = [each for _, unit, each in results if each.n >= (20 if unit == "rows" else clusters)]
            worst = {name: max(float((each.missed[name] & (each.skewness <= skewness)).mean()) for each in cells)
                     for name in ("bca", "studentised")}
            yield skewness, clusters, *map(percent, worst.values())


def clusters_approximate(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(3)
    for cell in CLUSTERED:
        for clusters in (10, 20, 40):
            missed, decided = np.zeros(3), 0.0
            for _ in range(runs):
                right, sizes = cell.draw(rng, clusters)
                spread = intervals.cluster_spread(*rows_of(right, sizes))
                ends = np.array([
                    intervals.wilson(right, sizes, LEVEL, clusters=np.arange(clusters)),
                    intervals.clustered_mean(*rows_of(right, sizes), LEVEL),
                    counted(spread, intervals.t_adjusted(spread, (1 + LEVEL) / 2))])
                decided += np.ptp(ends[0]) < 1
                missed += (ends[:, 0] > cell.mean) | (ends[:, 1] < cell.mean)
            share = decided / runs
            yield cell.name, clusters, percent(share) if share else "undecided", *(percent(m / runs) for m in missed)


def counted(spread: intervals.ClusterSpread, rows: float) -> tuple[float, float]:
    """The interval at so many rows, whatever is known of how alike a cluster's rows are."""
    ends = [intervals.beta_lower(mean * rows, rows, (1 + LEVEL) / 2) for mean in (spread.mean, 1 - spread.mean)]
    return ends[0], 1 - ends[1]


def rows_of(right: Floats, sizes: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """The scores and cluster labels behind right answers and sizes of clusters."""
    counts = np.stack([right, sizes - right], axis=1).astype(int)
    return np.repeat(np.tile([1.0, 0.0], len(right)), counts.ravel()), np.repeat(np.arange(len(right)), sizes)


def quantiles(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(4)
    for quantile in (0.5, 0.9):
        for clusters in (20, 40):
            labels = np.repeat(np.arange(clusters), 10)
            truth = stats.norm.ppf(quantile) * math.sqrt(2)
            ends = np.array([[
                intervals.quantile_lower(row, quantile, 0.975, clusters=labels),
                intervals.quantile_upper(row, quantile, 0.975, clusters=labels),
                intervals.quantile_lower(row, quantile, 0.975), intervals.quantile_upper(row, quantile, 0.975),
            ] for row in (np.repeat(rng.normal(size=(clusters)), 10) + rng.normal(size=10 * clusters)
                          for _ in range(runs))])
            missed = [((ends[:, low] > truth) | (ends[:, low + 1] < truth)).mean() for low in (0, 2)]
            yield quantile, clusters, *map(percent, missed), percent(float(np.isfinite(ends[:, :2]).all(1).mean()))


def plug_in(row: Floats) -> tuple[float, float]:
    """Waudby-Smith and Ramdas's interval with bets that follow the rows before, in the order of the rows."""
    ends = []
    for part in (row, 1 - row):
        n = np.arange(1, len(part) + 1)
        mean = (0.5 + np.cumsum(part)) / (n + 1)
        variance = np.concatenate([[0.25], ((0.25 + np.cumsum((part - mean) ** 2)) / (n + 1))[:-1]])
        bets = np.sqrt(2 * SIDE / (len(part) * variance))
        low, high = 0.0, float(part.mean())
        for _ in range(40):
            middle = max((low + high) / 2, 1e-12)
            won = np.log1p(np.minimum(bets, 0.75 / middle) * (part - middle)).sum()
            low, high = (middle, high) if won >= SIDE else (low, middle)
        ends.append(low)
    return ends[0], 1 - ends[1]


def widths(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(5)
    for cell in [bernoulli(0.5), bernoulli(0.05), *GRADED]:
        for n in (20, 100, 1000, 10000):
            drawn = [cell.draw(rng, (1, n))[0] for _ in range(runs if n <= 1000 else max(2, runs // 10))]
            is_counted = cell.name.startswith("Bernoulli")
            methods: dict[str, Callable[[Floats], tuple[float, float]] | None] = {
                "binomial": (lambda row: intervals.binomial(int(row.sum()), len(row))) if is_counted else None,
                "wilson": (lambda row: intervals.wilson(row.sum(), len(row))) if is_counted else None,
                "betting": intervals.betting, "plug_in": plug_in, "empirical_bernstein": intervals.empirical_bernstein,
                "bca": bootstrap.bca, "studentised": bootstrap.studentised}
            ends = {name: np.array([method(row) for row in drawn]) for name, method in methods.items() if method}
            width = {name: np.diff(each, axis=1).mean() for name, each in ends.items()}
            base = width["binomial" if is_counted else "betting"]
            decided = {name: np.isfinite(each).all() and not (each == [0, 1]).all(1).any()
                       for name, each in ends.items()}
            yield (cell.name, f"{n:,}", f"{base:.4f}",
                   *(f"{width[name] / base:.2f}" if decided.get(name) else "undecided" if name in width else ""
                     for name in methods if name != "binomial"))


def cluster_widths(runs: int) -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(6)
    for cell in CLUSTERED[:6]:
        for clusters in (10, 20, 40, 100, 400):
            found: dict[str, list[float]] = {"betting": [], "bernstein": [], "mean": [], "studentised": []}
            for _ in range(runs):
                right, sizes = cell.draw(rng, clusters)
                score, labels = rows_of(right, sizes)
                for name, (low, high) in (
                    ("betting", intervals.betting(score, clusters=labels)),
                    ("bernstein", intervals.empirical_bernstein(score, clusters=labels)),
                    ("mean", intervals.clustered_mean(score, labels)),
                    ("studentised", bootstrap.studentised(score, clusters=labels, resamples=500)),
                ):
                    found[name].append(high - low)
            yield (cell.name, clusters, *(
                f"{np.mean(np.isfinite(each) * np.nan_to_num(each, posinf=0)) / np.mean(np.isfinite(each)):.3f}"
                if np.isfinite(each).mean() >= 0.5 else "mostly undecided" for each in found.values()))


def cpu_ms(call: Callable[[], object], least_s: float = 0.1) -> float:
    call()
    times, start = 0, time.process_time()
    while time.process_time() - start < least_s:
        call()
        times += 1
    return 1000 * (time.process_time() - start) / times


def speed() -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(7)
    for n in (100, 1000, 10000):
        graded = rng.beta(2, 2, n)
        right = (graded < 0.3).astype(float)
        count = int(right.sum())
        labels = np.arange(n) % 50
        calls: dict[str, Callable[[], object]] = {
            "binomial": lambda k=count, n=n: intervals.binomial(k, n),
            "wilson": lambda k=count, n=n: intervals.wilson(k, n),
            "betting": lambda row=graded: intervals.betting(row),
            "betting, 50 clusters": lambda row=graded, labels=labels: intervals.betting(row, clusters=labels),
            "empirical_bernstein": lambda row=graded: intervals.empirical_bernstein(row),
            "bca, 2,000 resamples": lambda row=graded: bootstrap.bca(row),
            "bca, right and wrong": lambda row=right: bootstrap.bca(row),
            "scipy.stats.bootstrap, BCa, 2,000": lambda row=graded: stats.bootstrap(
                (row,), np.mean, n_resamples=2000, batch=max(1, 2_000_000 // len(row)), method="BCa"),
            "studentised, 2,000 resamples": lambda row=graded: bootstrap.studentised(row),
        }
        yield f"{n:,}", *(f"{cpu_ms(call):.2f}" for call in calls.values())


SPEED_HEADS = ["n", "binomial", "wilson", "betting", "betting, 50 clusters", "empirical Bernstein", "bca",
               "bca, 0 and 1", "scipy BCa", "studentised"]


def peers() -> Iterator[Sequence[object]]:
    rng = np.random.default_rng(8)
    row = rng.gamma(2, 50, 80)
    tail = bootstrap.expanded_tail((1 - LEVEL) / 2, len(row))
    theirs = stats.bootstrap((row,), np.mean, n_resamples=2000, confidence_level=1 - 2 * tail, method="BCa",
                             rng=np.random.default_rng(0)).confidence_interval
    ours = bootstrap.bca(row, LEVEL, seed=0)
    yield "bca", "scipy.stats.bootstrap, same draws, level of the expanded percentiles", difference([ours], [theirs])
    if importlib.util.find_spec("statsmodels") is None:
        yield "binomial, wilson", "statsmodels", "not installed"
        return
    from statsmodels.stats.proportion import proportion_confint

    for ours_of, method in ((intervals.binomial, "beta"), (intervals.wilson, "wilson")):
        pairs = [(k, n) for n in (60, 61, 999, 100_000) for k in np.unique(np.linspace(30, n - 30, 25).astype(int))]
        yield (ours_of.__name__, f"statsmodels proportion_confint, {method}",
               difference([ours_of(int(k), n) for k, n in pairs],
                          [proportion_confint(k, n, 0.05, method) for k, n in pairs]))


def difference(ours: Sequence[tuple[float, float]], theirs: Sequence[Sequence[float]]) -> str:
    return f"{np.abs(np.array(ours) - np.array(theirs)).max():.1e}"


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run with few draws")
    quick = parser.parse_args().quick
    runs, few = (40, 3) if quick else (2000, 100)
    start = time.process_time()
    error = f"Monte Carlo error at 5 %: {100 * math.sqrt(0.05 * 0.95 / runs):.1f} points ({runs:,} runs a cell)."
    print("# Intervals\n\nLevel 0.95; misses in percent, both sides together. " + error)
    print("\n## Exact methods: misses, independent rows (at most 5)\n")
    table(["scores", "n", "betting", "empirical Bernstein", "binomial, enumerated"],
          rows_exact(runs, (20, 100, 1000) if quick else (20, 100, 1000, 10000)))
    print("\n## Exact methods: misses, beta-binomial clusters of 5 to 79 rows (at most 5; rows: clusters overlooked)\n")
    table(["clusters of", "clusters", "betting", "betting, largest=79", "Bernstein", "Bernstein, largest=79",
           "rows: binomial"], clusters_exact(runs))
    print("\n`largest` is what the last two need: there large clusters have lower shares, so size says something about "
          "the mean.")
    print(f"\n## Wilson: worst miss of all shares, enumerated, by the count that is demanded (MINIMUM_COUNT = "
          f"{MINIMUM_COUNT})\n")
    table(["demanded", *(f"n = {n:,}" for n in (20, 50, 100, 200, 500, 1000, 5000, 20000))],
          wilson_worst((0, 1, 5, 10, 20, 30, 50)))
    print("\n## Approximate methods for clusters of right and wrong answers: misses\n")
    table(["clusters of", "clusters", "wilson decides, %", "wilson", "clustered_mean",
           "the same, few errors taken as they are"], clusters_approximate(runs))
    print("\n## Bootstrap: misses with its limits (undecided runs miss nothing), and without them\n")
    results = without_limits(runs)
    table(["scores", "n", "decided, %", "bca", "bca, no limits", "studentised", "studentised, no limits"],
          bootstrap_lines(results))
    print("\n## Bootstrap: the worst cell above under other limits\n")
    table(["skewness up to", "clusters from", "bca", "studentised"], limits_lines(results))
    print("\n## Quantiles of 10 rows a cluster, normal, half of the variance between clusters: misses\n")
    table(["quantile", "clusters", "with clusters", "rows as independent", "both ends finite, %"],
          quantiles(runs if quick else 2000))
    print("\n## Mean widths as a ratio to the exact interval (binomial; betting where scores are graded)\n")
    table(["scores", "n", "exact width", "wilson", "betting", "predictable plug-in", "empirical Bernstein", "bca",
           "studentised"], widths(few))
    print("\nThe predictable plug-in is the same authors' for one order of the rows: its bets follow the rows before, "
          "so that it depends on\ntheir order, and rows of different means break it.")
    print("\n## Mean widths, clusters of 5 to 79 rows\n")
    table(["clusters of", "clusters", "betting", "empirical Bernstein", "clustered_mean", "studentised"],
          cluster_widths(few))
    print("\n## CPU time of one call, ms\n")
    table(SPEED_HEADS, speed())
    print("\n## Peers: largest difference of an end\n")
    table(["ours", "theirs", "difference"], peers())
    print(f"\n{time.process_time() - start:.0f} s of CPU time.")


if __name__ == "__main__":
    main()
