import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores

DATA = DataRef(population="recordings", fingerprint="f", rows=2)


def test_the_mean() -> None:
    assert Scores(["a", "b"], ["x", "y"], ["x", "x"], np.array([1.0, 0.0]), DATA, "s").mean == 0.5
    assert math.isnan(Scores([], [], [], np.array([]), DATA, "s").mean)


@pytest.mark.parametrize(("change", "message"), [
    ({"answers": ["x"]}, "column 'answers' has 1 rows"), ({"groups": {"speaker": []}}, "column 'speaker' has 0 rows"),
    ({"seconds": np.array([0.1])}, "column 'seconds'"), ({"ids": ["a", "a"]}, "not unique"),
    ({"score": np.array([0.0, 1.5])}, r"got 0.0 to 1.5"), ({"score": np.array([math.nan, 1])}, r"NaN: 1"),
    ({"score": np.array([math.nan, math.nan])}, r"NaN: 2"), ({"score": np.array([math.inf, 1])}, "got 1.0 to inf"),
])
def test_rows_that_do_not_fit_are_refused(change: dict, message: str) -> None:
    whole = {"ids": ["a", "b"], "answers": ["x", "y"], "targets": ["x", "x"], "score": np.array([1.0, 0.0])}
    with pytest.raises(LinnetError, match=message):
        Scores(**{**whole, **change}, data=DATA, subject="s")
