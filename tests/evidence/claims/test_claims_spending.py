import math
from itertools import pairwise

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores, accuracy_at_least
from linnet.evidence.claims.spending import level_at, share

RUNS, FILES, ROWS, BOUND = 400, 12, 200, 0.8


def scores(right: np.ndarray) -> Scores:
    ids = [f"r{row}" for row in range(len(right))]
    return Scores(ids, ["x"] * len(ids), ["x"] * len(ids), right.astype(float),
                  DataRef(population="recordings", fingerprint="f" * 64, rows=len(ids), part="test"), "a" * 64)


def test_the_shares_add_up_to_one_and_never_rise() -> None:
    shares = [share(look) for look in range(1, 20_001)]
    assert sum(shares) == pytest.approx(1, abs=2e-5)
    assert sum(shares) < 1
    assert all(later < earlier for earlier, later in pairwise(shares))


@pytest.mark.parametrize("look", [0, -1, 1.5, True, "2"])
def test_looks_are_counted(look: object) -> None:
    with pytest.raises(LinnetError, match="looks are counted 1, 2, 3"):
        share(look)  # type: ignore[arg-type]


def test_trying_many_files_on_one_test_part_shows_no_more_false_claims_than_one_would() -> None:
    """Every file is exactly as good as the bound excludes; somebody tries twelve and takes any whose claim holds."""
    drawn = np.random.default_rng(4).random((RUNS, FILES, ROWS)) < BOUND - 1e-9
    paying, careless = 0, 0
    for run in drawn:
        paying += any(accuracy_at_least(scores(right), bound=BOUND, look=number).holds
                      for number, right in enumerate(run, start=1))
        careless += any(accuracy_at_least(scores(right), bound=BOUND).holds for right in run)
    monte_carlo = 3 * math.sqrt(0.05 * 0.95 / RUNS)
    assert paying / RUNS <= 0.05 + monte_carlo
    assert careless / RUNS > 0.2


def test_a_claim_at_a_later_look_says_so_and_is_wider() -> None:
    right = np.arange(1000) < 850
    first, tenth = (accuracy_at_least(scores(right), bound=BOUND, look=look) for look in (1, 10))
    assert tenth.interval[0] < first.interval[0]
    assert (first.level, tenth.level) == (0.95, 0.95)
    assert (first.tested_level, tenth.tested_level) == (level_at(1, 0.95), level_at(10, 0.95))
    assert "held against these data" not in first.statement
    assert "file 10 that was held against these data, so tested at 99.989 %" in tenth.statement
    assert accuracy_at_least(scores(right), bound=BOUND).at_look(10) == tenth
