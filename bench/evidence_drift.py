"""Drift: how long a false alarm takes, how soon a change is found, how often a test rejects what is true.

    .venv/bin/python bench/evidence_drift.py [--quick]

Everything is simulated with fixed seeds; behind each figure stands its Monte Carlo error. Times are CPU time.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.drift import (
    ConformalDetector,
    ConformalMartingale,
    EDetector,
    LabelDetector,
    conformal_martingale,
    conformal_p_values,
    energy_distance,
    label_shift,
    labels_differ,
    labels_differ_from,
    maximum_mean_discrepancy,
)
from linnet.evidence.drift.e_detectors import _increments, bets_against
from linnet.evidence.drift.martingales import BETS, _densities
from linnet.evidence.drift.recursion import Recursion

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Floats]
"""From a generator, the number of the sample and how many streams there are to their next scores."""


def table(title: str, columns: str, rows: list[list[str]]) -> None:
    """A markdown table."""
    names = columns.split(" | ")
    print(f"\n{title}\n\n| {columns} |\n|{'---|' * len(names)}")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def mean_and_error(values: Floats) -> str:
    """Mean +- Monte Carlo error."""
    return f"{values.mean():,.0f} ± {values.std() / max(len(values), 1) ** 0.5:,.0f}"


def share_and_error(hits: float, runs: int) -> str:
    """Share +- Monte Carlo error."""
    return f"{hits / runs:.4f} ± {(max(hits, 1) / runs * (1 - hits / runs) / runs) ** 0.5:.4f}"


def first_alarms(step: Callable[[NDArray[np.intp], int], NDArray[np.bool_]], runs: int, cap: int) -> Floats:
    """The sample of the first alarm of each stream (`cap` where there is none); `step` is given those still going."""
    first, live = np.full(runs, float(cap)), np.arange(runs)
    for number in range(1, cap + 1):
        alarmed = step(live, number)
        first[live[alarmed]] = number
        live = live[~alarmed]
        if not len(live):
            break
    return first


def e_alarms(draw: Draw, run_length: float, runs: int, cap: int, statistic: str = "shiryaev_roberts",
             bound: float = 0.05) -> Floats:
    """First alarms of e-detectors with an upper bound."""
    weights, pulls, centres = bets_against(bound, None, run_length)
    recursion, rng = Recursion(weights, statistic=statistic, streams=(runs,)), np.random.default_rng(0)

    def step(live: NDArray[np.intp], number: int) -> NDArray[np.bool_]:
        alarmed = recursion.advance(_increments(draw(rng, number, len(live)), pulls, centres)) >= run_length
        recursion.wealth = recursion.wealth[~alarmed]
        return np.asarray(alarmed)

    return first_alarms(step, runs, cap)


def bernoulli(share: float, after: float | None = None, change: int = 0) -> Draw:
    """Wrong answers, more of them from the sample after `change` on."""
    return lambda rng, n, size: (rng.random(size) < (share if after is None or n <= change else after)).astype(float)


def skewed(rng: np.random.Generator, _: int, size: int) -> Floats:
    """Losses of mean 0.05 between 0 and 1, most of them close to 0."""
    return rng.beta(0.1, 1.9, size)


def false_alarms(quick: bool) -> None:
    """How long e-detectors go without a change."""
    rows = []
    plans = [(1000, 2000, 20), (10_000, 500, 10)] if not quick else [(200, 100, 10)]
    cells: list[tuple[str, Draw, float]] = [
        ("Bernoulli 0.05", bernoulli(0.05), 0.05), ("Bernoulli 0.01", bernoulli(0.01), 0.01),
        ("Bernoulli 0.5", bernoulli(0.5), 0.5), ("beta(0.1, 1.9)", skewed, 0.05),
        ("Bernoulli 0.04, bound 0.05", bernoulli(0.04), 0.05)]
    for run_length, runs, times in plans:
        for name, draw, bound in cells:
            for statistic in ("shiryaev_roberts", "cusum"):
                if run_length > 1000 and statistic == "cusum":
                    continue
                found = e_alarms(draw, run_length, runs, times * run_length, statistic, bound)
                ratio, cut = found.mean() / run_length, (found >= times * run_length).mean()
                rows.append([name, statistic, f"{run_length:,}", mean_and_error(found), f"{ratio:.2f}", f"{cut:.3f}",
                             f"{runs:,}"])
    table("### E-detectors: samples to a false alarm, at the bound itself (runs are cut at 20 or 10 times the run "
          "length, which only makes the mean smaller)",
          "scores | statistic | stated | mean samples | ratio | runs cut | runs", rows)


def window_alarms(draw: Draw, runs: int, cap: int, window: int = 500, bound: float = 0.05) -> Floats:
    """What is often done: at each sample a z test of the last `window` against the bound, at one-sided 5 %."""
    rng, needed = np.random.default_rng(0), bound + 1.645 * (bound * (1 - bound) / window) ** 0.5
    state = {"last": np.zeros((window, runs)), "sum": np.zeros(runs)}

    def step(live: NDArray[np.intp], number: int) -> NDArray[np.bool_]:
        score, place = draw(rng, number, len(live)), number % window
        state["sum"] += score - state["last"][place]
        state["last"][place] = score
        alarmed = (state["sum"] > needed * window) & (number >= window)
        state["sum"], state["last"] = state["sum"][~alarmed], state["last"][:, ~alarmed]
        return np.asarray(alarmed)

    return first_alarms(step, runs, cap)


def oracle_alarms(draw: Draw, after: float, run_length: float, runs: int, cap: int, bound: float = 0.05) -> Floats:
    """The sum over starts of likelihood ratios to the very rate after the change, which nobody knows."""
    rng, wealth = np.random.default_rng(0), [np.zeros(runs)]
    ratios = np.array([(1 - after) / (1 - bound), after / bound])

    def step(live: NDArray[np.intp], number: int) -> NDArray[np.bool_]:
        wealth[0] = (wealth[0] + 1) * ratios[draw(rng, number, len(live)).astype(int)]
        alarmed = wealth[0] >= run_length
        wealth[0] = wealth[0][~alarmed]
        return np.asarray(alarmed)

    return first_alarms(step, runs, cap)


def delays(quick: bool) -> None:
    """How soon a higher error rate is found."""
    runs, run_length, change = (1000, 10_000, 1000) if not quick else (50, 500, 200)
    rows = []
    methods: dict[str, Callable[[Draw, float], Floats]] = {
        "e-SR": lambda draw, _: e_alarms(draw, run_length, runs, 20_000),
        "e-CUSUM": lambda draw, _: e_alarms(draw, run_length, runs, 20_000, "cusum"),
        "SR that knows the new rate": lambda draw, after: oracle_alarms(draw, after, run_length, runs, 20_000),
        "z test of the last 500, each sample": lambda draw, _: window_alarms(draw, runs, 20_000)}
    for name, method in methods.items():
        row = [name, "" if "knows" in name else mean_and_error(method(bernoulli(0.05), 0.1))]
        early = 0.0
        for after in (0.06, 0.07, 0.10, 0.20, 0.50):
            found = method(bernoulli(0.05, after, change), after)
            early = float((found <= change).mean())
            row.append(f"{(found[found > change] - change).mean():,.0f}" if early < 1 else "none left")
        rows.append([*row, f"{early:.3f}"])
    table(f"### Error rate 0.05 until sample {change:,}, then higher: mean delay in samples ({runs:,} runs, stated run "
          f"length {run_length:,}, cut at 20,000)",
          "method | false alarm after (no change) | 0.06 | 0.07 | 0.10 | 0.20 | 0.50 | alarms before the change", rows)
    try:
        import river  # noqa: F401
    except ImportError:
        print("\n(river's ADWIN and Page-Hinkley are not installed here and were left out.)")


def conformal_validity(quick: bool) -> None:
    """Alarms of conformal martingales on streams that do not change."""
    runs, length = (2000, 1000) if not quick else (40, 100)
    rng, rows = np.random.default_rng(0), []
    cells: dict[str, tuple[Callable[[int], Floats], int]] = {
        "normal, reference 200": (lambda n: rng.normal(size=n), 200),
        "five values, reference 50": (lambda n: rng.integers(0, 5, n).astype(float), 50),
        "normal, no reference": (lambda n: rng.normal(size=n), 0)}
    for name, (draw, reference) in cells.items():
        scores = [draw(reference + length) for _ in range(runs)]
        p_values = np.array([conformal_p_values(score[reference:], score[:reference], seed=seed)
                             for seed, score in enumerate(scores)])
        for bets in BETS:
            alarmed = (conformal_martingale(p_values, bets=bets).max(axis=1) >= np.log(20)).sum()
            rows.append([name, bets, share_and_error(float(alarmed), runs)])
    table(f"### Conformal martingales: ever a false alarm within {length:,} samples, level 0.95 ({runs:,} runs)",
          "scores | bets | share of runs", rows)
    rows = []
    for run_length, count in ((1000, runs), (10_000, runs // 5)):
        for bets in BETS:
            found = conformal_alarms(bets, run_length, count)
            ratio = f"{found.mean() / run_length:.2f}"
            rows.append([bets, f"{run_length:,}", mean_and_error(found), ratio, f"{count:,}"])
        if quick:
            break
    table("### ConformalDetector: samples to a false alarm (p-values drawn uniform, as they are; cut at 10 times)",
          "bets | stated | mean samples | ratio | runs", rows)


def conformal_alarms(bets: str, run_length: int, runs: int) -> Floats:
    """First alarms of the sum over starts on uniform p-values."""
    rng, count = np.random.default_rng(0), len(_densities(np.zeros(()), bets))
    wealth = Recursion(np.full(count, 1 / count), jump=0.01, streams=(runs,))

    def step(live: NDArray[np.intp], _: int) -> NDArray[np.bool_]:
        alarmed = wealth.advance(_densities(rng.random(len(live)), bets)) >= run_length
        wealth.wealth = wealth.wealth[~alarmed]
        return np.asarray(alarmed)

    return first_alarms(step, runs, 10 * run_length)


def conformal_delays(quick: bool) -> None:
    """How soon changed scores are found without labels."""
    runs, quiet, after = (200, 1000, 1500) if not quick else (5, 100, 200)
    changes: dict[str, Callable[[Floats], Floats]] = {
        "+ 0.5": lambda x: x + 0.5, "+ 1": lambda x: x + 1, "+ 2": lambda x: x + 2, "× 2": lambda x: 2 * x,
        "× 0.5": lambda x: x / 2}
    rows: dict[str, list[str]] = {}
    for change in changes.values():
        rng = np.random.default_rng(1)
        scores = rng.normal(size=(runs, 500 + quiet + after))
        scores[:, 500 + quiet:] = change(scores[:, 500 + quiet:])
        p_values = np.array([conformal_p_values(row[500:], row[:500], seed=seed) for seed, row in enumerate(scores)])
        for bets in BETS:
            ever = conformal_martingale(p_values, bets=bets) >= np.log(20)
            rows.setdefault(f"martingale, level 0.95, {bets}", []).append(delay(ever, quiet))
            count = len(_densities(np.zeros(()), bets))
            wealth = Recursion(np.full(count, 1 / count), jump=0.01, streams=(runs,))
            path = np.stack([wealth.advance(_densities(p_values[:, n], bets)) for n in range(quiet + after)], axis=1)
            rows.setdefault(f"detector, run length 10,000, {bets}", []).append(delay(path >= 10_000, quiet))
    table(f"### Without labels: normal scores change after {quiet:,} samples; median delay, share found within "
          f"{after:,} (reference 500, {runs} runs)", "method | " + " | ".join(changes),
          [[name, *row] for name, row in rows.items()])


def delay(alarmed: NDArray[np.bool_], quiet: int) -> str:
    """Median samples from the change to the alarm and the share found, among runs without an alarm before."""
    late = alarmed[~alarmed[:, :quiet].any(axis=1), quiet:]
    found = late.any(axis=1)
    first = np.where(found, late.argmax(axis=1) + 1.0, np.inf)
    return f"{np.median(first):,.0f}, {found.mean():.2f}"


def smallest_of_dimensions(test: Callable[[Floats, Floats], float], x: Floats, y: Floats) -> float:
    """A test of one number, on every dimension, with Bonferroni's correction."""
    return min(1.0, x.shape[1] * min(test(x[:, d], y[:, d]) for d in range(x.shape[1])))


def two_samples(quick: bool) -> None:
    """Level and power of the tests on embeddings."""
    runs, permutations, d = (2000, 99, 8) if not quick else (10, 19, 4)
    tests: dict[str, Callable[[Floats, Floats, int], float]] = {
        "MMD": lambda x, y, s: maximum_mean_discrepancy(x, y, permutations=permutations, seed=s).p_value,
        "energy": lambda x, y, s: energy_distance(x, y, permutations=permutations, seed=s).p_value,
        "scipy ks_2samp a dimension": lambda x, y, _: smallest_of_dimensions(
            lambda a, b: stats.ks_2samp(a, b).pvalue, x, y),
        "scipy epps_singleton a dimension": lambda x, y, _: smallest_of_dimensions(
            lambda a, b: stats.epps_singleton_2samp(a, b).pvalue, x, y)}
    root = np.linalg.cholesky(0.5 * np.eye(d) + 0.5)
    changes: dict[str, Callable[[Floats], Floats]] = {
        "none": lambda y: y, "mean + 0.2": lambda y: y + 0.2, "scale × 1.25": lambda y: 1.25 * y,
        "correlation 0.5": lambda y: y @ root.T}
    rows: dict[str, list[str]] = {name: [] for name in tests}
    for number, change in enumerate(changes.values()):
        count = runs if number == 0 else max(runs // 10, 5)
        rng, rejected = np.random.default_rng(2), dict.fromkeys(tests, 0)
        for run in range(count):
            x, y = rng.normal(size=(60, d)), change(rng.normal(size=(60, d)))
            for name, test in tests.items():
                if number and "epps" in name and run >= count // 2:
                    continue
                rejected[name] += test(x, y, run) <= 0.05
        for name in tests:
            rows[name].append(share_and_error(rejected[name], count // 2 if number and "epps" in name else count))
    table(f"### Two samples of 60 embeddings of {d} dimensions at 5 %: share rejected ({runs:,} runs without a change, "
          "a tenth of them with one)", "test | " + " | ".join(changes), [[name, *row] for name, row in rows.items()])


def clustered_samples(quick: bool) -> None:
    """The same where whole speakers were sampled."""
    runs = 2000 if not quick else 10
    rng, rejected = np.random.default_rng(3), np.zeros(6)
    for run in range(runs):
        of = np.repeat(np.arange(24), rng.integers(2, 8, 24))
        first = of < 12
        groups = of[first].tolist(), of[~first].tolist()
        rows = rng.normal(size=(24, 4))[of] + rng.normal(size=(len(of), 4))
        labels = (rng.random(len(of)) < rng.beta(1, 1, 24)[of]).astype(int)
        for place, clusters in enumerate((groups, None)):
            options = {"clusters": clusters, "permutations": 99, "seed": run}
            rejected[place] += maximum_mean_discrepancy(rows[first], rows[~first], **options).p_value <= 0.05
            rejected[2 + place] += energy_distance(rows[first], rows[~first], **options).p_value <= 0.05
            rejected[4 + place] += labels_differ(labels[first], labels[~first], **options).p_value <= 0.05
    names = ["MMD", "energy", "labels_differ"]
    table(f"### 12 speakers a side with 2 to 7 rows each, no change, at 5 % ({runs:,} runs)", "test | clusters | rows",
          [[name, *(share_and_error(rejected[2 * i + side], runs) for side in (0, 1))] for i, name in enumerate(names)])


def label_tests(quick: bool) -> None:
    """Level of the tests on predicted labels, beside those of scipy."""
    runs, shares = (2000 if not quick else 20), {"a": 0.6, "b": 0.3, "c": 0.08, "d": 0.02}
    rng, names, rejected = np.random.default_rng(4), list(shares), np.zeros(4)
    for run in range(runs):
        x, y = (rng.choice(names, 50, p=list(shares.values())) for _ in range(2))
        rejected[0] += labels_differ(x, y, permutations=199, seed=run).p_value <= 0.05
        counts = np.array([[(side == name).sum() for name in names] for side in (x, y)])
        counts = counts[:, counts.sum(axis=0) > 0]
        rejected[1] += stats.chi2_contingency(counts, correction=False).pvalue <= 0.05
        rejected[2] += labels_differ_from(shares, x, draws=399, seed=run) <= 0.05
        rejected[3] += stats.chisquare([(x == name).sum() for name in names], 50 * np.array(list(shares.values()))
                                       ).pvalue <= 0.05
    tests = ("labels_differ", "scipy chi2_contingency", "labels_differ_from", "scipy chisquare")
    table(f"### 50 labels with shares 0.6, 0.3, 0.08, 0.02, no change, at 5 % ({runs:,} runs)", "test | share rejected",
          [[name, share_and_error(hits, runs)] for name, hits in zip(tests, rejected, strict=True)])
    run_length, runs = (1000, 300) if not quick else (50, 10)
    alarms = []
    for _ in range(runs):
        detector = LabelDetector(shares, run_length=run_length)
        while detector.alarm_at is None and detector.n < 5 * run_length:
            detector.update(rng.choice(names, 200, p=list(shares.values())).tolist())
        alarms.append(float(detector.alarm_at or 5 * run_length))
    print(f"\nLabelDetector, the same shares, stated run length {run_length:,}: a false alarm after "
          f"{mean_and_error(np.array(alarms))} labels ({runs} runs, cut at 5 times).")


def label_shares(quick: bool) -> None:
    """Coverage of the intervals of label shift."""
    runs, rows = (2000 if not quick else 10), []
    confusion = np.array([[0.9, 0.1, 0.05], [0.05, 0.8, 0.15], [0.05, 0.1, 0.8]])
    weak = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    blind = np.array([[0.9, 0.05, 0.05], [0.05, 0.5, 0.5], [0.05, 0.45, 0.45]])
    before, after, rare = np.array([0.4, 0.3, 0.3]), np.array([0.6, 0.3, 0.1]), np.array([0.97, 0.02, 0.01])
    cells: list[tuple[str, Floats, Floats, int, int]] = [
        ("300 rows, accuracy 0.84", confusion, after, 300, 0), ("300 rows, rare labels", confusion, rare, 300, 0),
        ("2,000 rows, accuracy 0.84", confusion, after, 2000, 0), ("600 rows, accuracy 0.5", weak, after, 600, 0),
        ("300 rows, two labels the same", blind, after, 300, 0), ("20 speakers of 15", confusion, after, 300, 20),
        ("60 speakers of 15", confusion, after, 900, 60), ("20 speakers taken as rows", confusion, after, 300, -20)]
    for name, matrix, shares, n, speakers in cells:
        rng, hits, width, refused = np.random.default_rng(5), np.zeros(3), 0.0, 0
        for run in range(runs):
            sides = [draw_labels(rng, share, n, matrix, abs(speakers)) for share in (before, shares)]
            of = np.repeat(np.arange(speakers), n // speakers).tolist() if speakers > 0 else None
            try:
                moved = label_shift(*sides[0], sides[1][1], clusters=(of, of) if of else None, draws=500, seed=run)
            except LinnetError:
                refused += 1
                continue
            low, high = np.array(moved.low), np.array(moved.high)
            hits += (low <= shares) & (shares <= high)
            width += float((high - low).mean())
        done = max(runs - refused, 1)
        rows.append([name, *(f"{hit / done:.3f}" for hit in hits), f"{width / done:.3f}", f"{refused / runs:.3f}"])
    error = (0.05 * 0.95 / runs) ** 0.5
    table(f"### Label shift: share of intervals that cover, nominal 0.95 ({runs} runs, Monte Carlo error {error:.3f}; "
          "as many new rows as validation rows)", "data | label 1 | label 2 | label 3 | mean width | refused", rows)


def draw_labels(rng: np.random.Generator, shares: Floats, n: int, confusion: Floats, speakers: int
                ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and predicted labels; with speakers, each with shares of its own around the common ones."""
    each = np.tile(shares, (n, 1))
    if speakers:
        each = np.repeat(rng.dirichlet(5 * shares, speakers), n // speakers, axis=0)
    truth = (rng.random(n)[:, None] > each.cumsum(axis=1)[:, :-1]).sum(axis=1)
    guess = (rng.random(n)[:, None] > confusion.T[truth].cumsum(axis=1)[:, :-1]).sum(axis=1)
    return truth, guess


def speed() -> None:
    """CPU time of an update, and of a test."""
    rng, rows = np.random.default_rng(6), []
    scores, wrong = rng.normal(size=20_000), (rng.random(20_000) < 0.05).astype(float)
    streams: dict[str, tuple[object, Floats]] = {
        "EDetector": (EDetector(at_most=0.05), wrong),
        "ConformalMartingale, reference 1,000": (ConformalMartingale(rng.normal(size=1000)), scores),
        "ConformalDetector, reference 10,000": (ConformalDetector(rng.normal(size=10_000)), scores)}
    for name, (stream, values) in streams.items():
        together = cpu(lambda stream=stream, values=values: stream.update(values)) / len(values)
        single = cpu(lambda stream=stream, values=values: [stream.update(value) for value in values[:2000]]) / 2000
        rows.append([name, f"{1e6 * single:.1f}", f"{1e6 * together:.1f}"])
    table("### Microseconds a sample", "alarm | one by one | in an array", rows)
    rows = []
    for n in (200, 1000, 2500):
        x, y = rng.normal(size=(2, n, 64))
        rows.append([f"{n:,} and {n:,}", f"{cpu(lambda x=x, y=y: maximum_mean_discrepancy(x, y)):.2f}",
                     f"{cpu(lambda x=x, y=y: energy_distance(x, y)):.2f}"])
    table("### Seconds a test, 64 dimensions, 999 permutations", "rows | MMD | energy", rows)


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few runs: only to see that it works")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # scipy's peers warn of small counts and near-singular matrices
    print("## Drift")
    for part in (false_alarms, delays, conformal_validity, conformal_delays, two_samples, clustered_samples,
                 label_tests, label_shares):
        taken = cpu(lambda part=part: part(quick))
        print(f"\n({taken:.0f} CPU seconds)", flush=True)
    speed()


if __name__ == "__main__":
    main()
