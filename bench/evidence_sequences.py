"""Sequences under continuous peeking: how often they are wrong, how soon they decide, what a look costs; with peers.

    .venv/bin/python bench/evidence_sequences.py [--quick] [--runs 2000]

Wrong means: at any of its looks an interval excludes the truth, at a nominal 5 %. Peers (gbstats, savvi,
spotify-confidence) run where they are installed. Times are CPU times of one thread.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from linnet.evidence import sequences
from linnet.evidence.sequences.asymptotic import _best_product
from linnet.evidence.sequences.balanced_bets import Capital, balanced_log_e, stakes

Floats = np.ndarray[Any, np.dtype[np.float64]]
LOOKS = 100
PLAN = sequences.lift_prior(0.01 / 0.05)  # a minimum effect of one point at a baseline of 5 %
BOTH = sequences.difference_prior(0.01, 0.05)  # the same plan, for bets on both arms at once
NEEDED = 2 * 8158  # units that a fixed test of that effect takes at a power of 0.8
BEST_ON_AVERAGE = 5000  # what gbstats tunes to unless told


def rho_of_gbstats(n: float = BEST_ON_AVERAGE, alpha: float = 0.05) -> float:
    """Its variance of the mixture, for a sequence tuned to n."""
    return float((-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / n)


def gbstats_excludes(arms: Floats, n: Floats, *, is_relative: bool) -> Floats:
    """Its sequential test, by the formula in its source; held against the package in `agreement`."""
    share = arms / n
    variance = share * (1 - share) / n
    with np.errstate(all="ignore"):
        effect = share[1] - share[0]
        error = variance.sum(axis=0)
        if is_relative:
            effect, error = effect / share[0], (variance[1] + variance[0] * (share[1] / share[0]) ** 2) / share[0] ** 2
        x = 2 * n * rho_of_gbstats()
        width = np.sqrt(error * 2 * (x + 1) / x * np.log(np.sqrt(x + 1) / 0.05))
        return (share > 0).all(axis=0) & (error > 0) & (np.abs(effect) > width)


def naive_excludes(arms: Floats, n: Floats) -> Floats:
    """The z test that was made for a single look."""
    share = arms / n
    with np.errstate(all="ignore"):
        z = (share[1] - share[0]) / np.sqrt((share * (1 - share) / n).sum(axis=0))
        return np.nan_to_num(np.abs(z), posinf=0.0) > 1.96


def asymptotic_of(arms: Floats, n: Floats, best_at: float) -> sequences.Looks:
    """Ours for the difference of two rates, with what each arm is worth: for rare successes about their number."""
    share = arms / n
    worth = sequences.units_worth(n, arms, arms, arms, arms).min(axis=0)
    return sequences.asymptotic(share[1] - share[0], np.sqrt((share * (1 - share) / n).sum(axis=0)), 2 * n,
                                best_at=best_at, worth=worth)


def tests(best_at: float) -> dict[str, Callable[[Floats, Floats], Floats]]:
    """Whether each procedure excludes no effect, from successes (2, ..., looks) and units an arm (looks,)."""
    return {
        "ours: lift": lambda arms, _: sequences.lift(*arms, prior=PLAN).excludes(0),
        "ours: difference": lambda arms, n: sequences.difference(arms[0], n, arms[1], n, prior=PLAN).excludes(0),
        "ours: difference, both arms": lambda arms, n: sequences.difference(
            arms[0], n, arms[1], n, prior=BOTH).excludes(0),
        "ours: asymptotic": lambda arms, n: asymptotic_of(arms, n, best_at).excludes(0),
        "gbstats relative": lambda arms, n: gbstats_excludes(arms, n, is_relative=True),
        "gbstats absolute": lambda arms, n: gbstats_excludes(arms, n, is_relative=False),
        "savvi, k = 100": lambda arms, _: sequences.sample_ratio(np.moveaxis(arms, 0, -1), [0.5, 0.5]) >= np.log(20),
        "naive z": naive_excludes,
    }


def table(title: str, header: list[str], rows: Iterator[list[str]]) -> None:
    """Print as markdown, row by row."""
    print(f"\n**{title}**\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def peeking(runs: int) -> None:
    """No effect, 100 looks: every cell of rates and batch sizes."""
    def rows() -> Iterator[list[str]]:
        for rate in (0.5, 0.05, 0.01, 0.001):
            for batch in (10, 100, 1000):
                arms = np.random.default_rng(1).binomial(batch, rate, (2, runs, LOOKS)).cumsum(axis=2).astype(float)
                n = batch * np.arange(1.0, LOOKS + 1)
                wrong = [test(arms, n).any(axis=1).mean() for test in tests(BEST_ON_AVERAGE).values()]
                yield [f"{rate}, {batch}", *(f"{share:.4f}" for share in wrong)]
    error = np.sqrt(0.05 * 0.95 / runs)
    table(f"No effect, 100 looks: wrong in a share of {runs} runs (Monte Carlo error {error:.4f} at 0.05)",
          ["rate, units a look and arm", *tests(1)], rows())


def every_sample(runs: int, samples: int) -> None:
    """No effect, a look at every single unit, which falls to an arm by chance."""
    totals = np.arange(samples + 1.0)
    of_lift = [bounds(lift_evidence, totals, 0.5, np.log(1 / alpha)) for alpha in (0.05, 0.05 * 0.95)]

    def rows() -> Iterator[list[str]]:
        for rate in (0.5, 0.05, 0.01, 0.001):
            rng, wrong = np.random.default_rng(2), np.zeros(3)
            limits = bounds(lambda hits, n, rate=rate: rate_evidence(hits, n, rate), totals, rate, np.log(20))
            for start in range(0, runs, 100):
                size = min(100, runs - start), samples
                is_success = rng.random(size) < rate
                successes = is_success.cumsum(axis=1)
                hits = (is_success & (rng.random(size) < 0.5)).cumsum(axis=1)
                wrong += [is_outside(hits, successes, of_lift[0]), is_outside(hits, successes, of_lift[1]),
                          is_outside(successes, np.arange(1, samples + 1), limits)]
            exact = [ever_outside(limits[:, :round(rate * samples) + 1]) for limits in of_lift]
            yield [str(rate), *(f"{share:.4f}" for share in wrong / runs), *(f"{share:.4f}" for share in exact)]
    table(f"No effect, a look at every one of {samples} units: wrong in a share of {runs} runs (Monte Carlo error "
          f"{np.sqrt(0.05 * 0.95 / runs):.4f}); `proportion`: the rate itself; exact: "
          "reckoned, not simulated, up to as many successes as are expected",
          ["rate", "lift", "difference", "proportion", "lift, exact", "difference, exact"], rows())


def every_sample_of_both_arms(runs: int, samples: int) -> None:
    """The same for bets on both arms, whose evidence rests on four counts."""
    def rows() -> Iterator[list[str]]:
        for rate in (0.5, 0.05, 0.01, 0.001):
            rng, wrong = np.random.default_rng(9), 0
            for _ in range(runs // 20):
                is_success, is_treated = rng.random((20, samples)) < rate, rng.random((20, samples)) < 0.5
                counts = [part.cumsum(axis=1) for part in (is_success & ~is_treated, ~is_treated,
                                                           is_success & is_treated, is_treated)]
                prior = sequences.difference_prior(0.2 * rate, rate)
                capital = Capital.of((counts[0], counts[1] - counts[0], counts[2], counts[3] - counts[2]),
                                     stakes(prior, 0.5))
                wrong += int((balanced_log_e(capital) >= np.log(20)).any(axis=1).sum())
            yield [str(rate), f"{wrong / (runs // 20 * 20):.4f}"]
    table(f"No effect, a look at every one of {samples} units: wrong in a share of {runs} runs (Monte Carlo error "
          f"{np.sqrt(0.05 * 0.95 / runs):.4f})", ["rate", "difference, both arms"], rows())


def lift_evidence(hits: Floats, total: Floats) -> Floats:
    """The evidence of `lift` and `difference`: their intervals exclude 0 just where it reaches their bound."""
    return sequences.lift(total - hits, hits, prior=PLAN).log_e


def rate_evidence(hits: Floats, n: Floats, rate: float) -> Floats:
    """The evidence of `proportion` against the true rate."""
    return sequences.proportion(hits, n, null=rate).log_e


def bounds(evidence: Callable[[Floats, Floats], Floats], totals: Floats, centre: float, least: float) -> Floats:
    """For each total the most hits below the centre, and the fewest above, that have the evidence (it is convex)."""
    found = []
    for outermost in (np.full_like(totals, -1), totals + 1):
        inner, outer = np.round(totals * centre), outermost
        while (np.abs(outer - inner) > 1).any():
            middle = np.where(np.abs(outer - inner) > 1, np.round((inner + outer) / 2), inner)
            is_enough = (evidence(middle, totals) >= least) & (middle != inner)
            inner, outer = np.where(is_enough, inner, middle), np.where(is_enough, middle, outer)
        found.append(outer)
    return np.array(found)


def ever_outside(limits: Floats) -> float:
    """The chance that a fair walk, a step a success, is ever beyond the limits: what is left of it step by step."""
    inside, first, outside = np.ones(1), 0, 0.0
    for low, high in limits.T[1:].astype(int):
        after = (np.append(inside, 0.0) + np.append(0.0, inside)) / 2
        start, stop = max(low + 1 - first, 0), high - first
        outside += after[:start].sum() + after[stop:].sum()
        inside, first = after[start:stop], first + start
    return float(outside)


def is_outside(hits: Floats, totals: Floats, limits: Floats) -> int:
    """How many runs are ever beyond the limits."""
    return int(((hits <= limits[0][totals]) | (hits >= limits[1][totals])).any(axis=1).sum())


def bounded(runs: int, samples: int) -> None:
    """The true mean of bounded numbers, a look at every one."""
    cells = {"Bernoulli 0.5": (0.5, None), "Bernoulli 0.05": (0.05, None), "Bernoulli 0.01": (0.01, None),
             "Bernoulli 0.001": (0.001, None), "beta(0.2, 1.8)": (0.1, (0.2, 1.8)), "beta(8, 2)": (0.8, (8, 2))}

    def rows() -> Iterator[list[str]]:
        for name, (mean, shape) in cells.items():
            rng = np.random.default_rng(3)
            x = rng.beta(*shape, (runs, samples)) if shape else (rng.random((runs, samples)) < mean).astype(float)
            row, widths = [name], []
            for method in ("betting", "empirical_bernstein"):
                evidence = sequences.bounded_mean(x, method=method, null=mean, points=20)
                fine = sequences.bounded_mean(x[:20], method=method)
                row.append(f"{(evidence.log_e >= np.log(20)).any(axis=1).mean():.4f}")
                widths.append(f"{(fine.high - fine.low)[:, -1].mean():.4f}")
            yield [*row, *widths]
    table(f"Means of bounded numbers, a look at every one of {samples}: wrong in a share of {runs} runs, and mean "
          "width at the end", ["numbers", "betting", "Bernstein", "width, betting", "width, Bernstein"], rows())


def revenue(runs: int, batch: int, rng: np.random.Generator, times: float = 1.0, spread: float = 1.5) -> list[Floats]:
    """Running sums of powers 1 to 4 of revenue: 5 % buy, for a lognormal amount."""
    sums = np.empty((4, runs, LOOKS))
    for run in range(runs):
        buyers = rng.binomial(batch, 0.05, LOOKS)
        amounts, look = times * rng.lognormal(2, spread, buyers.sum()), np.repeat(np.arange(LOOKS), buyers)
        sums[:, run] = [np.bincount(look, amounts**power, LOOKS) for power in (1, 2, 3, 4)]
    return list(sums.cumsum(axis=2))


def counted(rate: float, runs: int, batch: int, rng: np.random.Generator) -> list[Floats]:
    """The same of successes."""
    return [rng.binomial(batch, rate, (runs, LOOKS)).cumsum(axis=1).astype(float)] * 4


def estimate(sums: list[Floats], n: Floats) -> sequences.Estimate:
    """Mean, error and worth from sums of powers."""
    with np.errstate(all="ignore"):
        variance = np.maximum(sums[1] - sums[0] ** 2 / n, 0) / np.maximum(n - 1, 1)
    return sequences.Estimate(sums[0] / n, np.sqrt(variance / n), n, sequences.units_worth(n, *sums))


def asymptotics(runs: int) -> None:
    """Where `asymptotic` and `relative` hold, by what is asked for before they speak."""
    truth = 0.05 * np.exp(2 + 1.5**2 / 2)
    changed = {"revenue, treatment twice as much, 100 and 100": (2.0, 1.5),
               "revenue, treatment less spread, 100 and 100": (1.0, 1.0),
               "revenue, treatment less spread, 4000 and 4000": (1.0, 1.0)}
    cells: list[tuple[str, float, tuple[int, int], bool]] = [
        *((name, 0, (4000, 4000) if "4000" in name else (100, 100), False) for name in changed),
        ("revenue, 5 and 5", 0, (5, 5), False), ("revenue, 20 and 20", 0, (20, 20), False),
        ("revenue, 100 and 100", 0, (100, 100), False), ("revenue, 450 and 50", 0, (450, 50), False),
        ("revenue, relative, 20 and 20", 0, (20, 20), True), ("revenue, relative, 100 and 100", 0, (100, 100), True),
        ("revenue, mean of one arm, 100", 0, (0, 100), False),
        ("revenue, mean of one arm, 4000", 0, (0, 4000), False),
        ("rate 0.05, 100 and 100", 0.05, (100, 100), False), ("rate 0.001, 100 and 100", 0.001, (100, 100), False),
        ("rate 0.001, 900 and 100", 0.001, (900, 100), False), ("rate 0.01, one arm, 100", 0.01, (0, 100), False)]

    def rows() -> Iterator[list[str]]:
        for name, rate, batches, is_relative in cells:
            rng = np.random.default_rng(4)
            given = [(), changed.get(name, ())]
            arms = [estimate(counted(rate, runs, batch, rng) if rate else revenue(runs, batch, rng, *how),
                             batch * np.arange(1.0, LOOKS + 1)) for batch, how in zip(batches, given, strict=True)
                    if batch]
            times, spread = given[1] or (1.0, 1.5)
            effect = 0.05 * times * np.exp(2 + spread**2 / 2) - truth
            row = [name]
            for least, asks_worth in ((0, False), (sequences.MINIMUM_UNITS, False), (sequences.MINIMUM_WORTH, True)):
                looks = one_look(arms if asks_worth else [arm._replace(worth=None) for arm in arms], least, is_relative)
                wrong = looks.excludes(effect if len(arms) == 2 else rate or truth).any(axis=1).mean()
                row.append(f"{wrong:.4f} ({np.isfinite(looks.low).any(axis=1).mean():.2f})")
            yield row
    table(f"Asymptotic, 100 looks: wrong in a share of {runs} runs, by what it waits for (in brackets: share of runs "
          "that say something)",
          ["cell, units a look", "nothing", f"{sequences.MINIMUM_UNITS:g} units",
           f"a worth of {sequences.MINIMUM_WORTH:g}"], rows())


def one_look(arms: list[sequences.Estimate], least: float, is_relative: bool) -> sequences.Looks:
    """The procedure that the cell asks for."""
    given: dict[str, Any] = {"best_at": BEST_ON_AVERAGE, "minimum": least}
    if is_relative:
        return sequences.relative(*arms, **given)
    worth = None if arms[0].worth is None else np.min([arm.worth for arm in arms], axis=0)
    return sequences.asymptotic(arms[-1].value - (arms[0].value if len(arms) == 2 else 0),
                                np.sqrt(sum(arm.error**2 for arm in arms)), sum(arm.n for arm in arms),
                                worth=worth, **given)


def power(runs: int) -> None:
    """5 % against several rates, 250 units a look and arm, at most 25,000 an arm."""
    n = 250 * np.arange(1.0, LOOKS + 1)
    rates = {"6 %": 0.06, "7 %": 0.07, "5.5 %": 0.055, "4 %": 0.04, "0.5 %": 0.005}
    arms = {name: np.random.default_rng(5).binomial(250, [[[0.05]], [[rate]]], (2, runs, LOOKS))
            .cumsum(axis=2).astype(float) for name, rate in rates.items()}
    ways = {**tests(NEEDED), "Beta(100, 100)": lambda arms, _: sequences.sample_ratio(
        np.moveaxis(arms, 0, -1), [0.5, 0.5], concentration=200.0) >= np.log(20)}
    del ways["naive z"]

    def rows() -> Iterator[list[str]]:
        for name, test in ways.items():
            row = [name]
            for given in arms.values():
                found = test(given, n)
                mean = np.where(found.any(axis=1), found.argmax(axis=1) + 1, LOOKS).mean() * 250
                row.append(f"{found.any(axis=1).mean():.3f}, {mean:.0f}")
            yield row
        yield ["one z test at 8,250", *(f"{naive_excludes(given[..., 32:33], n[32:33]).mean():.3f}, 8250"
                                        for given in arms.values())]
    table(f"Power and mean units an arm, 5 % against another rate, {runs} runs; ours tuned by the plan's minimum "
          "effect of one point at 5 %", ["procedure", *rates], rows())


def widths() -> None:
    """How wide the intervals of a difference are when they are where they are expected to be."""
    def rows() -> Iterator[list[str]]:
        for rate in (0.001, 0.01, 0.05, 0.2, 0.5, 0.8):
            for n in (8158, 100_000):
                hits = np.array([[round(rate * n)], [round(1.2 * rate * n)]], dtype=float)
                ours = sequences.difference(hits[0], n, hits[1], n, prior=PLAN)
                both = [sequences.difference(hits[0], n, hits[1], n, prior=prior)
                        for prior in (sequences.difference_prior(0.2 * rate, rate), BOTH)]
                normal = asymptotic_of(hits, np.array([float(n)]), NEEDED)
                yield [str(rate), str(n),
                       *(f"{100 * float(look.high[0] - look.low[0]):.4f}" for look in (ours, *both, normal))]
    table("Width of the interval of a difference, in points, where the lift is 0.2 (planned: a lift of 0.2; and one "
          "point at 5 %, whatever the rate)",
          ["rate", "units an arm", "by lift", "both arms", "both arms, planned for 5 %", "asymptotic"], rows())


def cpu_us(call: Callable[[], object], looks: int, least_s: float = 0.3) -> float:
    """CPU microseconds a look."""
    call()
    start, times = time.process_time(), 0
    while time.process_time() - start < least_s:
        call()
        times += 1
    return 1e6 * (time.process_time() - start) / times / looks


def speed() -> None:
    """What one look costs, a thousand metrics in one call, and one alone."""
    rng = np.random.default_rng(6)
    n = np.full(1000, 10_000.0)
    hits, more = rng.binomial(10_000, 0.05, 1000), rng.binomial(10_000, 0.06, 1000)
    counts = np.stack([n + rng.integers(-99, 99, 1000), n], axis=-1)
    arm, other = (sequences.Estimate(rng.normal(10, 0.1, 1000), np.full(1000, 0.1), n) for _ in range(2))
    x = rng.random(10_000)
    calls: dict[str, tuple[Callable[[], object], int]] = {
        "lift": (lambda: sequences.lift(hits, more, prior=PLAN), 1000),
        "difference": (lambda: sequences.difference(hits, n, more, n, prior=PLAN), 1000),
        "difference, both arms": (lambda: sequences.difference(hits, n, more, n, prior=BOTH), 1000),
        "proportion": (lambda: sequences.proportion(hits, n), 1000),
        "asymptotic": (lambda: sequences.asymptotic(arm.value, arm.error, n, best_at=1e4), 1000),
        "relative": (lambda: sequences.relative(arm, other, best_at=1e4), 1000),
        "sample_ratio": (lambda: sequences.sample_ratio(counts, [0.5, 0.5]), 1000),
        "bounded_mean, betting (a number)": (lambda: sequences.bounded_mean(x), 10_000),
        "bounded_mean, empirical Bernstein (a number)": (
            lambda: sequences.bounded_mean(x, method="empirical_bernstein"), 10_000),
        "lift, alone": (lambda: sequences.lift(500, 600, prior=PLAN), 1),
        "difference, alone": (lambda: sequences.difference(500, 10_000, 600, 10_000, prior=PLAN), 1),
        **peers_speed(),
    }
    base = cpu_us(*calls["difference"])
    table("CPU time a look, and how many times that of ours for a difference", ["procedure", "us", "ratio"],
          ([name, f"{us:.2f}", f"{us / base:.1f}"] for name, us in
           ((name, cpu_us(*given)) for name, given in calls.items())))


def peers_speed() -> dict[str, tuple[Callable[[], object], int]]:
    """A look of each peer that is installed."""
    calls: dict[str, tuple[Callable[[], object], int]] = {}
    if has("gbstats"):
        calls["gbstats sequential, relative"] = lambda: gbstats_interval(500, 600, 10_000, "relative"), 1
    if has("savvi"):
        test = savvi_test(0.05, np.array([0.5, 0.5]))
        calls["savvi sample ratio, no interval"] = lambda: test.update(np.array([5, 5])), 1
    return calls


def savvi_test(alpha: float, shares: Floats) -> Any:
    """Its sample-ratio test. It needs matplotlib, for pictures alone: where that is missing an empty one stands in."""
    try:
        from savvi.multinomial import Multinomial
    except ModuleNotFoundError:
        sys.modules.update({name: types.ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot")})
        from savvi.multinomial import Multinomial
    return Multinomial(alpha, shares)


def gbstats_interval(first: int, second: int, n: int, kind: str) -> list[float]:
    """The interval of the package itself."""
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import ProportionStatistic

    arms = [ProportionStatistic(n=n, sum=hits) for hits in (first, second)]
    return list(SequentialTwoSidedTTest(*arms, SequentialConfig(difference_type=kind)).compute_result().ci)


def agreement() -> None:
    """Where a peer computes the same thing, the greatest difference seen."""
    def rows() -> Iterator[list[str]]:
        rng = np.random.default_rng(7)
        if has("gbstats"):
            gap, differing = 0.0, 0
            best_at = _best_product(0.05) / rho_of_gbstats()
            for first, second in rng.binomial(2000, 0.05, (200, 2)):
                low, high = gbstats_interval(int(first), int(second), 2000, "absolute")
                share = np.array([first, second]) / 2000
                look = sequences.asymptotic(share[1] - share[0], np.sqrt((share * (1 - share)).sum() / 2000), 4000,
                                            best_at=best_at)
                gap = max(gap, abs(float(look.low) - low), abs(float(look.high) - high))
                for kind in ("relative", "absolute"):
                    low, high = gbstats_interval(int(first), int(second), 2000, kind)
                    formula = gbstats_excludes(np.array([[first], [second]]), np.array([2000.0]),
                                               is_relative=kind == "relative")
                    differing += bool(formula[0]) != (low > 0 or high < 0)
            yield ["asymptotic, gbstats absolute (same tuning)", f"{gap:.1e}"]
            yield ["decisions of gbstats and of its formula above that differ, of 400", str(differing)]
        if has("savvi"):
            test, stream, gap = savvi_test(0.05, np.array([0.3, 0.7])), sequences.SampleRatio([0.3, 0.7]), 0.0
            for batch in rng.multinomial(50, [0.32, 0.68], 100):
                test.update(batch)
                gap = max(gap, abs(float(stream.update(batch)) - float(np.log(test.odds))))
            yield ["sample_ratio, savvi, log of the e-value", f"{gap:.1e}"]
    table("The same thing computed by a peer: greatest difference", ["what", "difference"], rows())


def group_sequential(runs: int) -> None:
    """spotify-confidence: 20 looks at most, their number known beforehand."""
    if not has("spotify_confidence"):
        print("\nspotify-confidence is not installed; left out.")
        return

    def rows() -> Iterator[list[str]]:
        n = 1250 * np.arange(1.0, 21)
        for name, rate in {"no effect": 0.05, "6 %": 0.06}.items():
            arms = np.random.default_rng(8).binomial(1250, [[[0.05]], [[rate]]], (2, runs, 20)).cumsum(axis=2)
            start = time.process_time()
            theirs = np.array([spotify_excludes(arms[:, run], n) for run in range(runs)])
            cost = (time.process_time() - start) / runs
            ours = sequences.lift(*arms, prior=PLAN).excludes(0)
            for label, found in (("spotify-confidence", theirs), ("ours: lift", ours)):
                mean = np.where(found.any(axis=1), found.argmax(axis=1) + 1, 20).mean() * 1250
                yield [name, label, f"{found.any(axis=1).mean():.3f}", f"{mean:.0f}",
                       f"{1e3 * cost:.0f}" if label.startswith("spot") else "-"]
    table(f"20 looks of 1,250 an arm, {runs} runs (Monte Carlo error {np.sqrt(0.05 * 0.95 / runs):.3f} at 0.05)",
          ["rate", "procedure", "excludes no effect", "mean units an arm", "CPU ms an analysis"], rows())


def spotify_excludes(arms: Floats, n: Floats) -> Floats:
    """Its group-sequential z test, look by look."""
    import pandas as pd
    import spotify_confidence

    rows = [{"arm": arm, "day": look + 1, "hits": arms[index, look], "n": n[look], "final": 2 * n[-1]}
            for index, arm in enumerate(("control", "treatment")) for look in range(len(n))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = spotify_confidence.ZTest(
            pd.DataFrame(rows), numerator_column="hits", numerator_sum_squares_column=None, denominator_column="n",
            categorical_group_columns="arm", ordinal_group_column="day", interval_size=0.95)
        found = test.difference("control", "treatment", groupby="day", final_expected_sample_size_column="final")
    return ((found["adjusted ci_lower"] > 0) | (found["adjusted ci_upper"] < 0)).to_numpy()


def has(package: str) -> bool:
    """Whether a peer is installed."""
    return importlib.util.find_spec(package) is not None


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    parser.add_argument("--runs", type=int, default=2000)
    given = parser.parse_args()
    runs, samples = (100, 500) if given.quick else (given.runs, 20_000)
    start = time.process_time()
    peeking(runs)
    every_sample(runs if given.quick else 5 * runs, samples)
    every_sample_of_both_arms(runs, samples // 10)
    bounded(runs, samples // 20)
    asymptotics(runs)
    power(runs)
    widths()
    group_sequential(3 if given.quick else 100)
    agreement()
    speed()
    print(f"\n{time.process_time() - start:.0f} CPU seconds in all.")


if __name__ == "__main__":
    main()
