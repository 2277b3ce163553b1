import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import KINDS, Claim, Clusters, DataRef, Scores, accuracy_at_least, accuracy_in_every_group
from linnet.evidence.intervals import binomial_lower, binomial_upper
from linnet.evidence.many import bonferroni

POPULATION = "recordings of the held-out speakers"


def scores(*groups: tuple[str, int, int], speakers: int = 2) -> Scores:
    """(name, right, rows) of each group; `speakers` a group."""
    score = np.concatenate([np.arange(rows) < right for _, right, rows in groups]).astype(float)
    names = [name for name, _, rows in groups for _ in range(rows)]
    who = [f"{name}{row % speakers}" for name, _, rows in groups for row in range(rows)]
    n = len(names)
    return Scores([f"r{row}" for row in range(n)], ["x"] * n, ["x"] * n, score,
                  DataRef(population=POPULATION, fingerprint="f" * 64, rows=n, part="test"), "a" * 64,
                  groups={"gender": names, "speaker": who})


def test_it_speaks_of_the_group_that_is_served_worst() -> None:
    claim = accuracy_in_every_group(scores(("f", 430, 500), ("m", 480, 500)), by="gender", bound=0.8)
    assert claim.holds
    assert claim.estimate == 0.86
    assert claim.interval == pytest.approx(
        (binomial_lower(430, 500, 0.95), binomial_upper(430, 500, bonferroni(0.95, 2))))
    assert claim.statement == (
        f"By gender it is right least often for f: in 86.0 of 100 {POPULATION} (95 % sure of at least 83.1 in 100 for "
        "each; 80.0 were required). Seen: f 86.0 of 500, m 96.0 of 500.")
    assert (claim.n, claim.unit, claim.clusters, claim.reason) == (1000, "share", None, None)


def test_a_good_mean_hides_no_bad_group() -> None:
    made = scores(("f", 60, 100), ("m", 890, 900))
    assert accuracy_at_least(made, bound=0.8).holds
    claim = accuracy_in_every_group(made, by="gender", bound=0.8)
    assert claim.verdict == "fails"
    assert "95 % sure of at most 69.7 in 100 for one of them; 80.0 were required)" in claim.statement


def test_undecided_says_which_group_lacks_what() -> None:
    claim = accuracy_in_every_group(scores(("f", 85, 100), ("m", 890, 900)), by="gender", bound=0.8)
    assert claim.verdict == "undecided"
    assert (claim.reason or "").startswith("For 'f': The estimate is on the right side of what was required, but 100")
    assert "not decided" in claim.statement


def test_a_group_that_lies_below_by_chance_of_their_number_is_not_held_against_the_file() -> None:
    rows = 50
    right = next(r for r in range(rows, 0, -1) if binomial_upper(r, rows, 0.95) < 0.8)
    assert binomial_upper(right, rows, bonferroni(0.95, 2)) >= 0.8
    claim = accuracy_in_every_group(scores(("f", right, rows), ("m", 500, 500)), by="gender", bound=0.8)
    assert claim.verdict == "undecided"
    assert "with 2 groups by gender that can be chance" in (claim.reason or "")


def test_a_group_of_few_speakers_decides_nothing() -> None:
    few = accuracy_in_every_group(scores(("f", 95, 100), ("m", 95, 100), speakers=4), by="gender", bound=0.5,
                                  clusters="speaker")
    assert (few.verdict, few.clusters) == ("undecided", Clusters(by="speaker", count=4, needed=10))
    assert "how sure cannot be said from 4 groups by speaker" in few.statement
    many = accuracy_in_every_group(scores(("f", 95, 100), ("m", 95, 100), speakers=20), by="gender", bound=0.5,
                                   clusters="speaker")
    assert many.holds
    assert "taking groups by speaker as the unit, 20 or more of each" in many.statement


def test_one_group_and_an_unknown_column_are_refused() -> None:
    with pytest.raises(LinnetError, match=r"same group by gender \(f\).*Use accuracy_at_least"):
        accuracy_in_every_group(scores(("f", 9, 10)), by="gender", bound=0.8)
    with pytest.raises(LinnetError, match="did you mean 'gender'"):
        accuracy_in_every_group(scores(("f", 9, 10), ("m", 9, 10)), by="gendre", bound=0.8)


def test_it_can_be_asked_again_and_pays_for_its_look() -> None:
    made = scores(("f", 430, 500), ("m", 480, 500))
    claim = accuracy_in_every_group(made, by="gender", bound=0.8, clusters=None)
    read = Claim.model_validate_json(claim.model_dump_json())
    assert KINDS[read.kind](made, **read.settings) == claim
    second = claim.at_look(2)
    assert (second.looks, second.tested_level) == (2, pytest.approx(0.995))
    assert second.interval[0] == pytest.approx(binomial_lower(430, 500, 0.995))
    assert "file 2 that was held against these data" in second.statement


@pytest.mark.parametrize("shares", [(0.8, 1.0, 1.0), (0.8, 0.8, 0.8), (0.8, 0.9, 0.95)])
def test_it_is_wrong_at_most_as_often_as_it_says(shares: tuple[float, ...]) -> None:
    """Holding, or failing, where the worst group is exactly as good as the bound: each 5 in 100 at most."""
    rows, rng, runs = 60, np.random.default_rng(3), 20_000
    drawn = rng.binomial(rows, shares, (runs, len(shares)))
    counts = np.arange(rows + 1)
    low = np.array([binomial_lower(int(right), rows, 0.95) for right in counts])
    high = np.array([binomial_upper(int(right), rows, bonferroni(0.95, len(shares))) for right in counts])
    holds, fails = low[drawn].min(axis=1) > 0.8, high[drawn].min(axis=1) < 0.8
    error = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert holds.mean() <= 0.05 + error
    assert fails.mean() <= 0.05 + error
    for index in range(0, runs, 1000):  # the claim itself is what was simulated
        names = zip("abc", drawn[index], strict=True)
        claim = accuracy_in_every_group(scores(*((name, int(right), rows) for name, right in names)), by="gender",
                                        bound=0.8)
        assert (claim.holds, claim.verdict == "fails") == (holds[index], fails[index])
