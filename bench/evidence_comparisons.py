"""Whether comparisons and corrections hold at the level they state, what they find, and how long they take.

    .venv/bin/python bench/evidence_comparisons.py [--quick]

At nominal 5 %. A rate over 2,000 runs has a Monte Carlo error of 0.005 (one standard deviation) at 0.05. "Misses" are
runs in which a two-sided interval at 0.95 leaves out the truth. Peers that are not installed are said and left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable, Iterable

import numpy as np
from scipy import optimize, special, stats

from linnet.evidence import comparisons, intervals, many
from linnet.evidence.comparisons.two_sample import _restricted_share, _score, score_difference_lower
from linnet.evidence.many.slice_tests import by_row

HAS_STATSMODELS = importlib.util.find_spec("statsmodels") is not None
ALPHA = 0.05


def table(title: str, head: str, rows: Iterable[Iterable[object]]) -> None:
    """A markdown table."""
    columns, start = head.split(" | "), time.process_time()
    print(f"\n## {title}\n\n| {head} |\n|{'---|' * len(columns)}")
    for row in rows:
        print("| " + " | ".join(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row) + " |",
              flush=True)
    print(f"\n{time.process_time() - start:.0f} s of CPU.")


def rate(values: Iterable[bool]) -> float:
    return float(np.mean(list(values)))


def misses(interval: tuple[float, float], truth: float) -> bool:
    return not interval[0] <= truth <= interval[1]


def cpu(work: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of CPU, the median."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return 1000 * float(np.median(taken))


# ---------------------------------------------------------------------------------------------------------- the tests


def clustered_rows(rng: np.random.Generator, clusters: int, graded: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two sides on the same samples, no difference between them, but each cluster leans to one side."""
    sizes = rng.integers(2, 12, clusters)
    labels = np.repeat(np.arange(clusters), sizes)
    lean = np.repeat(rng.normal(0, 0.25, clusters), sizes)
    if graded:
        return (np.clip(0.6 + lean + 0.1 * rng.normal(size=len(labels)), 0, 1),
                np.clip(0.6 - lean + 0.1 * rng.normal(size=len(labels)), 0, 1), labels)
    return ((rng.random(len(labels)) < np.clip(0.6 + lean, 0, 1)).astype(float),
            (rng.random(len(labels)) < np.clip(0.6 - lean, 0, 1)).astype(float), labels)


def two_sides(rng: np.random.Generator, clusters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Two sides on different clusters, of one distribution, skewed."""
    sizes = [rng.integers(1, 9, count) for count in (clusters, 2 * clusters)]
    rows = [np.repeat(rng.gamma(0.5, 1, len(size)), size) + 0.2 * rng.normal(size=size.sum()) for size in sizes]
    labels = [np.repeat(np.arange(len(size)), size) for size in sizes]
    return rows[0], rows[1], labels[0], labels[1] + 1000


def errors_of_tests(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(0)
    for clusters in (6, 12, 40):
        for graded in (False, True):
            drawn = [clustered_rows(rng, clusters, graded) for _ in range(runs)]
            name = f"sign_flip, {'graded' if graded else 'right or wrong'}, {clusters} clusters"
            yield (name, rate(comparisons.sign_flip(a, b, clusters=c, draws=199) <= ALPHA for a, b, c in drawn),
                   rate(comparisons.sign_flip(a, b, draws=199) <= ALPHA for a, b, _ in drawn[: runs // 4]))
    for clusters in (5, 12, 30):
        sides = [two_sides(rng, clusters) for _ in range(runs)]
        yield (f"permutation, studentised, {clusters} and {2 * clusters} clusters",
               rate(comparisons.permutation(a, b, clusters=(c, d), draws=199) <= ALPHA for a, b, c, d in sides),
               rate(comparisons.permutation(a, b, draws=199) <= ALPHA for a, b, _, _ in sides[: runs // 4]))
    for n in (8, 30, 200):
        pairs = [(rng.exponential(size=n), rng.exponential(size=2 * n)) for _ in range(runs)]
        yield (f"permutation, {n} and {2 * n} rows, exponential",
               rate(comparisons.permutation(a, b, draws=199) <= ALPHA for a, b in pairs), "")
    spread = [(rng.normal(size=20), rng.normal(0, 4, size=80)) for _ in range(runs)]
    yield ("permutation, equal means, spreads 1 and 4, 20 and 80 rows (beyond its promise)",
           rate(comparisons.permutation(a, b, draws=199) <= ALPHA for a, b in spread),
           rate(comparisons.permutation(a, b, studentised=False, draws=199) <= ALPHA for a, b in spread))


# ------------------------------------------------------------------------------------------------ intervals of shares


def score_interval(a: int, n: int, b: int, m: int) -> tuple[float, float]:
    """Miettinen and Nurminen's, asymptotic."""
    z = float(stats.norm.ppf(0.975))
    return score_difference_lower(a, n, b, m, z), -score_difference_lower(b, m, a, n, z)


def newcombe(a: int, n: int, b: int, m: int) -> tuple[float, float]:
    """The most used interval that needs no search, asymptotic."""
    (low, high), (lowest, highest) = (
        stats.binomtest(hits, trials).proportion_ci(method="wilson") for hits, trials in ((a, n), (b, m)))
    p, q = a / n, b / m
    return q - p - math.hypot(q - lowest, high - p), q - p + math.hypot(highest - q, p - low)


def wald(a: int, n: int, b: int, m: int) -> tuple[float, float]:
    half = 1.96 * math.sqrt(a / n * (1 - a / n) / n + b / m * (1 - b / m) / m)
    return b / m - a / n - half, b / m - a / n + half


def misses_of_shares(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(1)
    for p, q, n, m in ((0.5, 0.5, 30, 30), (0.5, 0.6, 20, 60), (0.05, 0.05, 200, 200), (0.05, 0.1, 40, 160),
                       (0.01, 0.01, 500, 500), (0.01, 0.02, 100, 300), (0.001, 0.001, 2000, 2000),
                       (0.001, 0.003, 1000, 3000)):
        drawn = list(zip(rng.binomial(n, p, runs).tolist(), rng.binomial(m, q, runs).tolist(), strict=True))
        found = []
        for method in (comparisons.two_sample_difference, score_interval, newcombe, wald):
            known = {one: method(one[0], n, one[1], m) for one in set(drawn)}
            found.append([known[one] for one in drawn])
        wide = [float(np.mean([high - low for low, high in one])) for one in found]
        yield (f"{p}, {q}", f"{n}, {m}", *(rate(misses(one, q - p) for one in given) for given in found),
               wide[0] / wide[1])


# ------------------------------------------------------------------------------------------------- intervals of means


def t_interval(rows: np.ndarray) -> tuple[float, float]:
    half = stats.t.ppf(0.975, len(rows) - 1) * rows.std(ddof=1) / math.sqrt(len(rows))
    return rows.mean() - half, rows.mean() + half


def skewed_differences() -> dict[str, tuple[Callable[[np.random.Generator, int], np.ndarray], float]]:
    return {
        "1 in 100 loses all": (lambda rng, n: -(rng.random(n) < 0.01).astype(float), -0.01),
        "1 in 100 loses all, others gain 0.02": (lambda rng, n: np.where(rng.random(n) < 0.01, -1.0, 0.02), 0.0098),
        "3 in 100 worse, 3 better": (lambda rng, n: rng.choice([-1.0, 0.0, 1.0], n, p=[0.03, 0.94, 0.03]), 0.0),
        "beta(1, 20) less beta(1, 5)": (lambda rng, n: rng.beta(1, 20, n) - rng.beta(1, 5, n), 1 / 21 - 1 / 6),
        "uniform": (lambda rng, n: rng.uniform(-1, 1, n), 0.0),
    }


def misses_of_paired_means(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(2)
    for name, (draw, truth) in skewed_differences().items():
        for n in (50, 300):
            drawn = [draw(rng, n) for _ in range(runs)]
            ours = [comparisons.paired_mean_difference(rows) for rows in drawn]
            students = [t_interval(rows) for rows in drawn]
            yield (name, n, rate(misses(one, truth) for one in ours), rate(misses(one, truth) for one in students),
                   float(np.mean([high - low for low, high in ours]) / np.mean([b - a for a, b in students])))
    for clusters in (8, 30):
        drawn, labels = [], np.repeat(np.arange(clusters), 10)
        for _ in range(runs):
            gain = np.repeat(rng.choice([0.1, -0.4], clusters, p=[0.8, 0.2]), 10)
            drawn.append(np.clip(gain + 0.1 * rng.normal(size=len(labels)), -1, 1))
        ours = [comparisons.paired_mean_difference(rows, clusters=labels) for rows in drawn]
        students = [t_interval(rows.reshape(clusters, 10).mean(axis=1)) for rows in drawn]
        yield (f"1 in 5 speakers loses 0.4, others gain 0.1; {clusters} of 10 rows", 10 * clusters,
               rate(misses(one, 0.0) for one in ours), rate(misses(one, 0.0) for one in students),
               float(np.mean([high - low for low, high in ours]) / np.mean([b - a for a, b in students])))


def misses_of_two_means(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(3)
    cells = {
        "right or wrong, 0.5": lambda n: (rng.random(n) < 0.5).astype(float),
        "right or wrong, 0.01": lambda n: (rng.random(n) < 0.01).astype(float),
        "beta(0.2, 2)": lambda n: rng.beta(0.2, 2, n),
        "1 in 50 a uniform number": lambda n: np.where(rng.random(n) < 0.02, rng.random(n), 0.0),
    }
    for name, draw in cells.items():
        for n, m in ((40, 40), (60, 600)):
            drawn = [(draw(n), draw(m)) for _ in range(runs)]
            ours = [comparisons.two_sample_mean_difference(a, b) for a, b in drawn]
            apart = [(intervals.betting(a, 0.975), intervals.betting(b, 0.975)) for a, b in drawn[: runs // 10]]
            bonferroni = float(np.mean([b[1] - b[0] + a[1] - a[0] for a, b in apart]))
            yield (name, f"{n}, {m}", rate(misses(one, 0.0) for one in ours),
                   float(np.mean([high - low for low, high in ours[: runs // 10]])) / bonferroni)


def welch_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """Welch's test as everybody has it."""
    variances = first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)
    if not sum(variances):
        return 1.0
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / (len(first) - 1) + variances[1] ** 2 / (len(second) - 1))
    return 2 * float(special.stdtr(freedom, -abs(first.mean() - second.mean()) / math.sqrt(sum(variances))))


def misses_of_welch(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(4)
    cells = {
        "normal": lambda n: rng.normal(size=n),
        "exponential": lambda n: rng.exponential(size=n),
        "log-normal, sigma 1.5": lambda n: rng.lognormal(0, 1.5, n),
        "1 in 20 buys, log-normal sigma 1": lambda n: np.where(rng.random(n) < 0.05, rng.lognormal(0, 1, n), 0.0),
    }
    for name, draw in cells.items():
        for n, m in ((50, 50), (50, 500), (500, 500), (200, 2000), (2000, 2000)):
            rows = [(draw(n), draw(m)) for _ in range(runs)]
            drawn = [comparisons.welch_difference(*one) for one in rows]
            plain = [welch_p_value(*one) <= ALPHA for one in rows]
            yield (name, f"{n}, {m}", rate(math.isfinite(one[0]) for one in drawn),
                   rate(misses(one, 0.0) for one in drawn), rate(plain))
    for clusters in (10, 30):
        drawn = []
        for _ in range(runs):
            first, second, labels, others = two_sides(rng, clusters)
            drawn.append(comparisons.welch_difference(first, second, clusters=(labels, others)))
        yield ("gamma(0.5) clusters of uneven size", f"{clusters}, {2 * clusters} clusters",
               rate(math.isfinite(one[0]) for one in drawn), rate(misses(one, 0.0) for one in drawn), "")


# ---------------------------------------------------------------------------------------------------- word error rates


def recognised(rng: np.random.Generator, units: int, speakers: int | None) -> tuple[np.ndarray, ...]:
    """Errors of two systems of the same error rate that stumble over the same sentences, and words."""
    owner = np.arange(units) if speakers is None else rng.integers(0, speakers, units)
    groups = units if speakers is None else speakers
    hard, taste = rng.gamma(0.5, 0.2, groups)[owner], rng.beta(4, 4, groups)[owner]
    words = rng.integers(3, 25, units)
    return rng.poisson(words * 2 * hard * taste), rng.poisson(words * 2 * hard * (1 - taste)), words, owner


def errors_of_matched_pairs(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(5)
    for units, speakers in ((40, None), (100, None), (500, None), (400, 12), (400, 30), (1000, 100)):
        drawn = [recognised(rng, units, speakers) for _ in range(runs)]
        found = [comparisons.matched_pairs(a, b, w, clusters=None if speakers is None else owner)
                 for a, b, w, owner in drawn]
        decided = [one for one in found if one.z is not None]
        known = [one for one in found if math.isfinite(one.interval[0])]
        yield (f"{units} sentences" + ("" if speakers is None else f" of {speakers} speakers"),
               f"{len(decided) / runs:.2f}", rate(one.p_value <= ALPHA for one in decided) if decided else "",
               rate(one.sign_flip_p_value <= ALPHA for one in found), f"{len(known) / runs:.2f}",
               rate(misses(one.interval, 0.0) for one in known) if known else "",
               rate(comparisons.matched_pairs(a, b, w).p_value <= ALPHA for a, b, w, _ in drawn[: runs // 4])
               if speakers else "")


# ----------------------------------------------------------------------------------------------------------- sequences


def errors_of_sequential_mcnemar(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(6)
    for changed in (0.5, 0.1, 0.02):
        draw = rng.random((runs, 2500))
        worsened, improved = np.cumsum(draw < changed / 2, axis=1), np.cumsum(draw > 1 - changed / 2, axis=1)
        looks = comparisons.sequential_mcnemar(worsened, improved)
        ever = (looks.log_e >= math.log(1 / ALPHA)).any(axis=1)
        missed = ((looks.low > 0.5) | (looks.high < 0.5)).any(axis=1)
        counts = worsened[:, 49::50], improved[:, 49::50]
        both = counts[0] + counts[1]
        naive = (2 * stats.binom.cdf(np.minimum(*counts), both, 0.5) <= ALPHA).any(axis=1)
        yield f"{changed}", rate(ever), rate(missed), rate(naive)


def power_of_sequential_mcnemar(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(7)
    for lost, gained in ((0.04, 0.06), (0.01, 0.03), (0.1, 0.2)):
        fixed = math.ceil((1.96 * math.sqrt(lost + gained) + 0.842 * math.sqrt(lost + gained - (gained - lost) ** 2))
                          ** 2 / (gained - lost) ** 2)
        draw = rng.random((min(runs, 500), 3 * fixed))
        worsened, improved = np.cumsum(draw < lost, axis=1), np.cumsum(draw > 1 - gained, axis=1)
        row: list[object] = [f"{lost}, {gained}", fixed]
        for prior in ((1.0, 1.0), comparisons.sequential.PRIOR, (20.0, 20.0)):
            reached = comparisons.sequential_mcnemar(worsened, improved, prior=prior).log_e >= math.log(1 / ALPHA)
            first = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, draw.shape[1])
            row.append(f"{reached.any(axis=1).mean():.3f}, {first.mean() / fixed:.2f}")
        yield tuple(row)


def errors_of_sequential_pairs(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(8)
    margin, n = 0.05, 1000
    cells: dict[str, Callable[[float, tuple[int, int]], np.ndarray]] = {
        "3 in 100 worse, 3 better": lambda shift, shape: (
            (rng.random(shape) < 0.03 + max(shift, 0)).astype(float) - (rng.random(shape) < 0.03 + max(-shift, 0))),
        "uniform": lambda shift, shape: shift + 0.9 * rng.uniform(-1, 1, shape),
        "skewed": lambda shift, shape: np.where(rng.random(shape) < 0.02, shift - 0.98 * 0.9, shift + 0.02 * 0.9)}
    for name, draw in cells.items():
        for question, truths in (("better", (0.0,)), ("no_worse", (-margin,)), ("equivalent", (-margin, margin))):
            for truth in truths:
                holds, fails, naive = 0, 0, 0
                for start in range(0, runs, 100):
                    rows = draw(truth, (min(100, runs - start), n))
                    looks = comparisons.sequential_pairs(rows, question=question,
                                                         margin=0.0 if question == "better" else margin)
                    holds, fails = holds + looks.holds[:, -1].sum(), fails + looks.fails[:, -1].sum()
                    if question == "better":
                        count = np.arange(1, n + 1)
                        mean = np.cumsum(rows, axis=1) / count
                        spread = np.sqrt(np.maximum(np.cumsum(rows**2, axis=1) / count - mean**2, 1e-12) / count)
                        naive += (mean / spread >= 1.645)[:, 49::10].any(axis=1).sum()
                yield name, question, f"{truth:+.2f}", holds / runs, fails / runs, \
                    naive / runs if question == "better" else ""


def power_of_sequential_pairs(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(9)
    for lost, gained, question, margin in ((0.04, 0.06, "better", 0.0), (0.02, 0.02, "no_worse", 0.02),
                                           (0.02, 0.02, "equivalent", 0.02), (0.1, 0.2, "better", 0.0)):
        effect, variance = gained - lost + margin, lost + gained - (gained - lost) ** 2
        power = 0.9 if question == "equivalent" else 0.8
        fixed = math.ceil((1.645 + stats.norm.ppf(power)) ** 2 * variance / effect**2)
        runs = min(runs, 400)
        found, taken = 0, 0.0
        for _ in range(0, runs, 20):
            draw = rng.random((20, 4 * fixed))
            rows = (draw > 1 - gained).astype(float) - (draw < lost)
            looks = comparisons.sequential_pairs(rows, question=question, margin=margin)
            found += looks.holds[:, -1].sum()
            taken += np.where(looks.holds[:, -1], looks.holds.argmax(axis=1) + 1, rows.shape[1]).sum()
        yield question, f"{lost}, {gained}, {margin}", fixed, found / runs, taken / runs / fixed


# ----------------------------------------------------------------------------------------------------------- many


def slices_of_nothing(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(10)
    told = dict.fromkeys(("holm", "benjamini_hochberg", "benjamini_yekutieli"), 0)
    uncorrected, rule, confirmed = 0, 0, 0
    for _ in range(runs):
        wrong = (rng.random(2000) < 0.1).astype(float)
        masks = rng.random((300, 2000)) < rng.uniform(0.02, 0.3, 300)[:, None]
        p_values = by_row(wrong, masks)
        for name in told:
            told[name] += min(many.CORRECTIONS[name](p_values.tolist())) <= ALPHA
        uncorrected += int((p_values <= ALPHA).sum())
        rates = masks @ wrong / masks.sum(axis=1)
        rule += int((rates - wrong.mean() > 0.05).sum())
    for _ in range(runs // 4):
        wrong = (rng.random(2000) < 0.1).astype(float)
        confirmed += bool(many.confirmed_slices(wrong, rng.random((2000, 300)) < 0.1))
    yield "p <= 0.05, uncorrected", "1.0000", uncorrected / runs
    yield "5 points above the average", "", rule / runs
    for name, count in told.items():
        yield f"slices, {name}", count / runs, ""
    yield f"confirmed_slices ({runs // 4} runs)", confirmed / (runs // 4), ""


def slices_in_clusters(runs: int) -> Iterable[tuple[object, ...]]:
    rng, candidates = np.random.default_rng(11), 30
    for kind in ("whole speakers", "parts of speakers"):
        told, naive, index = 0, 0, np.repeat(np.arange(60), 20)
        for _ in range(runs):
            wrong = (rng.random(1200) < rng.beta(1, 9, 60)[index]).astype(float)
            inside = rng.random((60, candidates)) < 0.3
            masks = inside[index]
            if kind != "whole speakers":
                masks = rng.random((1200, candidates)) < rng.beta(0.5, 0.5, (60, candidates))[index]
            told += bool(many.slices(wrong, masks, clusters=index.tolist()))
            naive += bool(many.slices(wrong, masks))
        yield f"60 speakers of 20 rows, {candidates} slices of {kind}, {runs} runs", told / runs, naive / runs


def slices_planted(runs: int) -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(12)
    for rows, share in ((60, 0.3), (100, 0.3), (200, 0.2), (200, 0.25)):
        found = dict.fromkeys(("holm", "benjamini_yekutieli", "confirmed"), 0)
        for _ in range(runs):
            wrong = (rng.random(2000) < 0.1).astype(float)
            masks = rng.random((2000, 300)) < rng.uniform(0.02, 0.3, 300)
            masks[:, 0] = np.isin(np.arange(2000), rng.choice(2000, rows, replace=False))
            wrong[masks[:, 0]] = rng.random(rows) < share
            for name in ("holm", "benjamini_yekutieli"):
                found[name] += any(one.name == "0" for one in many.slices(wrong, masks, correction=name))
            found["confirmed"] += any(one.name == "0" for one in many.confirmed_slices(wrong, masks))
        yield rows, share, *(count / runs for count in found.values())


def false_discoveries(runs: int) -> Iterable[tuple[object, ...]]:
    rng, effect = np.random.default_rng(13), 3.0
    truth = np.repeat([0.0, effect], [80, 20])
    for name, weight in (("independent", 0.0), ("rise and fall together", 0.7)):
        drawn = truth + math.sqrt(weight) * rng.normal(size=(runs, 1)) + math.sqrt(1 - weight) * rng.normal(
            size=(runs, 100))
        for method in ("holm", "benjamini_hochberg", "benjamini_yekutieli", "e_bh"):
            false = found = any_false = 0.0
            for z in drawn:
                told = np.array(many.e_bh((effect * z - effect**2 / 2).tolist())) if method == "e_bh" else \
                    np.array(many.CORRECTIONS[method](stats.norm.sf(z).tolist())) <= ALPHA
                false += told[:80].sum() / max(told.sum(), 1) / runs
                any_false += told[:80].any() / runs
                found += told[80:].mean() / runs
            yield name, method, false, any_false, found


# ---------------------------------------------------------------------------------------------------------- peers, time


def agreement() -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(14)
    first, second = rng.normal(size=8), rng.normal(0.5, 1, 7)
    ours = comparisons.permutation(first, second, studentised=False)
    theirs = stats.permutation_test((first, second), lambda x, y, axis: np.abs(x.mean(axis) - y.mean(axis)),
                                    vectorized=True, n_resamples=np.inf, alternative="greater").pvalue
    yield "permutation, counted", "scipy permutation_test", f"{abs(ours - theirs):.1e}"
    pairs = rng.normal(0.3, 1, (2, 12))
    theirs = stats.permutation_test((pairs[0] - pairs[1],), lambda x, axis: np.abs(x.sum(axis)), vectorized=True,
                                    permutation_type="samples", n_resamples=np.inf, alternative="greater").pvalue
    yield "sign_flip, counted", "scipy permutation_test", f"{abs(comparisons.sign_flip(*pairs) - theirs):.1e}"
    wrong, masks = (rng.random(500) < 0.2).astype(float), rng.random((20, 500)) < 0.2
    fisher = [stats.fisher_exact([[wrong[m].sum(), m.sum() - wrong[m].sum()],
                                  [wrong[~m].sum(), (~m).sum() - wrong[~m].sum()]], alternative="greater").pvalue
              for m in masks]
    yield "slices, p-values", "scipy fisher_exact", f"{np.abs(by_row(wrong, masks) - fisher).max():.1e}"
    yield "share of the score of two_sample_difference", "scipy minimize_scalar", f"{restricted_share():.1e}"
    if not HAS_STATSMODELS:
        yield "multipletests, mcnemar, score limits", "statsmodels", "not installed"
        return
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import score_test_proportions_2indep

    p_values = (rng.random(200) ** 2).tolist()
    for name, theirs in (("holm", "holm"), ("benjamini_hochberg", "fdr_bh"), ("benjamini_yekutieli", "fdr_by")):
        apart = np.abs(np.array(many.CORRECTIONS[name](p_values)) - multipletests(p_values, method=theirs)[1]).max()
        yield name, "statsmodels multipletests", f"{apart:.1e}"
    apart = max(abs(comparisons.mcnemar(a, b) - mcnemar([[0, a], [b, 0]], exact=True).pvalue)
                for a in range(12) for b in range(12) if a + b)
    yield "mcnemar, exact", "statsmodels mcnemar", f"{apart:.1e}"
    z = score_test_proportions_2indep(35, 200, 20, 150, value=0, compare="diff").statistic
    yield "score of two shares against no difference", "statsmodels", f"{abs(_score(20, 150, 35, 200, 0.0) - z):.1e}"


def restricted_share() -> float:
    """The largest distance of the cubic's root from where scipy finds the likelihood highest.

    The score of statsmodels 0.15 against other differences is not compared: its cubic has a count where the number of
    samples belongs.
    """
    apart = []
    for a, n, b, m, delta in ((5, 50, 9, 40, -0.03), (20, 60, 40, 90, -0.05), (3, 60, 30, 90, 0.2)):
        def unlikely(share: float, counts: tuple[int, ...] = (a, n - a, b, m - b), delta: float = delta) -> float:
            chances = share, 1 - share, share + delta, 1 - share - delta
            return -float(special.xlogy(counts, chances).sum())

        edges = max(0.0, -delta), min(1.0, 1 - delta)
        found = optimize.minimize_scalar(unlikely, bounds=edges, method="bounded", options={"xatol": 1e-12})
        apart.append(abs(found.x - float(_restricted_share(a, n, b, m, delta))))
    return max(apart)


def times() -> Iterable[tuple[object, ...]]:
    rng = np.random.default_rng(15)
    yield "two_sample_difference, 200 a side", cpu(lambda: comparisons.two_sample_difference(20, 200, 35, 200))
    yield "two_sample_difference, 10,000 a side", cpu(lambda: comparisons.two_sample_difference(500, 10**4, 600, 10**4))
    yield "two_sample_difference, 1,000,000 a side", cpu(
        lambda: comparisons.two_sample_difference(50_000, 10**6, 50_600, 10**6), 1)
    rows = rng.random((2, 1000))
    mine = cpu(lambda: comparisons.permutation(*rows), 3)
    yield "permutation, 1,000 a side, 9,999 draws", mine
    peer = cpu(lambda: stats.permutation_test(tuple(rows), lambda x, y, axis: x.mean(axis) - y.mean(axis),
                                              vectorized=True, n_resamples=9999, batch=500), 1)
    yield f"the same by scipy permutation_test ({peer / mine:.1f} times ours)", peer
    yield "permutation, 100,000 a side", cpu(lambda: comparisons.permutation(*rng.random((2, 10**5))), 1)
    yield "sign_flip, 1,000 graded pairs", cpu(lambda: comparisons.sign_flip(*rows))
    clusters = np.repeat(np.arange(100), 100)
    right = (rng.random((2, 10**4)) < 0.8).astype(float)
    yield "sign_flip, 10,000 rows of 100 clusters, right or wrong", cpu(
        lambda: comparisons.sign_flip(*right, clusters=clusters))
    yield "paired_mean_difference, 1,000 pairs", cpu(lambda: comparisons.paired_mean_difference(rows[0] - rows[1]))
    yield "sequential_pairs, 1,000 looks", cpu(
        lambda: comparisons.sequential_pairs(rows[0] - rows[1], question="better"))
    yield "sequential_mcnemar, 1,000 looks", cpu(
        lambda: comparisons.sequential_mcnemar(np.arange(1000), np.arange(1000) * 2))
    wrong, masks = (rng.random(2000) < 0.1).astype(float), rng.random((2000, 300)) < 0.1
    yield "slices, 300 candidates of 2,000 rows", cpu(lambda: many.slices(wrong, masks))
    whole = (rng.random((100, 300)) < 0.3)[np.repeat(np.arange(100), 20)]
    yield "slices, 300 candidates of 100 whole clusters", cpu(
        lambda: many.slices(wrong, whole, clusters=np.repeat(np.arange(100), 20).tolist()), 1)


def main() -> None:
    """Simulate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 runs instead of 2,000: only whether it runs")
    runs = 40 if parser.parse_args().quick else 2000
    start = time.process_time()
    print(f"{runs:,} runs a cell unless said otherwise, seeds fixed; Monte Carlo error at 0.05: "
          f"{math.sqrt(0.05 * 0.95 / runs):.4f}. What is only there for contrast (rows taken as independent, peers' "
          f"widths) has {runs // 4:,} or {runs // 10:,}.")
    table("Tests where there is no difference: how often p <= 0.05",
          "test | errs | rows taken as independent (last row: means not studentised)", errors_of_tests(runs))
    table("Two shares of different samples: how often the 95 % interval misses",
          "shares | samples | two_sample_difference | score (asymptotic) | Newcombe | Wald | width, ours / score",
          misses_of_shares(runs))
    table("Paired graded scores: how often the 95 % interval misses",
          "differences | rows | paired_mean_difference | t interval | width, ours / t",
          misses_of_paired_means(runs))
    table("Two means in [0, 1]: how often the 95 % interval misses",
          "scores | samples | two_sample_mean_difference | width, ours / two betting intervals",
          misses_of_two_means(runs))
    table("Two means without limits: how often the 95 % interval of welch_difference misses (asymptotic; it excludes "
          "nothing where the difference is skewed or few rows make it up)",
          "values | samples | decided | misses | plain Welch",
          misses_of_welch(runs))
    table("Word error rates: errors at 0.05 where there is no difference",
          "data | z decided | z, of decided | sign_flip_p_value | interval decided | interval misses | z of sentences, "
          "speakers ignored", errors_of_matched_pairs(runs))
    table("sequential_mcnemar, a look at every one of 2,500 samples, no difference",
          "share that changed | e-value ever says so | interval ever misses | McNemar at 50 looks",
          errors_of_sequential_mcnemar(runs))
    table("sequential_mcnemar: found within 3 times the fixed n of 80 % power, and mean n / fixed n",
          "worsened, improved | fixed n | prior (1, 1) | prior (4, 4), ours | prior (20, 20)",
          power_of_sequential_mcnemar(runs))
    table("sequential_pairs, a look at every one of 1,000 pairs, at the edge of each null",
          "differences | question (margin 0.05) | true mean | ever holds | ever fails | one-sided t at 96 looks",
          errors_of_sequential_pairs(runs))
    table("sequential_pairs: found within 4 times the fixed n of 80 % power, and mean n / fixed n",
          "question | worsened, improved, margin | fixed n | holds | mean n / fixed n", power_of_sequential_pairs(runs))
    table("Slices: 300 random candidates, 2,000 rows, 10 % wrong",
          "rule | any false slice, share of runs | false slices a run", slices_of_nothing(runs))
    table("Slices where rows come in clusters", "data | any false slice | clusters ignored",
          slices_in_clusters(runs // 4))
    table(f"One planted slice among 300 ({runs // 20} runs): how often it is found",
          "rows | wrong in it (0.1 elsewhere) | Holm | Benjamini-Yekutieli | confirmed_slices",
          slices_planted(runs // 20))
    table("Of 100 questions 20 have an effect of 3 standard errors, alpha 0.05",
          "p-values | correction | false share | any false | found", false_discoveries(runs // 2))
    table("Equal to peers where they compute the same", "ours | peer | largest difference", agreement())
    table("Time, ms of CPU", "what | ms", times())
    print(f"\n{time.process_time() - start:.0f} s of CPU in all.")


if __name__ == "__main__":
    main()
