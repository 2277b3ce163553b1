"""Power: whether the stated number of samples has the stated power, by the claims' own bounds on fresh draws.

    .venv/bin/python bench/evidence_power.py [--quick]

Beside each stand the textbook's or a peer's number, where there is one. Times are CPU time.
"""

from __future__ import annotations

import argparse
import time
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from linnet.evidence.comparisons import matched_pairs, paired_lower, two_sample_lower
from linnet.evidence.intervals import betting, clustered_mean, quantile_upper
from linnet.evidence.power import (
    Clustering,
    Needed,
    divergence,
    least_stopping_time,
    runs_for_latency,
    samples_for_accuracy,
    samples_for_better,
    samples_for_mean,
    samples_for_no_worse,
    samples_for_two_shares,
    segments_for_word_error,
    stopping_time_of_lift,
    stopping_time_of_mean,
)

Floats = NDArray[np.float64]
Z = 1.6448536 + 0.8416212


def table(title: str, columns: str, rows: list[list[str]]) -> None:
    """A markdown table."""
    print(f"\n{title}\n\n| {columns} |\n|{'---|' * len(columns.split(' | '))}")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def measured(name: str, ask: Callable[[], Needed], tries: Callable[[int], list[bool]], other: str = "") -> list[str]:
    """The number, the stated power, and the share of fresh tries in which the claim held."""
    start = time.process_time()
    needed = ask()
    taken = time.process_time() - start
    held = np.array(tries(needed.count or 1))
    error = float(held.std()) / len(held) ** 0.5
    return [name, f"{needed.count:,} {needed.unit}", f"{needed.power:.3f}", f"{held.mean():.3f} ± {error:.3f}",
            f"{len(held):,}", other, f"{taken:.2f}"]


def rows_of_shares(runs: int) -> list[list[str]]:
    """Right answers, and runs within a time; the power is enumerated as well, so fresh draws only confirm it."""
    rng, found = np.random.default_rng(0), []
    for bound, expected in ((0.8, 0.83), (0.95, 0.97), (0.99, 0.995)):
        textbook = ((1.645 * (bound * (1 - bound)) ** 0.5 + 0.842 * (expected * (1 - expected)) ** 0.5)
                    / (expected - bound)) ** 2

        def tries(n: int, bound: float = bound, expected: float = expected) -> list[bool]:
            right = rng.binomial(n, expected, runs)
            return list(stats.beta.ppf(0.05, right, n - right + 1) >= bound)

        found.append(measured(f"accuracy at least {bound}, is {expected}",
                              lambda bound=bound, expected=expected: samples_for_accuracy(bound, expected), tries,
                              f"normal approximation {textbook:,.0f}"))
    slow = stats.expon.ppf(0.98)
    found.append(measured("0.95 quantile of latency, 0.98 within", lambda: runs_for_latency(0.95, 0.98), lambda n: [
        quantile_upper(rng.exponential(size=n), 0.95) <= slow for _ in range(runs)]))
    return found


def rows_of_clusters(runs: int) -> list[list[str]]:
    """Right answers of speakers, whose own shares are drawn from a beta distribution."""
    rng, found = np.random.default_rng(1), []
    for bound, expected, rows, correlation in ((0.8, 0.85, 20, 0.1), (0.9, 0.95, 40, 0.05), (0.7, 0.85, 10, 0.3)):
        of, size = Clustering(rows, correlation), 1 / correlation - 1

        def tries(k: int, of: Clustering = of, size: float = size, bound: float = bound, p: float = expected
                  ) -> list[bool]:
            labels = np.repeat(np.arange(k), of.rows)
            held = []
            for _ in range(runs):
                shares = rng.beta(p * size, (1 - p) * size, k)
                score = (rng.random((k, of.rows)) < shares[:, None]).ravel().astype(float)
                held.append(clustered_mean(score, labels, 0.9)[0] >= bound)
            return held

        naive = (samples_for_accuracy(bound, expected).count or 0) * of.design_effect / rows
        found.append(measured(
            f"accuracy at least {bound}, is {expected}; {rows} rows a speaker, correlation {correlation}",
            lambda bound=bound, expected=expected, of=of: samples_for_accuracy(bound, expected, clusters=of), tries,
            f"rows × design effect {naive:,.0f}"))
    return found


def decided(tables: NDArray[np.int64], decides: Callable[[int, int], bool]) -> list[bool]:
    """Whether the bound decides for each table (first count, second count); more of the second never undoes it."""
    fewest = {}
    for first in np.unique(tables[:, 0]).tolist():
        seconds = np.unique(tables[tables[:, 0] == first, 1]).tolist()
        place = bisect_left(seconds, True, key=lambda second, first=first: decides(first, second))
        fewest[first] = seconds[place] if place < len(seconds) else float("inf")
    return [second >= fewest[first] for first, second in tables.tolist()]


def rows_of_differences(runs: int) -> list[list[str]]:
    """Paired and independent shares, by the exact bounds."""
    rng, found = np.random.default_rng(2), []
    for margin, disagreement, expected in ((0.03, 0.06, 0.0), (0.05, 0.10, 0.01), (0.0, 0.10, 0.05)):
        shares = [(disagreement - expected) / 2, (disagreement + expected) / 2, 1 - disagreement]

        def paired(n: int, shares: list[float] = shares, margin: float = margin) -> list[bool]:
            drawn = rng.multinomial(n, shares, runs)[:, :2]
            return decided(drawn, lambda w, i: paired_lower(w, i, n) > -margin - 1e-12)

        textbook = (Z**2 * (disagreement - expected**2)) / (expected + margin) ** 2
        found.append(measured(
            f"{'no worse by ' + str(margin) if margin else 'better'}, disagree {disagreement}, differ {expected}",
            lambda margin=margin, disagreement=disagreement, expected=expected: (
                samples_for_no_worse(margin, disagreement, expected=expected) if margin
                else samples_for_better(expected, disagreement)), paired, f"normal approximation {textbook:,.0f}"))
    for control, treatment in ((0.3, 0.45), (0.05, 0.10)):
        def independent(n: int, control: float = control, treatment: float = treatment) -> list[bool]:
            drawn = np.stack([rng.binomial(n, control, runs), rng.binomial(n, treatment, runs)], axis=1)
            return decided(drawn, lambda c, t: two_sample_lower(c, n, t, n) > 0)

        found.append(measured(f"two shares, {control} and {treatment}",
                              lambda control=control, treatment=treatment: samples_for_two_shares(control, treatment),
                              independent, two_shares_by_statsmodels(control, treatment)))
    return found


def two_shares_by_statsmodels(control: float, treatment: float) -> str:
    """The peer's number, by a normal approximation on the arcsine scale."""
    try:
        from statsmodels.stats.power import NormalIndPower
        from statsmodels.stats.proportion import proportion_effectsize
    except ImportError:
        return "statsmodels is not installed"
    effect = proportion_effectsize(treatment, control)
    return f"statsmodels {NormalIndPower().solve_power(effect, alpha=0.05, power=0.8, alternative='larger'):,.0f}"


def rows_of_means(runs: int) -> list[list[str]]:
    """Graded scores by betting, word errors by matched pairs."""
    rng, found = np.random.default_rng(3), []
    for bound, expected, deviation in ((0.8, 0.85, 0.15), (0.9, 0.92, 0.05), (0.5, 0.55, 0.3)):
        size = expected * (1 - expected) / deviation**2 - 1
        found.append(measured(
            f"mean score at least {bound}, is {expected}, deviation {deviation}",
            lambda bound=bound, expected=expected, deviation=deviation: samples_for_mean(
                bound, expected, deviation=deviation),
            lambda n, bound=bound, expected=expected, size=size: [
                betting(rng.beta(expected * size, (1 - expected) * size, n), 0.9)[0] >= bound for _ in range(runs)],
            f"normal approximation {Z**2 * (deviation / (expected - bound)) ** 2:,.0f}"))
    for before, after in ((0.12, 0.10), (0.05, 0.03)):
        def falls(n: int, before: float = before, after: float = after) -> list[bool]:
            words, rates = np.full(n, 15), (15 * after, 15 * before)
            return [matched_pairs(*(rng.poisson(rate, n) for rate in rates), words, level=0.9).interval[1] < 0
                    for _ in range(runs)]

        found.append(measured(f"word errors fall from {before} to {after}, 15 words a segment",
                              lambda before=before, after=after: segments_for_word_error(
                                  before, after, words=15, deviation=(15 * (before + after)) ** 0.5), falls))
    return found


def stopping() -> list[list[str]]:
    """Sequences: the mean and the formula."""
    found = []
    for baseline, effect, every in ((0.05, 0.2, 250), (0.05, 0.4, 250), (0.01, 0.5, 500), (0.5, 0.1, 100)):
        start = time.process_time()
        seen = stopping_time_of_lift(baseline, effect, minimum_lift=effect, look_every=every)
        taken = time.process_time() - start
        theta = (1 + effect) / (2 + effect)
        formula = least_stopping_time(divergence(theta, 0.5)) / (baseline * (2 + effect))
        found.append([f"lift of {effect} on {baseline}, a look each {every}", f"{seen.mean:,.0f} ± {seen.error:,.0f}",
                      ", ".join(f"{at:,.0f}" for at in seen.quantiles), f"{seen.decided:.3f}", f"{seen.wrongly:.3f}",
                      f"{formula:,.0f}", f"{taken:.2f}"])
    for effect, best_at in ((0.1, 2500), (0.05, 10_000)):
        start = time.process_time()
        seen = stopping_time_of_mean(effect, 1.0, best_at=best_at)
        taken = time.process_time() - start
        found.append([f"means {effect} deviations apart", f"{seen.mean:,.0f} ± {seen.error:,.0f}",
                      ", ".join(f"{at:,.0f}" for at in seen.quantiles), f"{seen.decided:.3f}", f"{seen.wrongly:.3f}",
                      f"{least_stopping_time(effect**2 / 4):,.0f}", f"{taken:.2f}"])
    return found


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few runs: only to see that it works")
    quick = parser.parse_args().quick
    print("## Power")
    columns = "question | needed | stated power | held in fresh tries | tries | others say | CPU s to answer"
    scale = 50 if quick else 1
    table("### One look: power of 0.8 at a one-sided level of 0.95", columns, [
        *rows_of_shares(10_000 // scale), *rows_of_clusters(2000 // scale), *rows_of_differences(20_000 // scale),
        *rows_of_means(2000 // scale)])
    table("### Sequences: samples an arm until the decision, 2,000 runs, cap 25,000, level 0.95",
          "effect | mean | 10th, 50th, 90th of 100 | decided | wrongly | log(1/alpha)/divergence | CPU s", stopping())


if __name__ == "__main__":
    main()
