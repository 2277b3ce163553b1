"""The stated number has the stated power, by the exact bounds of the comparisons, enumerated."""

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.comparisons import clustered_difference, paired_lower, two_sample_lower
from linnet.evidence.comparisons.paired import _score
from linnet.evidence.comparisons.two_sample import _score as _two_sample_score
from linnet.evidence.power import Clustering, samples_for_better, samples_for_no_worse, samples_for_two_shares
from linnet.evidence.power.tables import _decides, _disagreements, _fewest, _share_holding


def fewest(decides, hint: int) -> int:
    """The fewest second counts with which the bound decides, by the bound itself."""
    count = max(0, hint - 1)
    assert count == 0 or not decides(count)
    while not decides(count):
        count += 1
    return count


def check_paired(by: float, disagreement: float, expected: float) -> None:
    needed = (samples_for_no_worse(-by, disagreement, expected=expected) if by else
              samples_for_better(expected, disagreement))
    n, p10, p01 = needed.count, (disagreement - expected) / 2, (disagreement + expected) / 2
    worsened = np.arange(int(stats.binom.ppf(1e-6, n, p10)), int(stats.binom.ppf(1 - 1e-4, n, p10)) + 1)
    hints = _fewest(lambda w, i: _score(w, i, n, by), worsened, n - worsened, 0.95)
    improved = [fewest(lambda i, w=w: paired_lower(w, i, n) > by - 1e-12, hint)
                for w, hint in zip(worsened.tolist(), hints.tolist(), strict=True)]
    power = stats.binom.pmf(worsened, n, p10) @ stats.binom.sf(np.array(improved) - 1, n - worsened, p01 / (1 - p10))
    assert needed.power == pytest.approx(power, abs=1e-3)
    assert 0.8 <= needed.power < 0.84  # and not far more than asked for


def test_paired() -> None:
    check_paired(0.0, 0.12, 0.10)


@pytest.mark.slow
@pytest.mark.parametrize(("by", "disagreement", "expected"), [
    (-0.05, 0.1, 0.0), (-0.08, 0.06, -0.02), (0.0, 0.12, 0.08),
])
def test_paired_with_margins(by: float, disagreement: float, expected: float) -> None:
    check_paired(by, disagreement, expected)


@pytest.mark.parametrize("plan", [samples_for_better, lambda *shares, **more: samples_for_no_worse(0.05, 0.1, **more)])
def test_a_later_file_is_tested_at_a_higher_level_and_needs_more(plan) -> None:
    unpaid, first, second = (plan(0.06, 0.12, look=look) for look in (None, 1, 2))
    assert unpaid.count < first.count < second.count
    assert first.count == plan(0.06, 0.12, level=0.96).count
    assert second.count == plan(0.06, 0.12, level=0.995).count
    assert (first.level, str(second)[-30:]) == (0.95, ", as file 2 held against them.")


def test_two_shares_need_about_what_the_textbook_says() -> None:
    textbook = (1.645 + 0.842) ** 2 * (0.2 * 0.8 + 0.5 * 0.5) / 0.3**2
    assert samples_for_two_shares(0.2, 0.5).count == pytest.approx(textbook, rel=0.2)  # exact at so few costs some


@pytest.mark.slow
def test_two_shares() -> None:
    needed = samples_for_two_shares(0.3, 0.5)
    n = needed.count
    controls = np.arange(int(stats.binom.ppf(1e-5, n, 0.3)), int(stats.binom.ppf(1 - 1e-4, n, 0.3)) + 1)
    hints = _fewest(lambda c, t: _two_sample_score(c, n, t, n, 0.0), controls, np.full(len(controls), n), 0.95)
    treatments = [fewest(lambda t, c=c: two_sample_lower(c, n, t, n) > 0, hint)
                  for c, hint in zip(controls.tolist(), hints.tolist(), strict=True)]
    power = stats.binom.pmf(controls, n, 0.3) @ stats.binom.sf(np.array(treatments) - 1, n, 0.5)
    assert needed.power == pytest.approx(power, abs=1e-3)
    assert 0.8 <= needed.power < 0.84


def test_a_margin_for_two_shares() -> None:
    needed = samples_for_two_shares(0.1, 0.1, by=-0.25)
    assert needed.count < samples_for_two_shares(0.1, 0.12, by=-0.15).count
    assert "smaller by at most 25 in 100" in str(needed)


def test_clusters_have_the_power_on_fresh_draws() -> None:
    of = Clustering(12, 0.1)
    needed = samples_for_no_worse(0.08, 0.06, clusters=of)
    fresh = _share_holding(needed.count, of, (0.03, 0.03), -0.08, 0.95, 99)
    assert 0.8 - 0.01 <= fresh <= 0.88
    assert needed.count > samples_for_no_worse(0.08, 0.06).count / 12


def test_the_vectorised_decision_on_clusters_is_that_of_the_claims_interval() -> None:
    of, labels = Clustering(30, 0.02), np.repeat(np.arange(25), 30)
    worsened, improved = (counts[:6] for counts in _disagreements(25, of, (0.05, 0.05), np.random.default_rng(2)))
    ours = _decides(worsened, improved, 30, -0.03, 0.95)
    order = np.arange(30)
    for w, i, decision in zip(worsened, improved, ours, strict=True):
        differences = -(order < w[:, None]).astype(float) + (order >= 30 - i[:, None])
        assert (clustered_difference(differences.ravel(), labels, 0.9)[0] >= -0.03) == decision
    assert 0 < ours.sum() < 6


def test_disagreements_have_their_shares_and_correlation() -> None:
    worsened, improved = _disagreements(2000, Clustering(10, 0.2), (0.1, 0.3), np.random.default_rng(3))
    assert (worsened.mean() / 10, improved.mean() / 10) == pytest.approx((0.1, 0.3), abs=0.003)
    assert worsened.var() == pytest.approx(10 * 0.1 * 0.9 * (1 + 9 * 0.2), rel=0.03)
    assert np.corrcoef(worsened.ravel(), improved.ravel())[0, 1] < 0


def test_what_is_not_so_is_never_shown() -> None:
    assert samples_for_no_worse(0.02, 0.1, expected=-0.03).count is None
    assert samples_for_better(0.0, 0.1).count is None
    assert samples_for_two_shares(0.5, 0.4).count is None


@pytest.mark.parametrize(("call", "message"), [
    (lambda: samples_for_no_worse(-0.1, 0.1), "margin is a share"),
    (lambda: samples_for_no_worse(0.1, 0.0), "disagreement is a share above 0"),
    (lambda: samples_for_better(0.2, 0.1), "cannot be larger"),
    (lambda: samples_for_better(0.05, 0.1, power=0), "power must lie"),
    (lambda: samples_for_two_shares(0.0, 0.1), "control must lie"),
    (lambda: samples_for_two_shares(0.1, 0.2, level=0.3), "level is how sure"),
])
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
