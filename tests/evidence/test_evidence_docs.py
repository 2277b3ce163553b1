"""Every procedure says what it assumes, whence it is and when not to use it, and docs/evidence.md leads to it."""

import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOMS = ("intervals", "sequences", "comparisons", "many", "thresholds", "power", "drift")
RESULTS = {"ClusterSpread", "Seeds", "moments", "smallest"}
"""What a procedure gives back, a sum and a search: they assume nothing."""


def procedures() -> Iterator[Any]:
    for room in ROOMS:
        module = importlib.import_module(f"linnet.evidence.{room}")
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and name not in RESULTS and not is_result(value):
                yield pytest.param(value, id=f"{room}.{name}")


def is_result(value: Any) -> bool:
    """A frozen value that another procedure returns computes nothing when it is made."""
    return inspect.isclass(value) and not hasattr(value, "update")


@pytest.mark.parametrize("procedure", list(procedures()))
def test_it_says_what_it_assumes_whence_it_is_and_when_not_to_use_it(procedure: Any) -> None:
    said = inspect.getdoc(procedure) or ""
    assert doctest.DocTestParser().get_examples(said)
    assert is_another_form(procedure, said) or not [word for word in ("Assumes:", "Source:", "Not for:")
                                                    if word not in said]


def is_another_form(procedure: Any, said: str) -> bool:
    """The form for streams names the function that it agrees with first: "`lift` look by look"."""
    of = re.match(r"`(\w+)`", said)
    return inspect.isclass(procedure) and of is not None and hasattr(inspect.getmodule(procedure), of[1])


GUIDE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
PARTS = {
    "intervals.beta_lower", "intervals.binomial_lower", "intervals.binomial_upper", "intervals.cluster_spread",
    "intervals.independent_rows", "intervals.quantile_lower", "intervals.runs_needed", "intervals.t_adjusted",
    "comparisons.clustered_lower", "comparisons.paired_lower", "comparisons.paired_upper", "comparisons.score_lower",
    "comparisons.two_sample_lower", "comparisons.two_sample_upper", "comparisons.equivalence_p_value",
    "comparisons.equivalent", "many.averaged_difference",
    "sequences.adjusted_means", "sequences.running", "sequences.units_worth",
    "thresholds.betting_p_value", "thresholds.binomial_p_value", "thresholds.hoeffding_bentkus_p_value",
    "thresholds.equal_error_rate",
    "power.divergence", "power.stopping_time",
    "drift.conformal_martingale", "drift.conformal_p_values", "drift.e_detector",
}
"""One side of an interval, and what others are made of: found through those."""


@pytest.mark.parametrize("name", sorted(set(re.findall(rf"`((?:{'|'.join(ROOMS)})\.[\w.]+)`", GUIDE))))
def test_what_the_guide_names_is_there(name: str) -> None:
    value = importlib.import_module("linnet.evidence")
    for part in name.split("."):
        value = getattr(value, part)
    assert callable(value)


def test_the_guide_leads_to_every_procedure() -> None:
    missing = [param.id for param in procedures() if param.id not in PARTS and f"`{param.id}`" not in GUIDE
               and not re.match(r"`\w+`", param.values[0].__doc__ or "")]
    assert missing == []
