"""Experiments over tables of events: how fast, whether others reckon the same, and how often A/A finds something.

    .venv/bin/python bench/evidence_experiments.py [--quick]

The table is made here from a fixed seed: an arm, a time, revenue with a covariate from before, clicks and views. One
thread; CPU time of the process, the better of two runs. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray
from scipy import special

from linnet.evidence import sequences
from linnet.watch.experiments import Analysis, Experiment, analyse, power, selftest
from linnet.watch.experiments.effects import Pair, effect_of, estimates_of
from linnet.watch.experiments.layout import Layout, layout_of
from linnet.watch.experiments.moments import Aggregate, Sums, moments_of

Floats = NDArray[np.float64]

METRICS = """
  revenue: {kind: mean, value: revenue, covariate: before}
  clicks: {kind: ratio, numerator: clicks, denominator: views}
"""
PLAIN = "\n  revenue: {kind: mean, value: revenue}\n"
SHARES = "\n  bought: {kind: proportion, value: bought, baseline: 0.05, minimum_effect: 0.01}\n"


def plan(metrics: str = METRICS, **changes: Any) -> Experiment:
    """A plan for the table, with other lines where they are given."""
    lines = {"name": "bench", "arm": "variant", "arms": "{0: 0.5, 1: 0.5}", **changes}
    return Experiment.parse("\n".join(f"{key}: {value}" for key, value in lines.items()) + f"\nmetrics:{metrics}")


def table(rows: int, *, seed: int = 0) -> pa.Table:
    """One row a user."""
    rng = np.random.default_rng(seed)
    before, views = rng.exponential(2.0, rows), rng.poisson(5, rows) + 1.0
    variant = rng.integers(0, 2, rows)
    return pa.table({
        "variant": variant, "arm": np.array(["old", "new"])[variant], "at": rng.integers(0, 14 * 86400, rows),
        "before": before, "revenue": before + rng.exponential(1.0, rows), "views": views,
        "clicks": rng.binomial(views.astype(np.int64), 0.2).astype(np.float64)})


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds, the better of two, and the answer."""
    best = float("inf")
    for _ in range(2):
        start = time.process_time()
        answer = work()
        best = min(best, time.process_time() - start)
    return best, answer


def ours(rows: pa.Table, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked of Linnet."""
    file = folder / "users.parquet"
    pa.parquet.write_table(rows, file)
    texts = {"arm": "arm", "arms": "{old: 0.5, new: 0.5}"}
    yield "CUPED mean, ratio, sample ratio; Arrow", lambda: analyse(rows, plan(), threads=1)
    yield "the same, arms as texts", lambda: analyse(rows, plan(**texts), threads=1)
    yield "the same, Parquet", lambda: analyse(file, plan(), threads=1)
    yield "the same, 100 looks; Arrow", lambda: analyse(rows, plan(time="at"), threads=1)
    yield "the same, 100 looks, arms as texts; Parquet", lambda: analyse(file, plan(**texts, time="at"), threads=1)
    users = pa.array(np.arange(len(rows)) // 2)  # two rows a user; the covariate and the arm are the user's own
    first = pa.array(np.arange(len(rows)) // 2 * 2)
    events = rows.set_column(0, "variant", rows["variant"].take(first)).append_column("user", users)
    events = events.set_column(events.column_names.index("before"), "before", rows["before"].take(first))
    yield "100 looks, two rows a unit", lambda: analyse(events, plan(time="at", unit="user"), threads=1)


def theirs(rows: pa.Table) -> Iterator[tuple[str, Callable[[], Any]]]:
    """tea-tasting on the same columns, on Arrow and, faster, through Ibis on DuckDB; one look."""
    if importlib.util.find_spec("tea_tasting") is None:
        return
    import tea_tasting as tt

    asked = tt.Experiment({"sample_ratio": tt.SampleRatio(), "revenue": tt.Mean("revenue", covariate="before"),
                           "clicks": tt.RatioOfMeans("clicks", "views"), "plain": tt.Mean("revenue")})
    less = tt.Experiment({name: asked.metrics[name] for name in ("sample_ratio", "revenue", "clicks")})
    yield "tea-tasting, one look; Arrow", lambda: (less.analyze(rows), asked)[0]
    try:
        import duckdb  # noqa: F401
        import ibis

        # Ibis asks for pyarrow_hotfix by name; the pyarrow of today needs no fix
        sys.modules.setdefault("pyarrow_hotfix", types.ModuleType("pyarrow_hotfix"))
        ibis.set_backend(ibis.duckdb.connect(threads=1))
        held = ibis.memtable(rows)
        yield "tea-tasting, one look; Ibis on DuckDB", lambda: less.analyze(held)
    except ImportError:
        print("(Ibis is not installed)")


def speed(rows: int) -> Analysis:
    """The table of speeds; the analysis of one look, for what follows."""
    data = table(rows)
    print(f"## Speed: {rows:,} rows, one thread\n\n| work | CPU s | million rows a CPU second | times the best "
          "of tea-tasting |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        found = [(name, *timed(work)) for name, work in [*theirs(data), *ours(data, Path(folder))]]
    best = min((seconds for name, seconds, _ in found if name.startswith("tea")), default=float("nan"))
    for name, seconds, _ in found:
        print(f"| {name} | {seconds:.2f} | {rows / seconds / 1e6:.1f} | {seconds / best:.2f} |")
    print(f"\nOf the rows with two a unit, {rows // 2:,} units are made first.\n")
    return next(answer for name, _, answer in found if isinstance(answer, Analysis))


def errors_of(found: Analysis) -> dict[str, tuple[float, float]]:
    """Estimates and standard errors at the last look, read back from the intervals."""
    answers = {}
    for one in found.outcomes:
        reach = sequences.asymptotic(0.0, 1.0, one.units[-1], best_at=10_000, level=one.level).high
        answers[one.metric] = (float(one.absolute.estimate[-1]),
                               float((one.absolute.high[-1] - one.absolute.estimate[-1]) / reach))
    return answers


def tea_tasting(rows: pa.Table) -> dict[str, tuple[float, float]]:
    """The same from tea-tasting."""
    import tea_tasting as tt

    found = tt.Experiment({"revenue": tt.Mean("revenue", covariate="before"), "plain": tt.Mean("revenue"),
                           "clicks": tt.RatioOfMeans("clicks", "views")}).analyze(rows)
    return {name: (found[name].effect_size, found[name].effect_size / found[name].statistic) for name in found}


def gbstats(rows: pa.Table) -> dict[str, tuple[float, float]]:
    """The same from gbstats."""
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
    from gbstats.models.statistics import (
        RatioStatistic,
        RegressionAdjustedStatistic,
        SampleMeanStatistic,
        compute_theta,
    )

    arms: dict[str, list[Any]] = {"revenue": [], "plain": [], "clicks": []}
    for arm in (0, 1):
        mask = rows["variant"].to_numpy() == arm
        y, x, c, v = (rows[name].to_numpy()[mask] for name in ("revenue", "before", "clicks", "views"))
        mean = {name: SampleMeanStatistic(n=len(y), sum=float(a.sum()), sum_squares=float((a * a).sum()))
                for name, a in (("y", y), ("x", x), ("c", c), ("v", v))}
        arms["plain"].append(mean["y"])
        arms["revenue"].append(RegressionAdjustedStatistic(len(y), mean["y"], mean["x"], float(y @ x), 0.0))
        arms["clicks"].append(RatioStatistic(len(y), mean["c"], mean["v"], float(c @ v)))
    theta = compute_theta(*arms["revenue"])
    for side in arms["revenue"]:
        side.theta = theta
    tests = {name: TwoSidedTTest(*sides, FrequentistConfig(difference_type="absolute")) for name, sides in arms.items()}
    return {name: (test.point_estimate, float(test.variance) ** 0.5) for name, test in tests.items()}


def spotify_confidence(rows: pa.Table) -> dict[str, tuple[float, float]]:
    """The same from spotify-confidence: the plain mean."""
    import pandas
    import spotify_confidence

    sides = [rows["revenue"].to_numpy()[rows["variant"].to_numpy() == arm] for arm in (0, 1)]
    frame = pandas.DataFrame([{"arm": str(arm), "total": y.sum(), "squares": (y * y).sum(), "n": len(y)}
                              for arm, y in enumerate(sides)])
    test = spotify_confidence.ZTest(frame, numerator_column="total", numerator_sum_squares_column="squares",
                                    denominator_column="n", categorical_group_columns="arm", interval_size=0.95)
    row = test.difference(level_1="0", level_2="1").iloc[0]
    return {"plain": (row["difference"], (row["ci_upper"] - row["difference"]) / float(special.ndtri(0.975)))}


def equality(rows: int) -> None:
    """Estimates and standard errors beside the peers'."""
    data = table(rows, seed=1)
    found = errors_of(analyse(data, plan()))
    found["plain"] = errors_of(analyse(data, plan(PLAIN)))["revenue"]
    print(f"## Equality: {rows:,} rows\n\nDeviation of a peer from Linnet; in estimates 1e-4 of a standard error is "
          "tolerated (slopes of CUPED are chosen alike only for many units), in standard errors 1e-5.\n\n"
          "| peer | metric | estimate, in errors | standard error, relative | |\n|---|---|---|---|---|")
    for name, work in (("tea_tasting", tea_tasting), ("gbstats", gbstats), ("spotify_confidence", spotify_confidence)):
        if importlib.util.find_spec(name) is None:
            print(f"| {name} | not installed | | | |")
            continue
        for metric, (estimate, error) in work(data).items():
            off = abs(estimate - found[metric][0]) / found[metric][1], abs(error / found[metric][1] - 1)
            word = "equal" if off[0] < 1e-4 and off[1] < 1e-5 else "NOT EQUAL"
            print(f"| {name} | {metric} | {off[0]:.1e} | {off[1]:.1e} | {word} |")
    print()


def units_of(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Floats]:
    """Columns of units of one kind of metric."""
    if kind == "sales":
        return {"value": (rng.random(shape) < 0.2) * rng.lognormal(2, 0.8, shape)}
    if kind == "revenue":
        return {"value": (rng.random(shape) < 0.05) * rng.lognormal(2, 1.5, shape)}
    if kind in ("rate", "often"):
        return {"value": (rng.random(shape) < (0.05 if kind == "rate" else 0.9)).astype(np.float64)}
    before, views = rng.exponential(2.0, shape), rng.poisson(5, shape) + 1.0
    return {"value": before + rng.exponential(1.0, shape), "before": before, "views": views,
            "clicks": rng.binomial(views.astype(np.int64), np.minimum(0.05 + 0.04 * before, 1)).astype(np.float64)}


def sums_of(layout: Layout, items: tuple[Aggregate, ...], columns: dict[str, Floats], share: float,
            rng: np.random.Generator) -> Sums:
    """Totals of both arms up to each look; columns are (runs, looks, units of a look)."""
    values = {}
    for variable in layout.variables:
        given = columns[variable.column]
        values[variable.name] = given if variable.cap is None else np.minimum(given, variable.cap)
    is_treated = (rng.random(next(iter(columns.values())).shape) < share).astype(np.float64)
    totals = {}
    for item in items:
        product = np.ones_like(is_treated)
        for name in item.names:
            product = product * values[name]
        treated = (product * is_treated).sum(axis=-1)
        totals[item] = np.stack([product.sum(axis=-1) - treated, treated], axis=-1).cumsum(axis=1)
    return Sums(totals, {})


STATED = "{kind: proportion, value: value, baseline: 0.05, minimum_effect: 0.01}"
CELLS = [
    ("proportion of 5 %", "rate", "{kind: proportion, value: value, minimum_lift: 0.2}", 0.5),
    ("proportion of 5 %, shares 0.8 and 0.2", "rate", "{kind: proportion, value: value, minimum_lift: 0.2}", 0.2),
    ("proportion of 5 %, baseline stated", "rate", STATED, 0.5),
    ("the same, shares 0.8 and 0.2", "rate", STATED, 0.2),
    ("proportion of 90 %, baseline stated", "often", "{kind: proportion, value: value, baseline: 0.9}", 0.5),
    ("the same, shares 0.8 and 0.2", "often", "{kind: proportion, value: value, baseline: 0.9}", 0.2),
    ("mean with CUPED", "usual", "{kind: mean, value: value, covariate: before}", 0.5),
    ("mean with CUPED, shares 0.8 and 0.2", "usual", "{kind: mean, value: value, covariate: before}", 0.2),
    ("ratio", "usual", "{kind: ratio, numerator: clicks, denominator: views}", 0.5),
    ("ratio with CUPED", "usual", "{kind: ratio, numerator: clicks, denominator: views, covariate: before}", 0.5),
    ("revenue of 20 in 100, lognormal(2, 0.8)", "sales", "{kind: mean, value: value}", 0.5),
    ("the same, shares 0.8 and 0.2", "sales", "{kind: mean, value: value}", 0.2),
    ("revenue of 5 in 100, lognormal(2, 1.5)", "revenue", "{kind: mean, value: value}", 0.5),
    ("the same, capped at 50, shares 0.8 and 0.2", "revenue", "{kind: mean, value: value, cap: 50}", 0.2),
]


def cell(kind: str, metric: str, share: float, runs: int, per_look: int) -> tuple[float, float, float, float]:
    """Rates of runs with any difference, absolute and relative, and by a z-test; and of looks that say something."""
    asked = plan(f"\n  m: {metric}\n", arms=f"{{0: {1 - share}, 1: {share}}}")
    layout = layout_of(asked)
    items, pair = moments_of(layout, ["m"], {}), Pair(0, 1, share, 0.95, 10_000.0)
    rng, found, at_once = np.random.default_rng(7), np.zeros(4), max(1, 1_000_000 // (100 * per_look))
    for start in range(0, runs, at_once):
        shape = (min(at_once, runs - start), 100, per_look)
        sums = sums_of(layout, items, units_of(kind, rng, shape), share, rng)
        effect = effect_of(sums, layout, "m", asked.metrics["m"], pair)
        if "m" in layout.counted:
            rates = sums.of(layout.metrics["m"].numerator) / np.maximum(sums.observations, 1)
            value = rates[..., 1] - rates[..., 0]
            error = np.sqrt((rates * (1 - rates) / np.maximum(sums.observations, 1)).sum(axis=-1))
        else:
            first, second, _ = estimates_of(sums, layout.metrics["m"], pair)
            value, error = second.value - first.value, np.hypot(first.error, second.error)
        naive = np.abs(value) > 1.96 * np.where(error > 0, error, np.inf)
        found += [effect.absolute.excludes(0).any(axis=-1).sum(), effect.relative.excludes(0).any(axis=-1).sum(),
                  naive.any(axis=-1).sum(), np.isfinite(effect.absolute.low).mean(axis=-1).sum()]
    return tuple(found / runs)  # type: ignore[return-value]


def validity(runs: int) -> None:
    """A/A over 100 looks, with the statistics of `analyse` on sums of fresh units."""
    print(f"## A/A: {runs:,} runs of 100 looks at nominal 5 %, units fall to the arms by chance\n\n"
          "Runs in which any look excludes no difference, on either scale; a z-test at every look beside it; and "
          "the looks at which the sequence says anything.\n\n| metric | units a look | absolute, % | relative, % "
          "| z-test, % | looks that speak, % |\n|---|---|---|---|---|---|")
    for name, kind, metric, share in CELLS:
        for per_look in (20, 200):
            rates = cell(kind, metric, share, runs, per_look)
            print(f"| {name} | {per_look} | " + " | ".join(f"{100 * rate:.1f}" for rate in rates) + " |", flush=True)
    print(f"\nMonte Carlo error at 5 %: {100 * (0.05 * 0.95 / runs) ** 0.5:.1f} points.\n")


def replay(runs: int) -> None:
    """`selftest` through the whole pipeline, and one look vectorised."""
    data = table(200_000, seed=2)
    metrics = METRICS + "  typical: {kind: quantile, value: revenue, quantile: 0.9}\n"
    seconds, found = timed(lambda: selftest(data, plan(metrics, time="at"), runs=runs))
    print(f"## `selftest`: {runs:,} runs of 100 looks on {found.metrics[0].units:,} units, "
          f"{seconds:.1f} CPU s (Monte Carlo error at 5 %: {100 * (0.05 * 0.95 / runs) ** 0.5:.1f} points)\n\n"
          "| metric | ours, % | z-test at every look, % |\n|---|---|---|")
    for one in found.metrics:
        print(f"| {one.metric} | {100 * one.rate:.1f} | {100 * one.naive_rate:.1f} |")
    seconds, found = timed(lambda: power(plan(SHARES, time="at", looks=100, units=50_000), runs=runs))
    one = found.stopping[0]
    print(f"\n`power` of 5 % against 6 %, a look every 500 units of both arms, cap 50,000: {one.power:.3f} "
          f"(+- {one.power_error:.3f}), {one.expected_units / 2:,.0f} an arm on average; {seconds:.2f} CPU s.\n")
    print("## One look, vectorised over 100,000 metrics\n\n| metric | microseconds |\n|---|---|")
    for name, kind, metric, share in CELLS[:9:2]:
        asked = plan(f"\n  m: {metric}\n")
        layout, rng = layout_of(asked), np.random.default_rng(0)
        items = moments_of(layout, ["m"], {})
        sums = sums_of(layout, items, units_of(kind, rng, (1, 1, 5000)), share, rng)
        many = Sums({item: np.repeat(values, 100_000, axis=1) for item, values in sums.totals.items()}, {})
        pair = Pair(0, 1, share, 0.95, 10_000.0)
        seconds, _ = timed(lambda s=many, to=layout, a=asked, p=pair: effect_of(s, to, "m", a.metrics["m"], p))
        print(f"| {name} | {seconds / 100_000 * 1e6:.2f} |")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: fewer rows, fewer runs")
    is_quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # of peers
    print("# Experiments\n\n2 cores of an AMD EPYC, shared.\n")
    speed(200_000 if is_quick else 10_000_000)
    equality(100_000 if is_quick else 1_000_000)
    validity(20 if is_quick else 2000)
    replay(50 if is_quick else 2000)


if __name__ == "__main__":
    main()
