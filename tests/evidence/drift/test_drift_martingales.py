"""Ever a false alarm in at most alpha of streams, or one in the stated run length; a change is found."""

import numpy as np
import pytest
from scipy.integrate import quad

from linnet.errors import LinnetError
from linnet.evidence.drift import ConformalDetector, ConformalMartingale, conformal_martingale, conformal_p_values
from linnet.evidence.drift.martingales import BETS, _densities
from linnet.evidence.drift.recursion import Recursion

BETS_OF_MIXTURE = len(_densities(np.zeros(()), "mixture"))


@pytest.mark.parametrize("bets", BETS)
def test_no_bet_gains_on_average(bets: str) -> None:
    for bet in range(_densities(np.zeros(()), bets).shape[-1]):
        def density(p: float, bet: int = bet) -> float:
            return float(_densities(np.asarray(p), bets)[bet])
        mean = quad(density, 0, 0.5, limit=400)[0] + quad(density, 0.5, 1, limit=400)[0]
        assert mean == pytest.approx(1, abs=2e-3)
        assert mean <= 1 + 1e-6


@pytest.mark.parametrize("bets", BETS)
def test_ever_a_false_alarm_in_at_most_alpha(bets: str) -> None:
    rng = np.random.default_rng(0)
    path = conformal_martingale(rng.random((2000, 1000)), bets=bets)
    share = (path.max(axis=1) >= np.log(20)).mean()
    assert share <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


def test_ever_a_false_alarm_in_at_most_alpha_from_scores_with_ties_and_a_small_reference() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for seed in range(120):
        martingale = ConformalMartingale(rng.integers(0, 6, 40), seed=seed)
        alarms += martingale.update(rng.integers(0, 6, 300))
    assert alarms / 120 <= 0.05 + 3 * (0.05 * 0.95 / 120) ** 0.5


def test_a_false_alarm_takes_the_stated_run_length() -> None:
    rng = np.random.default_rng(2)
    wealth = Recursion(np.full(BETS_OF_MIXTURE, 1 / BETS_OF_MIXTURE), jump=0.01, streams=(400,))
    first = np.full(400, 3000)
    for n in range(1, 3000):
        hit = wealth.advance(_densities(rng.random(400), "mixture")) >= 200
        first = np.where(hit, np.minimum(first, n), first)
    assert first.mean() >= 200 - 2 * first.std() / 20
    assert first.mean() < 1500


@pytest.mark.parametrize("bets", BETS)
@pytest.mark.parametrize("change", [
    pytest.param(lambda normal: normal + 1.5, id="larger"), pytest.param(lambda normal: normal - 1.5, id="smaller"),
])
def test_a_change_is_found(bets: str, change) -> None:
    rng = np.random.default_rng(3)
    for seed in range(5):
        martingale = ConformalMartingale(rng.normal(size=500), bets=bets, seed=seed)
        martingale.update(rng.normal(size=100))
        assert martingale.update(change(rng.normal(size=200)))
        assert martingale.alarm_at > 100


@pytest.mark.parametrize("scale", [3.0, 0.3], ids=["spread", "gathered"])
def test_changes_of_spread_are_found_by_the_mixture(scale: float) -> None:
    rng, found = np.random.default_rng(4), 0
    for seed in range(5):
        detector = ConformalDetector(rng.normal(size=1000), run_length=10_000, seed=seed)
        found += detector.update(rng.normal(0, scale, size=300))
    assert found == 5


def test_after_a_long_quiet_time_the_detector_is_sooner_than_the_martingale() -> None:
    rng = np.random.default_rng(5)
    delays = []
    for kind in (ConformalMartingale, ConformalDetector):
        threshold = {"run_length": 10_000} if kind is ConformalDetector else {"level": 0.9999}
        alarm = kind(rng.normal(size=500), **threshold)
        alarm.update(rng.normal(size=2500))
        assert alarm.alarm_at is None
        alarm.update(rng.normal(2.0, 1, size=400))
        delays.append((alarm.alarm_at or 10_000) - 2500)
    assert delays[1] < delays[0]


def test_batch_and_stream_agree_and_reset_forgets() -> None:
    rng = np.random.default_rng(6)
    reference, scores = rng.normal(size=300), rng.normal(0.5, 1, 200)
    expected = conformal_martingale(conformal_p_values(scores, reference, seed=7))
    martingale = ConformalMartingale(reference, seed=7)
    for _ in range(2):
        path = []
        for score in scores:
            martingale.update(score)
            path.append(martingale.log_martingale)
        np.testing.assert_allclose(path, expected, atol=1e-9)
        assert martingale.alarm_at == int((expected >= np.log(20)).argmax()) + 1
        martingale.reset()
    assert (martingale.n, martingale.alarm_at, martingale.log_martingale) == (0, None, 0.0)


def test_the_detector_is_the_sum_over_starts_of_the_martingale() -> None:
    values = np.random.default_rng(8).random(40)
    wealth = Recursion(np.full(BETS_OF_MIXTURE, 1 / BETS_OF_MIXTURE), jump=0.01)
    summed = [float(wealth.advance(_densities(value, "mixture"))) for value in values]
    starts = np.array([np.exp(conformal_martingale(values[start:]))[-1] for start in range(40)])
    assert summed[-1] == pytest.approx(starts.sum(), rel=1e-9)


def test_a_reference_that_could_never_raise_an_alarm_is_refused_with_the_size_that_could() -> None:
    with pytest.raises(LinnetError, match="reference of 2 scores is too small") as refusal:
        ConformalMartingale([1.0, 2.0])
    enough = int(str(refusal.value).rsplit("at least ", 1)[1].split()[0])
    martingale = ConformalMartingale(np.arange(enough))
    assert martingale.update(np.arange(enough, 12 * enough))
    with pytest.raises(LinnetError, match="too small"):
        ConformalDetector(np.arange(enough), run_length=1e9)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: ConformalMartingale(level=0.4), "level is how sure"),
    (lambda: ConformalDetector(run_length=1), "at least 2"),
    (lambda: ConformalMartingale(bets="powr"), "did you mean 'power'"),
    (lambda: ConformalMartingale(range(300)).update(float("nan")), "holds nan"),
    (lambda: ConformalDetector(range(300)).update([[1.0, 2.0]]), "distance_to_nearest"),
    (lambda: conformal_martingale([0.5, 1.5]), "from 0 to 1"),
    (lambda: conformal_martingale([float("nan")]), "from 0 to 1"),
])
def test_bad_input_is_refused(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
