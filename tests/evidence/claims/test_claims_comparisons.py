import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import KINDS, Claim, DataRef, OtherSide, Scores, better, equivalent, no_worse
from linnet.evidence.comparisons import paired_difference


def scores(score: np.ndarray, *, name: str = "small", fingerprint: str = "f" * 64, speakers: int = 2,
           prefix: str = "r") -> Scores:
    n = len(score)
    data = DataRef(population="recordings", fingerprint=fingerprint, rows=n)
    return Scores([f"{prefix}{i}" for i in range(n)], ["x"] * n, ["x"] * n, score.astype(float), data, name * 8, name,
                  groups={"speaker": [f"s{i % speakers}" for i in range(n)]})


def pair(worsened: int, improved: int, n: int, *, speakers: int = 2) -> tuple[Scores, Scores]:
    before = np.arange(n) >= improved
    after = before.copy()
    after[:improved] = True
    after[improved:improved + worsened] = False
    return scores(after, speakers=speakers), scores(before, name="big", speakers=speakers)


def test_it_holds_within_the_margin_and_says_so() -> None:
    claim = no_worse(*pair(3, 2, 360), margin=0.03)
    assert claim.holds
    assert claim.interval == pytest.approx(paired_difference(3, 2, 360, 0.9))
    assert claim.estimate == pytest.approx(-1 / 360)
    assert claim.bound == -0.03
    assert claim.statement == ("In 100 recordings it answers 0.3 fewer correctly than big does "
                               "(95 % sure of at most 1.6 fewer; at most 3.0 fewer were allowed).")


@pytest.mark.parametrize(("worsened", "improved", "margin", "verdict", "said"), [
    (40, 2, 0.03, "fails", "sure of at least 7.8 fewer"),
    (2, 40, 0.03, "holds", "10.5 more correctly than big does (95 % sure of at least 7.8 more"),
    (0, 0, 0.03, "holds", "as many correctly as big does (95 % sure of at most 0.9 fewer"),
    (0, 0, 0.0, "undecided", "no fewer were allowed; not decided"),
    (8, 0, 0.03, "undecided", "at most 3.0 fewer were allowed; not decided"),
])
def test_verdicts_and_their_words(worsened: int, improved: int, margin: float, verdict: str, said: str) -> None:
    claim = no_worse(*pair(worsened, improved, 360), margin=margin)
    assert claim.verdict == verdict
    assert said in claim.statement


def test_undecided_says_how_many_samples_would_decide_and_they_do() -> None:
    claim = no_worse(*pair(3, 2, 360), margin=0.01)
    needed = int((claim.reason or "").split("about ")[1].split(" would")[0].replace(",", ""))
    worsened, improved = round(3 * needed / 360), round(2 * needed / 360)
    assert no_worse(*pair(worsened, improved, round(1.1 * needed)), margin=0.01).holds
    assert not no_worse(*pair(worsened, improved, round(0.9 * needed)), margin=0.01).holds


def test_rows_are_paired_by_id_whatever_their_order() -> None:
    after, before = pair(9, 4, 100)
    turned = Scores(list(before.ids)[::-1], before.answers, before.targets, before.score[::-1], before.data,
                    before.subject, before.subject_name)
    assert no_worse(after, turned, margin=0.1) == no_worse(after, before, margin=0.1)


def test_it_can_be_asked_again_from_the_rows_it_keeps() -> None:
    after, before = pair(3, 2, 360)
    claim = no_worse(after, before, margin=0.03)
    read = Claim.model_validate_json(claim.model_dump_json())
    assert read.than is not None
    assert read.than.unpack() == dict(zip(before.ids, before.score, strict=True))
    assert KINDS[read.kind](after, read.than, **read.settings) == claim


def test_the_size_of_the_other_side_stays_with_it() -> None:
    after, before = pair(3, 2, 360)
    claim = no_worse(after, OtherSide.of(before, size_bytes=1234), margin=0.03)
    assert claim.than is not None
    assert claim.than.size_bytes == 1234


def test_clusters_few_and_many() -> None:
    few = no_worse(*pair(3, 2, 360), margin=0.03, clusters="speaker")
    assert (few.verdict, few.interval) == ("undecided", (-1.0, 1.0))
    assert "how sure cannot be said from 2 groups by speaker" in few.statement
    many = no_worse(*pair(40, 30, 3600, speakers=24), margin=0.03, clusters="speaker")
    assert many.holds
    assert many.interval[0] < few.estimate < many.interval[1]
    assert "groups by speaker are too few" in (
        no_worse(*pair(3, 2, 360, speakers=24), margin=0.03, clusters="speaker").reason or "")


def test_samples_that_only_one_side_has_are_listed() -> None:
    after, before = pair(3, 2, 20)
    with pytest.raises(LinnetError, match=r"only 'small' has r0, r1, r10, r11, r12 and 15 more, only 'big' has q0"):
        no_worse(after, scores(before.score, name="big", prefix="q"), margin=0.1)


def test_other_data_is_refused() -> None:
    after, before = pair(3, 2, 20)
    with pytest.raises(LinnetError, match="different data"):
        no_worse(after, scores(before.score, name="big", fingerprint="e" * 64), margin=0.1)


def test_graded_scores_are_compared_by_their_mean_exactly() -> None:
    drawn = np.random.default_rng(0)
    before = drawn.uniform(0.4, 0.9, 400)
    after = before - drawn.uniform(0, 0.02, 400)
    claim = no_worse(scores(after), scores(before, name="big"), margin=0.05)
    assert claim.holds
    assert (claim.unit, claim.estimate) == ("score", pytest.approx((after - before).mean()))
    assert "its accuracy is on average 1.1 in 100 lower than that of big (95 % sure of at most" in claim.statement
    assert "at most 5.0 lower were allowed" in claim.statement
    assert KINDS["no_worse"](scores(after), claim.than, **claim.settings) == claim
    assert better(scores(before), scores(after)).verdict == "undecided"
    assert no_worse(scores(after), scores(before), margin=0.05, clusters="speaker").verdict == "undecided"


@pytest.mark.parametrize("margin", [-0.1, 3, float("nan"), None])
def test_a_margin_is_a_share(margin: object) -> None:
    with pytest.raises(LinnetError, match="margin is a share, from 0 to 1"):
        no_worse(*pair(1, 1, 10), margin=margin)


def test_better_holds_where_the_whole_interval_lies_above() -> None:
    after, before = pair(10, 60, 1000)
    claim = better(after, before)
    assert claim.holds
    assert claim.interval[0] > 0
    assert claim.statement == ("In 100 recordings it answers 5.0 more correctly than big does (95 % sure of at least "
                               f"{100 * claim.interval[0] - 0.05:.1f} more; more were required).")
    assert better(after, before, by=0.04).verdict == "undecided"
    assert better(before, after).verdict == "fails"
    assert KINDS["better"](after, claim.than, **claim.settings) == claim


def test_equivalent_holds_within_the_margin_and_fails_outside_of_it() -> None:
    same = equivalent(*pair(5, 6, 1000), margin=0.02)
    assert same.holds
    assert "95 % sure of at most" in same.statement
    assert "less than 2.0 more or fewer were allowed" in same.statement
    assert equivalent(*pair(5, 90, 1000), margin=0.02).verdict == "fails"
    assert equivalent(*pair(90, 5, 1000), margin=0.02).verdict == "fails"
    open_ = equivalent(*pair(15, 20, 1000), margin=0.01)
    assert open_.verdict == "undecided"
    assert open_.reason is not None
    assert "would be needed to show that it holds" in open_.reason


def test_few_clusters_decide_nothing_whatever_is_asked() -> None:
    after, before = pair(0, 400, 1000, speakers=4)
    assert better(after, before, clusters="speaker").verdict == "undecided"
    assert equivalent(after, before, margin=0.9, clusters="speaker").verdict == "undecided"


def test_more_samples_decide_as_many_as_were_said_to_be_needed() -> None:
    open_ = better(*pair(40, 52, 1000))
    assert open_.verdict == "undecided"
    assert open_.reason is not None
    needed = int(open_.reason.split("about ")[1].split(" would")[0].replace(",", ""))
    assert better(*pair(round(0.04 * needed), round(0.052 * needed), needed)).holds
    assert not better(*pair(round(0.02 * needed), round(0.026 * needed), needed // 2)).holds
