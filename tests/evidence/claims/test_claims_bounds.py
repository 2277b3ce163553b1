import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence import (
    KINDS,
    Claim,
    Clusters,
    DataRef,
    Scores,
    Size,
    Timing,
    accuracy_at_least,
    latency_below,
    mean_score_at_least,
    size_below,
)
from linnet.evidence.intervals import binomial_lower, binomial_upper, quantile_upper

POPULATION = "recordings of the held-out speakers lucas and theo"


def scores(right: int, n: int, *, speakers: int = 2) -> Scores:
    score = np.random.default_rng(n).permutation(np.arange(n) < right).astype(float)
    return Scores([f"r{i}" for i in range(n)], ["x"] * n, ["x"] * n, score,
                  DataRef(population=POPULATION, fingerprint="f" * 64, rows=n, part="test"), "a" * 64,
                  groups={"speaker": [f"s{i % speakers}" for i in range(n)]})


def timing(seconds: object, **conditions: str) -> Timing:
    return Timing(np.asarray(seconds, dtype=float), "a" * 64, conditions=conditions)


def test_it_holds_where_the_lower_bound_reaches_what_was_required() -> None:
    claim = accuracy_at_least(scores(912, 1000), bound=0.8)
    assert claim.holds
    assert claim.interval == pytest.approx((binomial_lower(912, 1000, 0.95), binomial_upper(912, 1000, 0.95)))
    assert claim.statement == (f"It answers 91.2 in 100 {POPULATION} correctly "
                               "(95 % sure of at least 89.5 in 100; 80.0 were required).")
    assert (claim.n, claim.unit, claim.reason) == (1000, "share", None)


def test_it_fails_where_the_upper_bound_is_below() -> None:
    claim = accuracy_at_least(scores(712, 1000), bound=0.8)
    assert claim.verdict == "fails"
    assert "95 % sure of at most 73.6 in 100; 80.0 were required)" in claim.statement


@pytest.mark.parametrize("right", [812, 792])
def test_undecided_says_how_many_samples_would_decide_and_they_do(right: int) -> None:
    claim = accuracy_at_least(scores(right, 1000), bound=0.8)
    assert claim.verdict == "undecided"
    assert claim.statement.endswith("80.0 were required; not decided).")
    assert claim.reason is not None
    needed = int(claim.reason.split("about ")[1].split(" would")[0].replace(",", ""))
    larger = accuracy_at_least(scores(round(right / 1000 * needed), needed), bound=0.8)
    assert larger.verdict == ("holds" if right > 800 else "fails")


def test_an_estimate_on_the_bound_is_never_decided() -> None:
    assert "no number of samples" in (accuracy_at_least(scores(800, 1000), bound=0.8).reason or "")


def test_two_speakers_say_nothing_about_others() -> None:
    claim = accuracy_at_least(scores(912, 1000), bound=0.8, clusters="speaker")
    assert (claim.verdict, claim.clusters) == ("undecided", Clusters(by="speaker", count=2, needed=10))
    assert claim.estimate == 0.912
    assert "how sure cannot be said from 2 groups by speaker" in claim.statement
    assert "at least 10 are needed" in (claim.reason or "")


def test_many_speakers_are_the_unit() -> None:
    claim = accuracy_at_least(scores(912, 1000, speakers=25), bound=0.8, clusters="speaker")
    assert claim.holds
    assert claim.interval[0] < binomial_lower(912, 1000, 0.95)
    assert "taking 25 groups by speaker as the unit" in claim.statement
    tighter = accuracy_at_least(scores(912, 1000, speakers=25), bound=0.905, clusters="speaker")
    assert "groups by speaker are too few" in (tighter.reason or "")


def test_an_unknown_cluster_column_is_named_with_the_nearest() -> None:
    with pytest.raises(LinnetError, match="did you mean 'speaker'"):
        accuracy_at_least(scores(9, 10), bound=0.8, clusters="speakers")


@pytest.mark.parametrize(("settings", "message"), [
    ({"bound": 80}, "bound is a share"), ({"bound": math.nan}, "bound is a share"),
    ({"bound": "0.8"}, "bound is a share"), ({"bound": 0}, "bound is a share"),
    ({"bound": 0.8, "level": 95}, "level is how sure"),
    ({"bound": 0.8, "level": 0.5}, "level is how sure"), ({"bound": True}, "bound is a share"),
])
def test_settings_out_of_range_are_refused_in_words(settings: dict, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        accuracy_at_least(scores(9, 10), **settings)


def test_scores_that_are_not_right_or_wrong_are_refused() -> None:
    base = scores(3, 4)
    half = Scores(base.ids, base.answers, base.targets, np.array([1, 0.5, 0, 1]), base.data, base.subject)
    with pytest.raises(LinnetError, match=r"also hold 0\.5"):
        accuracy_at_least(half, bound=0.8)
    with pytest.raises(LinnetError, match="no rows"):
        accuracy_at_least(Scores([], [], [], np.array([]), base.data, base.subject), bound=0.8)


def test_latency_holds_fails_and_says_where() -> None:
    seconds = np.random.default_rng(0).gamma(50, 1e-4, 300)
    claim = latency_below(timing(seconds, engine="onnxruntime", threads="1"), bound_ms=7)
    assert claim.holds
    assert claim.interval[1] == pytest.approx(quantile_upper(seconds * 1000, 0.95, 0.95))
    assert claim.interval[0] <= claim.estimate <= claim.interval[1]
    assert claim.statement.startswith("In 95 of 100 runs it answers within 6.")
    assert claim.statement.endswith("at most 7 ms were required; engine onnxruntime; threads 1).")
    assert claim.conditions == {"engine": "onnxruntime", "threads": "1"}
    assert latency_below(timing(seconds), bound_ms=5).verdict == "fails"
    between = latency_below(timing(seconds), bound_ms=6.2)
    assert between.verdict == "undecided"
    assert "runs are too few" in (between.reason or "")


def test_too_few_runs_leave_the_latency_unbounded_and_say_how_many_it_takes() -> None:
    claim = latency_below(timing(np.full(58, 0.001)), bound_ms=5)
    assert (claim.verdict, claim.interval[1]) == ("undecided", math.inf)
    assert "58 runs are too few" in (claim.reason or "")
    assert "at least 59" in (claim.reason or "")
    assert "how sure cannot be said from so few runs" in claim.statement
    assert claim.model_dump(mode="json")["interval"][1] is None
    assert Claim.model_validate_json(claim.model_dump_json()) == claim
    assert latency_below(timing(np.full(59, 0.001)), bound_ms=5).holds


@pytest.mark.parametrize("seconds", [[], [[0.1]], [0.0], [math.nan], [math.inf]])
def test_a_timing_needs_positive_numbers(seconds: object) -> None:
    with pytest.raises(LinnetError, match="one positive number a run"):
        timing(seconds)


def test_a_quantile_of_one_and_a_bound_of_nothing_are_refused() -> None:
    with pytest.raises(LinnetError, match="quantile must be below 1"):
        latency_below(timing([0.1]), bound_ms=5, quantile=1)
    with pytest.raises(LinnetError, match="bound_ms must be a number above 0"):
        latency_below(timing([0.1]), bound_ms=0)


@pytest.mark.parametrize(("size_bytes", "verdict", "said"), [
    (61_234, "holds", "61.3 KB (at most 100.0 KB"), (100_000, "holds", "100.0 KB (at most 100.0 KB"),
    (100_001, "fails", "100.1 KB (at most 100.0 KB"), (99_999, "holds", "99.999 KB (at most 100.0 KB"),
])
def test_size_is_counted_and_rounded_so_that_the_sentence_agrees(size_bytes: int, verdict: str, said: str) -> None:
    claim = size_below(Size(size_bytes, "a" * 64), bound_kb=100)
    assert claim.verdict == verdict
    assert said in claim.statement
    assert claim.statement.startswith("Without its claims the file has ")


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(LinnetError, match="no -1 bytes"):
        Size(-1, "a")


@settings(max_examples=50, deadline=None)
@given(right=st.integers(0, 200), bound=st.floats(0.01, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_what_is_printed_never_promises_more_than_was_shown(right: int, bound: float, level: float) -> None:
    claim = accuracy_at_least(scores(right, 200), bound=bound, level=level)
    assert f"{level * 100:g} % sure" in claim.statement
    printed = float(claim.statement.split("sure of at ")[1].split()[1])
    if claim.verdict == "fails":
        assert claim.interval[1] * 100 <= printed + 1e-9
        assert printed < bound * 100 + 1e-9
    else:
        assert printed <= claim.interval[0] * 100 + 1e-9
        assert (printed >= bound * 100 - 1e-9) == claim.holds


@pytest.mark.parametrize(("kind", "measured", "asked"), [
    ("accuracy_at_least", scores(912, 1000), {"bound": 0.8, "level": 0.9}),
    ("latency_below", timing(np.full(99, 0.002)), {"bound_ms": 5, "quantile": 0.9}),
    ("size_below", Size(1000, "a"), {"bound_kb": 1}),
])
def test_a_claim_can_be_asked_again_from_its_kind_and_settings(kind: str, measured: object, asked: dict) -> None:
    claim = KINDS[kind](measured, **asked)
    read = Claim.model_validate_json(claim.model_dump_json())
    assert KINDS[read.kind](measured, **read.settings) == claim
    assert read.seal() == claim.seal()


def graded(mean: float, n: int) -> Scores:
    score = np.clip(np.random.default_rng(n).normal(mean, 0.05, n), 0, 1)
    return Scores([f"r{i}" for i in range(n)], ["x"] * n, ["x"] * n, score,
                  DataRef(population=POPULATION, fingerprint="f" * 64, rows=n, part="test"), "a" * 64,
                  metric="similarity", groups={"speaker": [f"s{i % 12}" for i in range(n)]})


def test_the_mean_of_graded_scores_is_a_claim_of_its_own() -> None:
    claim = mean_score_at_least(graded(0.8, 500), bound=0.75)
    assert claim.holds
    assert claim.interval[0] < claim.estimate < claim.interval[1]
    assert claim.statement.startswith(f"Its similarity on {POPULATION} is 7")
    assert KINDS["mean_score_at_least"](graded(0.8, 500), **claim.settings) == claim
    assert mean_score_at_least(graded(0.8, 500), bound=0.9).verdict == "fails"
    by_speaker = mean_score_at_least(graded(0.8, 500), bound=0.79, clusters="speaker")
    assert by_speaker.verdict == "undecided"
    assert by_speaker.reason is not None
    assert "groups by speaker are too few" in by_speaker.reason
    with pytest.raises(LinnetError, match="counts right"):
        accuracy_at_least(graded(0.8, 500), bound=0.75)


def test_as_many_graded_scores_decide_as_were_said_to_be_needed() -> None:
    open_ = mean_score_at_least(graded(0.8, 100), bound=0.78)
    assert open_.verdict == "undecided"
    assert open_.reason is not None
    needed = int(open_.reason.split("about ")[1].split(" would")[0].replace(",", ""))
    assert needed > 100
    assert mean_score_at_least(graded(0.8, 2 * needed), bound=0.78).holds
