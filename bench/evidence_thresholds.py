"""Do thresholds keep what they promise, what does it cost, and what happens to who chooses them without a promise?

    .venv/bin/python bench/evidence_thresholds.py [--quick]

Everything is simulated, so that the true risk of a choice is known. "Missed" is the share of draws in which what
was chosen has a risk above its target (nominal 5 in 100); behind it, the Monte Carlo error. In the first table a choice
whose true risk is exactly the target counts as missed too: it is the hardest case.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from linnet.evidence.thresholds import (
    GenuinePairs,
    ImpostorPairs,
    conformal_risk,
    false_accept_threshold,
    learn_then_test,
    operating_points,
    selective,
)

Floats = NDArray[np.float64]
LEVEL = 0.95


def error(share: float, runs: int) -> str:
    """A share with the error of its simulation."""
    return f"{share:.3f} ± {math.sqrt(max(share * (1 - share), 0.25 / runs) / runs):.3f}"


def uniforms(random: np.random.Generator, clusters: int, rows: int, correlation: float) -> Floats:
    """Uniform numbers (clusters * rows), alike within a cluster."""
    shared = random.normal(size=(clusters, 1)) * math.sqrt(correlation)
    return np.asarray(ndtr(shared + random.normal(size=(clusters, rows)) * math.sqrt(1 - correlation)).ravel())


# ---- learn then test -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """19 choices with risks from a fifth of the target to twice it, the ninth exactly at it."""

    name: str
    target: float
    clusters: int
    rows: int = 1
    correlation: float = 0.0
    graded: bool = False

    @property
    def risks(self) -> Floats:
        """The true risk of each choice."""
        return self.target * np.linspace(0.2, 2.0, 19)

    def losses(self, random: np.random.Generator) -> Floats:
        """(choices, rows)."""
        drawn = uniforms(random, self.clusters, self.rows, self.correlation)
        if not self.graded:
            return np.asarray(drawn < self.risks[:, None], dtype=np.float64)
        return np.asarray((drawn < 2 * self.risks[:, None]) * random.random(len(drawn)))


GRIDS = (Grid("right or wrong, 500 rows", 0.05, 500), Grid("rare, 5,000 rows", 0.005, 5000),
         Grid("graded, 500 rows", 0.05, 500, graded=True), Grid("60 clusters of 20", 0.1, 60, 20, 0.2),
         Grid("20 clusters of 100", 0.1, 20, 100, 0.05))


def empirical(losses: Floats, target: float) -> list[int]:
    """What is chosen without a promise: everything whose mean loss keeps the target."""
    return np.flatnonzero(losses.mean(axis=1) <= target).tolist()


def rules(grid: Grid) -> dict[str, Callable[[Floats], Sequence[int]]]:
    """The ways to choose that are compared on a grid."""
    order, labels = [range(19)], np.repeat(np.arange(grid.clusters), grid.rows)
    two_starts = [range(9, 19), range(19)]
    clusters = labels if grid.rows > 1 else None

    def ours(**more: object) -> Callable[[Floats], Sequence[int]]:
        return lambda losses: learn_then_test(losses, grid.target, clusters=clusters, **more).certified

    found: dict[str, Callable[[Floats], Sequence[int]]] = {
        "mean loss at most the target": lambda losses: empirical(losses, grid.target),
        "fixed sequence": ours(orders=order), "two starting points": ours(orders=two_starts), "Bonferroni": ours()}
    if grid.graded or clusters is not None:
        found["fixed sequence, Hoeffding-Bentkus"] = ours(orders=order, p_value="hoeffding_bentkus")
    if clusters is not None:
        found["fixed sequence, effective binomial"] = ours(orders=order, p_value="effective_binomial")
        found["fixed sequence, rows as independent"] = lambda losses: learn_then_test(
            losses, grid.target, orders=order).certified
    return found


def learn_then_test_table(runs: int) -> None:
    """Family-wise error, and how much of the target is used."""
    print("\n## learn_then_test\n\n`risk used`: true risk of the boldest certified choice, as a share of the target."
          "\n\n| data | rule | missed | decided | risk used | ms |\n|---|---|---|---|---|---|")
    for grid in GRIDS:
        for name, rule in rules(grid).items():
            random, missed, used, taken = np.random.default_rng(1), 0, [], 0.0
            for _ in range(runs):
                losses = grid.losses(random)
                start = time.process_time()
                certified = list(rule(losses))
                taken += time.process_time() - start
                boldest = max(grid.risks[certified], default=0.0)
                missed += boldest >= grid.target * (1 - 1e-9)
                used += [boldest / grid.target] if certified else []
            print(f"| {grid.name} | {name} | {error(missed / runs, runs)} | {len(used) / runs:.2f} "
                  f"| {np.mean(used) if used else 0:.2f} | {1e3 * taken / runs:.2f} |")


def two_risks_table(runs: int) -> None:
    """Two risks at once over a grid of two dials: one risk falls where the other rises."""
    targets, random, missed, found = [0.1, 0.02], np.random.default_rng(2), 0, 0
    first, second = np.repeat(np.linspace(0.02, 0.2, 10), 10), np.tile(np.linspace(0.004, 0.04, 10), 10)
    for _ in range(runs):
        drawn = random.random((2, 1, 1000))
        losses = np.stack([drawn[0] < first[:, None], drawn[1] < second[:, None]], axis=2)
        certified = list(learn_then_test(losses, targets).certified)
        is_bad = (first[certified] >= targets[0] - 1e-12) | (second[certified] >= targets[1] - 1e-12)
        missed, found = missed + bool(is_bad.any()), found + bool(certified)
    print(f"| two risks, 10 x 10 choices, 1,000 rows | Bonferroni | {error(missed / runs, runs)} | {found / runs:.2f} "
          "| | |")


def random_sizes_table(runs: int) -> None:
    """Clusters of one row and right, or of ten and wrong: sizes that go with the risk, and what stating them does."""
    target, random = 0.05 * 10 / (0.95 + 0.05 * 10) * (1 - 1e-9), np.random.default_rng(7)
    cases = [(method, largest) for method in ("betting", "hoeffding_bentkus") for largest in (None, 10)]
    missed = dict.fromkeys(cases, 0)
    for _ in range(runs):
        is_bad = random.random(50) < 0.05
        labels = np.repeat(np.arange(50), np.where(is_bad, 10, 1))
        for method, largest in cases:
            missed[method, largest] += learn_then_test(is_bad[labels][None], target, orders=[[0]], clusters=labels,
                                                       largest=largest, p_value=method).decided
    for method, largest in cases:
        name = f"{method}, {'sizes as drawn' if largest is None else f'largest={largest}'}"
        print(f"| 50 clusters of 1 or, 5 in 100 and wrong, 10 | {name} | {error(missed[method, largest] / runs, runs)} "
              "| | | |")


# ---- selective -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """Confidences from 0 to 1; the lower, the more often wrong: of those from t on, worst / 3 * (1 - t) squared."""

    name: str
    error: float
    clusters: int
    rows: int = 1
    correlation: float = 0.0
    worst: float = 0.3
    sure_and_wrong: float = 0.0
    """Half of this share of rows, with the highest confidence, is wrong."""

    def true_error(self, threshold: float) -> float:
        """Among new answers with at least this confidence."""
        answered = max(1 - threshold, 1e-12)
        return self.worst / 3 * answered**2 + 0.5 * min(self.sure_and_wrong, answered) / answered

    def draw(self, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Confidences, and who is right."""
        confidence = random.random(self.clusters * self.rows)
        chance = self.worst * (1 - confidence) ** 2 + 0.5 * (confidence > 1 - self.sure_and_wrong)
        return confidence, (uniforms(random, self.clusters, self.rows, self.correlation) >= chance).astype(np.float64)


ANSWERS = (Answers("1,000 rows, 5 in 100", 0.05, 1000), Answers("10,000 rows, 1 in 100", 0.01, 10000),
           Answers("30,000 rows, 1 in 1,000", 0.001, 30000, worst=0.009),
           Answers("100 clusters of 50, 5 in 100", 0.05, 100, 50, 0.2),
           Answers("30 clusters of 50, 5 in 100", 0.05, 30, 50, 0.2),
           Answers("15 clusters of 100, 5 in 100", 0.05, 15, 100, 0.2),
           Answers("30 clusters of 50, much alike", 0.05, 30, 50, 0.5),
           Answers("400 clusters of 5, 5 in 100", 0.05, 400, 5, 0.2),
           Answers("2 in 100 sure and wrong", 0.05, 2000, sure_and_wrong=0.02))


def lowest_empirical(confidence: Floats, right: Floats, allowed: float) -> float | None:
    """What is chosen without a promise: the most answers whose share of wrong ones is at most what is allowed."""
    order = np.argsort(-confidence)
    keeps = np.flatnonzero(np.cumsum(1 - right[order]) / np.arange(1, len(right) + 1) <= allowed)
    return float(confidence[order][keeps[-1]]) if len(keeps) else None


def selective_table(runs: int) -> None:
    """Misses, and the coverage against that of the lowest threshold that truly keeps the error."""
    print("\n## selective\n\n`coverage`: of the draws that were decided, as a share of what the true errors would "
          "allow.\n\n| data | rule | missed | decided | coverage | ms |\n|---|---|---|---|---|---|")
    for cell in ANSWERS:
        labels = np.repeat(np.arange(cell.clusters), cell.rows) if cell.rows > 1 else None
        chosen: dict[str, Callable[[Floats, Floats], float | None]] = {
            "empirical": lambda c, r, cell=cell: lowest_empirical(c, r, cell.error),
            "selective": lambda c, r, cell=cell, labels=labels: selective(
                c, r, error=cell.error, clusters=labels).threshold}
        if labels is not None:
            chosen["selective, exact"] = lambda c, r, cell=cell, labels=labels: selective(
                c, r, error=cell.error, clusters=labels, exact=True).threshold
            chosen["rows as independent"] = lambda c, r, cell=cell: selective(c, r, error=cell.error).threshold
        most = max(1 - t for t in np.linspace(0, 1, 10001) if cell.true_error(t) <= cell.error)
        for name, rule in chosen.items():
            random, missed, coverage, taken = np.random.default_rng(3), 0, [], 0.0
            for _ in range(runs):
                drawn = cell.draw(random)
                start = time.process_time()
                threshold = rule(*drawn)
                taken += time.process_time() - start
                if threshold is not None:
                    missed += cell.true_error(threshold) > cell.error
                    coverage.append((1 - threshold) / most)
            print(f"| {cell.name} | {name} | {error(missed / runs, runs)} | {len(coverage) / runs:.2f} "
                  f"| {np.mean(coverage) if coverage else 0:.2f} | {1e3 * taken / runs:.2f} |")


# ---- conformal risk --------------------------------------------------------------------------------------------------


def conformal_table(runs: int) -> None:
    """The risk on average, which is what is promised, and how often a single choice exceeds the target."""
    print("\n## conformal_risk\n\nPromised is the mean risk over draws; that a single draw exceeds the target is not "
          "excluded.\n\n| data | rule | target | mean risk | draws above |\n|---|---|---|---|---|")
    risks = np.linspace(1, 0, 401)
    for name, target, clusters, rows, correlation in (
            ("100 rows", 0.1, 100, 1, 0.0), ("1,000 rows, rare", 0.01, 1000, 1, 0.0),
            ("40 clusters of 25", 0.1, 40, 25, 0.2)):
        labels = np.repeat(np.arange(clusters), rows) if rows > 1 else None
        random, ours, empirical_risks = np.random.default_rng(4), [], []
        for _ in range(runs):
            losses = (uniforms(random, clusters, rows, correlation) < risks[:, None]).astype(np.float64)
            found = conformal_risk(losses, target=target, clusters=labels).choice
            ours.append(risks[found] if found is not None else 0.0)
            empirical_risks.append(risks[int((losses.mean(axis=1) <= target).argmax())])
        for rule, seen in (("conformal_risk", np.array(ours)), ("empirical mean", np.array(empirical_risks))):
            print(f"| {name} | {rule} | {target} | {seen.mean():.4f} ± {seen.std() / math.sqrt(runs):.4f} "
                  f"| {(seen > target).mean():.2f} |")


# ---- verification ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Voices:
    """Scores of impostor pairs: an effect of each speaker and noise; variance 1 in all."""

    name: str
    speakers: int
    pairs: int = 20_000
    sigma: float = 0.4
    freedom: float = math.inf
    """Of the t distribution of speakers' effects."""
    rate: float = 0.001
    uneven: bool = False
    """Some speakers are in many more pairs than others."""

    def effects(self, random: np.random.Generator, count: int) -> Floats:
        """Speakers' effects, with a standard deviation of sigma."""
        if math.isinf(self.freedom):
            return random.normal(0, self.sigma, count)
        return np.asarray(random.standard_t(self.freedom, count) * self.sigma * math.sqrt(1 - 2 / self.freedom))

    @property
    def noise(self) -> float:
        """The standard deviation of the rest."""
        return math.sqrt(1 - 2 * self.sigma**2)

    def draw(self, random: np.random.Generator) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
        """Scores, first and second speakers."""
        effects = self.effects(random, self.speakers)
        if self.uneven:
            weights = random.gamma(1.0, size=self.speakers) + 0.05
            first, second = random.choice(self.speakers, (2, 2 * self.pairs), p=weights / weights.sum())
            different = np.flatnonzero(first != second)[: self.pairs]
            first, second = first[different], second[different]
        else:
            first = random.integers(0, self.speakers, self.pairs)
            second = (first + random.integers(1, self.speakers, self.pairs)) % self.speakers
        return effects[first] + effects[second] + random.normal(0, self.noise, len(first)), first, second


class Truth:
    """The false-accept rate of any threshold among new speakers."""

    def __init__(self, voices: Voices) -> None:
        random = np.random.default_rng(99)
        self.grid = np.linspace(1.0, 9.0, 321)
        sums = voices.effects(random, 100_000) + voices.effects(random, 100_000)
        exact = math.isinf(voices.freedom)
        rates = ndtr(-self.grid) if exact else np.array([ndtr((sums - t) / voices.noise).mean() for t in self.grid])
        self.log_rates = np.log(rates)
        self.oracle = float(np.interp(-math.log(voices.rate), -self.log_rates, self.grid))

    def rate(self, threshold: Floats) -> Floats:
        """Of each threshold."""
        return np.asarray(np.exp(np.interp(threshold, self.grid, self.log_rates)))


def empirical_threshold(voices: Voices, scores: Floats, *_: object) -> float:
    """The threshold that keeps the rate on these pairs."""
    return float(np.sort(scores)[-1 - int(voices.rate * len(scores))])


def independent_threshold(voices: Voices, scores: Floats, *_: object) -> float | None:
    """Clopper and Pearson's bound, pairs taken as independent."""
    counts = np.arange(int(voices.rate * len(scores)) + 1)
    kept = counts[beta.ppf(LEVEL, counts + 1, len(scores) - counts) <= voices.rate]
    return float(np.sort(scores)[-1 - kept.max()]) if len(kept) else None


def bootstrap_threshold(
    voices: Voices, scores: Floats, first: NDArray[np.int64], second: NDArray[np.int64]
) -> float | None:
    """Speakers drawn again 200 times: the lowest threshold whose rate keeps the target in 95 of 100."""
    random = np.random.default_rng(0)
    weights = random.multinomial(voices.speakers, np.full(voices.speakers, 1 / voices.speakers), 200).astype(np.float64)
    top = np.argsort(-scores)[: int(3 * voices.rate * len(scores))]
    counts = np.bincount(first * voices.speakers + second, minlength=voices.speakers**2).reshape(voices.speakers, -1)
    totals = ((weights @ counts) * weights).sum(axis=1)
    rates = np.cumsum(weights[:, first[top]] * weights[:, second[top]], axis=1) / totals[:, None]
    kept = np.flatnonzero(np.quantile(rates, LEVEL, axis=0) <= voices.rate)
    return float(scores[top[kept[-1] + 1]]) if len(kept) and kept[-1] + 1 < len(top) else None


def certified_threshold(voices: Voices, scores: Floats, *speakers: NDArray[np.int64]) -> float | None:
    """Ours."""
    return false_accept_threshold(scores, *speakers, rate=voices.rate, level=LEVEL).threshold


RULES: dict[str, Callable[..., float | None]] = {
    "empirical": empirical_threshold, "pairs as independent": independent_threshold,
    "speaker bootstrap": bootstrap_threshold, "false_accept_threshold": certified_threshold}
VOICES = (Voices("40 speakers", 40), Voices("200 speakers", 200), Voices("100 speakers", 100),
          Voices("400 speakers", 400), Voices("40 speakers, sigma 0.2", 40, sigma=0.2),
          Voices("200 speakers, sigma 0.6", 200, sigma=0.6),
          Voices("200 speakers, 5,000 pairs", 200, pairs=5000), Voices("200 speakers, uneven", 200, uneven=True),
          Voices("40 speakers, rate 0.01", 40, rate=0.01), Voices("200 speakers, t 10", 200, freedom=10),
          Voices("200 speakers, t 5", 200, freedom=5), Voices("40 speakers, t 5", 40, freedom=5))
REJECTS = (0.05, 0.10, 0.20)


def verification_table(most_runs: int) -> None:
    """Misses, decisions, and false rejects against those of the threshold that truly has the rate.

    All draws for the two cells that numbers were promised for, half as many for the others.
    """
    print("\n## false_accept_threshold\n\n`rejects at p`: false rejects as a multiple of those of the oracle threshold "
          "where\ngenuine scores (normal, deviation 1) lie such that the oracle rejects p; mean / 95th percentile over "
          "decided draws.\nAfter the first two, half as many draws.\n")
    print("| data | rule | missed | decided | " + " | ".join(f"rejects at {p}" for p in REJECTS) + " | ms |\n"
          "|---|---|---|---|" + "---|" * (len(REJECTS) + 1))
    for voices in VOICES:
        is_first = voices in VOICES[:2]
        rules = {name: rule for name, rule in RULES.items() if is_first or name != "speaker bootstrap"}
        truth, random, runs = Truth(voices), np.random.default_rng(5), most_runs if is_first else most_runs // 2
        found: dict[str, list[float]] = {name: [] for name in rules}
        taken = dict.fromkeys(rules, 0.0)
        for _ in range(runs):
            drawn = voices.draw(random)
            for name, rule in rules.items():
                start = time.process_time()
                threshold = rule(voices, *drawn)
                taken[name] += time.process_time() - start
                found[name] += [threshold] if threshold is not None else []
        for name in rules:
            verification_row(f"{voices.name} | {name}", voices.rate, truth, np.array(found[name]), runs, taken[name])


def verification_row(name: str, rate: float, truth: Truth, thresholds: Floats, runs: int, taken: float) -> None:
    """One line of the table."""
    missed = float((truth.rate(thresholds) > rate).sum()) / runs
    ratios = [ndtr(thresholds - truth.oracle + ndtri(p)) / p for p in REJECTS]
    cells = " | ".join(f"{r.mean():.2f} / {np.quantile(r, 0.95):.2f}" if len(r) else "" for r in ratios)
    print(f"| {name} | {error(missed, runs)} | {len(thresholds) / runs:.2f} | {cells} | {1e3 * taken / runs:.1f} |",
          flush=True)


def operating_points_table(runs: int) -> None:
    """Misses of the interval of false accepts where few are accepted."""
    print("\n## operating_points\n\nFalse accepts at a threshold stated beforehand; `upper end`: median, as "
          "a multiple of the true rate.\n\n| data | missed | rate below it | rate above it | upper end | ms |\n"
          "|---|---|---|---|---|---|")
    own = GenuinePairs(np.arange(100) / 100, np.arange(100) // 5)
    for speakers, rate in ((40, 0.001), (40, 0.01), (200, 0.001), (200, 0.01)):
        voices, random, taken = Voices("", speakers), np.random.default_rng(6), 0.0
        threshold, ends = -float(ndtri(rate)), []
        for _ in range(runs):
            pairs = ImpostorPairs(*voices.draw(random))
            start = time.process_time()
            ends.append(operating_points(pairs, own, thresholds=[threshold])[0].false_accepts_interval)
            taken += time.process_time() - start
        low, high = np.array(ends).T
        print(f"| {speakers} speakers, rate {rate} | {error(float(((rate < low) | (rate > high)).mean()), runs)} "
              f"| {(rate < low).mean():.3f} | {(rate > high).mean():.3f} | {np.median(high) / rate:.2f} "
              f"| {1e3 * taken / runs:.0f} |", flush=True)


def main() -> None:
    """Simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fifty draws a cell: does it run?")
    parser.add_argument("--runs", type=int, default=2000)
    given = parser.parse_args()
    runs = 50 if given.quick else given.runs
    start = time.process_time()
    print(f"{runs:,} draws a cell, level {LEVEL}")
    learn_then_test_table(runs)
    two_risks_table(runs)
    random_sizes_table(runs)
    selective_table(runs)
    conformal_table(runs)
    verification_table(runs)
    operating_points_table(runs // 2)
    print(f"\n{time.process_time() - start:.0f} CPU seconds")


if __name__ == "__main__":
    main()
