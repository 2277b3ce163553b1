"""Tables that something is wrong with: one message each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, analyse

Make = Callable[..., Experiment]
MEAN = "\n  s: {kind: mean, value: spent, covariate: before}"
N = 40


def table(**changes: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "arm": ["old", "new"] * (N // 2), "user": list(range(N)), "shop": [k % 8 for k in range(N)],
        "at": list(range(N)), "spent": [float(k % 7) for k in range(N)], "before": [float(k % 5) for k in range(N)],
        "clicks": [1] * N, "views": [2] * N, "bought": [k % 2 for k in range(N)]}
    return pa.table(columns | changes)


def changed(values: list[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1:]]


ARMS, NUMBERS, TIMES = ["old", "new"] * (N // 2), [float(k % 7) for k in range(N)], list(range(N))
STAMPS = np.arange(N).astype("datetime64[s]")

WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"arm": "variant"}, "unknown column 'variant'"),
    ({"spent": ["a"] * N}, {}, "the column 'spent' holds text in 40 of 40 rows, such as 'a'; a metric needs numbers"),
    ({"at": ["1"] * N}, {"time": "at"}, "the time column 'at' holds text"),
    ({"arm": [[1]] * N}, {}, "holds neither text nor numbers"),
    ({"arm": changed(ARMS, 3, "newer")}, {}, "arms that are not in the plan: newer; the plan has old, new"),
    ({"arm": changed(ARMS, 3, None)}, {}, "some rows name no arm"),
    ({"arm": changed(ARMS, 3, None)}, {"unit": "user"}, "1 of 40 rows name no arm in 'arm'"),
    ({"arm": ["old"] * N}, {}, "the plan's arm 'new' has no rows"),
    ({"user": changed(list(range(N)), 0, None)}, {"unit": "user"}, "1 of 40 rows name no unit in 'user'"),
    ({"user": changed(list(range(N)), 1, 0)}, {"unit": "user"},
     "1 units are in more than one arm, such as unit '0' in 'new' and 'old'"),
    ({"shop": [k // 2 for k in range(N)]}, {"cluster": "shop"}, "20 clusters are in more than one arm"),
    ({"shop": [k % 2 for k in range(N)]}, {"cluster": "shop"}, "has one cluster"),
    ({"user": [k // 4 * 2 + k % 2 for k in range(N)]}, {"cluster": "shop", "unit": "user"},
     "units are in more than one cluster"),
    ({"user": [k // 4 * 2 + k % 2 for k in range(N)]}, {"unit": "user"}, "several values of the covariate 'before'"),
    ({"before": changed(NUMBERS, 3, None)}, {"unit": "user"}, "1 units have no value of the covariate 'before'"),
    ({"spent": changed(NUMBERS, 3, None)}, {}, "1 of 40 rows have no value in 'spent'"),
    ({"spent": changed(NUMBERS, 3, np.nan)}, {}, "'spent' holds NaN or infinite values"),
    ({"before": changed(NUMBERS, 3, -np.inf)}, {}, "'before' holds NaN or infinite values"),
    ({"spent": changed(NUMBERS, 3, np.nan)}, {"unit": "user"}, "'spent' holds NaN or infinite values"),
    ({"at": changed(TIMES, 3, None)}, {"time": "at"}, "1 of 40 rows have no time in 'at'"),
    ({"at": changed([float(t) for t in TIMES], 3, np.nan)}, {"time": "at"}, "'at' holds NaN or infinite values"),
    ({}, {"time": "at", "until": 30}, "9 rows are later than the end that the plan set"),
    ({}, {"time": "at", "until": "'2026-01-01'"}, "the time column holds numbers; give a number"),
    ({"at": STAMPS}, {"time": "at", "until": "soon"}, "expected a timestamp such as"),
    ({"at": STAMPS}, {"time": "at", "until": "'1970-01-01 00:00:30'"}, "9 rows are later"),
    ({"at": changed(TIMES, 3, 0)}, {"time": "at", "in_order": "true"}, "time runs backwards in 1 rows of 'at'"),
    ({"at": TIMES}, {"time": "at", "unit": "user", "window": 100}, "the window of none of the 40 units has passed"),
    ({"spent": [3.3] * N}, {}, "'spent' is the same in all units; the metric 's' tells nothing"),
]


@pytest.mark.parametrize(("columns", "changes", "message"), WRONG, ids=[message[:40] for *_, message in WRONG])
def test_a_table_that_is_wrong_is_refused_in_words(plan: Make, columns: dict[str, Any], changes: dict[str, Any],
                                                   message: str) -> None:
    with pytest.raises(LinnetError) as caught:
        analyse(table(**columns), plan(MEAN, **changes))
    assert message in str(caught.value)


@pytest.mark.parametrize(("metric", "columns", "message"), [
    ("{kind: proportion, value: spent}", {}, "holds other values than 0 and 1"),
    ("{kind: mean, value: spent, cap: 3}", {"spent": changed(NUMBERS, 3, np.inf)}, "'spent' holds NaN or infinite"),
    ("{kind: quantile, value: spent, quantile: 0.5}", {"spent": changed(NUMBERS, 3, np.nan)}, "'spent' holds NaN"),
    ("{kind: ratio, numerator: views, denominator: clicks, share: true}", {},
     "40 units have more 'views' than 'clicks', more successes than trials"),
])
@pytest.mark.parametrize("unit", [None, "user"])
def test_values_that_cannot_be_are_refused(plan: Make, metric: str, columns: dict[str, Any], message: str,
                                           unit: str | None) -> None:
    with pytest.raises(LinnetError) as caught:
        analyse(table(**columns), plan(f"\n  m: {metric}", **({"unit": unit} if unit else {})))
    assert message in str(caught.value)


def test_an_empty_table_is_refused(plan: Make) -> None:
    for changes in ({}, {"time": "at"}, {"unit": "user"}):
        with pytest.raises(LinnetError, match="no rows"):
            analyse(table().slice(0, 0), plan(MEAN, **changes))


def test_rows_in_order_pass(plan: Make) -> None:
    assert analyse(table(), plan(MEAN, time="at", in_order="true")).rows == N


def test_arms_may_be_numbers_or_truths(plan: Make) -> None:
    for values, arms in (([0, 1] * (N // 2), "{0: 0.5, 1: 0.5}"), ([False, True] * (N // 2), "{false: 0.5, true: 0.5}"),
                         ([0.0, 1.0] * (N // 2), "{0: 0.5, 1: 0.5}")):
        assert analyse(table(arm=values), plan(MEAN, arms=arms)).assignment.counts.tolist() == [[20, 20]]
    with pytest.raises(LinnetError, match="arms that are not in the plan: 1; the plan has 0, 2"):
        analyse(table(arm=[0, 1] * (N // 2)), plan(MEAN, arms="{0: 0.5, 2: 0.5}"))


def test_a_constant_covariate_is_named(plan: Make) -> None:
    assert analyse(table(before=[2.0] * N), plan(MEAN)).notes[0].startswith("the covariate 'before' is the same")


def test_a_proportion_without_successes_is_undecided_and_no_error(plan: Make) -> None:
    found = analyse(table(bought=[0] * N), plan("\n  b: {kind: proportion, value: bought}"))
    assert found.verdict == "undecided"


def test_a_ratio_to_nothing_names_its_denominator(plan: Make) -> None:
    asked = plan("\n  c: {kind: ratio, numerator: spent, denominator: views}", time="at", looks=4)
    with pytest.raises(LinnetError, match="'views', the denominator of 'c', adds up to nothing in an arm"):
        analyse(table(views=[0] * N), asked)
    late = analyse(table(views=[0] * 15 + [2] * 25), asked).outcomes[0]
    assert np.isnan(late.control[0])  # nothing yet, and no error
    assert late.control[-1] > 0
    with pytest.raises(LinnetError, match="'c' has fewer than two units in an arm"):
        analyse(table().slice(0, 2), asked)
