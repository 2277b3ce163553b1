"""Who speaks: figures against their definitions, promises against simulation, and what must be refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.speech.speakers import (
    Calibration,
    Plda,
    Trials,
    Turn,
    actual_cost,
    adaptive_s_norm,
    all_pairs,
    cepstra,
    diarization_error,
    enrol,
    equal_error_rate,
    interval,
    log_ratio_cost,
    minimum_cost,
    s_norm,
    similarities,
    statistics,
    two_party,
)

KEY, OTHER_KEY = b"a secret of ann's", b"another secret of ann's"


def voices(seed: int = 0, *, speakers: int = 30, each: int = 8, size: int = 6,
           spread: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a two-covariance model in slanted directions, and their speakers."""
    random = np.random.default_rng(seed)
    names = np.repeat(np.arange(speakers), each)
    rows = spread * random.normal(size=(speakers, size))[names] + random.normal(size=(len(names), size))
    return rows @ np.random.default_rng(9).normal(size=(size, size)), names


def trials(seed: int = 0, *, shift: float = 2.0) -> Trials:
    random = np.random.default_rng(seed)
    same = np.arange(4000) < 1000
    return Trials(random.normal(np.where(same, shift, 0.0)), np.full(4000, "ann"), np.where(same, "ann", "bob"))


def test_a_similarity_is_the_log_likelihood_ratio_of_the_model() -> None:
    rows, names = voices()
    model = Plda.fit(rows, names, dimensions=4)
    found = model.voices(rows[:2])
    x, y = (model.first.T @ row - model.first_offset for row in rows[:2])
    one, other = (((v / np.linalg.norm(v) * 2) @ model.second - model.second_offset) for v in (x, y))
    between, total = np.diag(model.between), np.diag(model.between + 1)
    together = multivariate_normal(np.zeros(2 * len(between)), np.block([[total, between], [between, total]]))
    alone = multivariate_normal(np.zeros(len(between)), total)
    expected = together.logpdf(np.concatenate([one, other])) - alone.logpdf(one) - alone.logpdf(other)
    assert similarities(found)[0, 1] == pytest.approx(expected)


def test_plda_does_not_depend_on_the_units_of_a_value() -> None:
    rows, names = voices()
    units = np.array([1, 1e-3, 100, 1, 5, 1e-2])
    one = similarities(Plda.fit(rows, names, dimensions=4).voices(rows))
    np.testing.assert_allclose(similarities(Plda.fit(rows * units, names, dimensions=4).voices(rows * units)), one,
                               rtol=1e-4, atol=1e-4)


def test_plda_tells_new_speakers_apart_better_than_angles_do() -> None:
    rows, names = voices(speakers=60)
    new, whose = voices(1, speakers=20)
    model = Plda.fit(rows, names, dimensions=6)
    even = new / np.linalg.norm(new, axis=1, keepdims=True)
    assert equal_error_rate(all_pairs(similarities(model.voices(new)), whose)) < 0.8 * equal_error_rate(
        all_pairs(even @ even.T, whose))


def test_figures_are_what_counting_says() -> None:
    given = trials()
    limits = np.sort(given.scores)
    accepts = np.array([(given.impostors > limit).mean() for limit in limits])
    rejects = np.array([(given.genuine <= limit).mean() for limit in limits])
    assert equal_error_rate(given) == pytest.approx(accepts[np.argmin(abs(accepts - rejects))], abs=2e-3)
    cost = (0.05 * rejects + 0.95 * accepts) / 0.05
    assert minimum_cost(given, prior=0.05) == pytest.approx(min(1.0, cost.min()))
    assert minimum_cost(given, prior=0.95) <= 1


def test_calibrated_scores_cost_at_their_threshold_what_the_best_one_costs() -> None:
    fit, other = trials(), trials(1)
    found = Calibration.fit(Trials(3 * fit.scores + 7, fit.first, fit.second))
    ratios = Trials(found(3 * other.scores + 7), other.first, other.second)
    assert (3 * found.slope, found.offset + 7 * found.slope) == pytest.approx((2.0, -2.0), abs=0.3)
    for prior in (0.05, 0.5):
        assert minimum_cost(ratios, prior=prior) <= actual_cost(ratios, prior=prior) \
            < 1.15 * minimum_cost(ratios, prior=prior)
    assert actual_cost(Trials(ratios.scores + 3, other.first, other.second)) > 1
    assert log_ratio_cost(ratios) < log_ratio_cost(Trials(ratios.scores / 4, other.first, other.second)) < 1
    assert log_ratio_cost(Trials(0 * ratios.scores, other.first, other.second)) == pytest.approx(1)


def test_separated_scores_calibrate_to_something_finite() -> None:
    found = Calibration.fit(Trials(np.array([0.0, 1, 5, 6]), np.array(list("aaaa")), np.array(list("bbaa"))))
    assert np.isfinite([found.slope, found.offset]).all()


@pytest.mark.slow
def test_an_interval_of_the_equal_error_rate_covers_that_of_all_speakers() -> None:
    rows, names = voices(5, speakers=120, each=30, spread=1.0)
    whole, held = equal_error_rate(all_pairs(similarities(np.column_stack([rows, 0 * names])), names)), 0
    for seed in range(100):
        drawn = np.random.default_rng(seed).choice(120, 40, replace=False)
        rows_of = np.concatenate([np.flatnonzero(names == speaker)[:10] for speaker in drawn])
        seen = all_pairs(similarities(np.column_stack([rows[rows_of], 0 * rows_of])), names[rows_of])
        low, high = interval(seen, draws=200)
        held += low <= whole <= high
    assert held >= 90  # of 100, for 95 %: one in forty such tests would see fewer


def test_an_interval_is_around_its_figure_and_the_same_again() -> None:
    rows, names = voices(3, spread=1.0)
    seen = all_pairs(similarities(np.column_stack([rows, 0 * names])), names)
    for figure, value in (("equal_error_rate", equal_error_rate(seen)), ("minimum_cost", minimum_cost(seen))):
        low, high = interval(seen, figure, draws=100)
        assert low < value < high
        assert interval(seen, figure, draws=100) == (low, high)
    same = Trials(2 * seen.scores, seen.first, seen.second)
    assert interval(same, than=seen, draws=50) == pytest.approx((1, 1), abs=0.02)
    noise = np.random.default_rng(0).normal(0, seen.scores.std(), len(seen.scores))
    worse = Trials(seen.scores + noise, seen.first, seen.second)
    assert interval(worse, than=seen, draws=50)[0] > 1


def test_s_norm_takes_away_what_a_recording_adds_to_all_its_scores() -> None:
    random = np.random.default_rng(0)
    scores, first, second = random.normal(size=(5, 7)), random.normal(size=(5, 40)), random.normal(size=(7, 40))
    louder, further = np.arange(5.0)[:, None], 10.0
    for norm in (s_norm, adaptive_s_norm):
        moved = norm(scores + louder + further, first + louder + further, second + further)
        np.testing.assert_allclose(norm(scores, first, second) + louder * _half(second, norm), moved, atol=1e-9)


def _half(second: np.ndarray, norm: object) -> np.ndarray:
    """What the other side, which was not moved, still sees of it."""
    nearest = np.sort(second, axis=1)[:, -20:] if norm is adaptive_s_norm else second
    return 0.5 / nearest.std(axis=1)


def test_a_template_scores_as_its_voice_until_it_is_revoked() -> None:
    rows, names = voices()
    heard = Plda.fit(rows, names, dimensions=6).voices(rows)
    ann = enrol("ann", heard[:4], key=KEY)
    scores = similarities(heard, heard[:4]).mean(axis=1)
    np.testing.assert_allclose(ann.similarity(heard, KEY), scores, atol=1e-9)
    assert ann.recordings == 4
    again = enrol("ann", heard[:4], key=OTHER_KEY)
    np.testing.assert_allclose(again.similarity(heard, OTHER_KEY), scores, atol=1e-9)
    assert ann.similarity(heard[4:8], OTHER_KEY).max() < scores[4:8].min()  # the old template, who has the new key
    across = ann.values[:-1] @ again.values[:-1]
    assert abs(across) < 0.9 * (ann.values[:-1] @ ann.values[:-1])


def test_two_parties_are_told_apart_and_silence_is_nobodys() -> None:
    random = np.random.default_rng(0)
    truth = [Turn("x", 0, 10), Turn("y", 10, 16), Turn("x", 18, 30), Turn("y", 30, 40)]
    middle = np.arange(80) * 0.5 + 0.25
    whose = np.array([next((turn.speaker for turn in truth if turn.start_s <= t < turn.end_s), "") for t in middle])
    centre = np.where(whose == "x", 1.0, -1.0)
    scores = 2 * np.outer(centre, centre) + random.normal(0, 3, (80, 80))
    turns = two_party((scores + scores.T) / 2, hop_s=0.5, heard=whose != "")
    assert diarization_error(turns, truth) < 0.03
    assert turns[0].speaker == "A"
    assert not any(turn.start_s < 17 < turn.end_s for turn in turns)


def test_an_error_of_diarization_is_missed_false_and_confused_time() -> None:
    truth = [Turn("ann", 0, 2), Turn("bob", 2, 4)]
    assert diarization_error([Turn("A", 0, 2), Turn("B", 2, 4)], truth) == 0
    assert diarization_error([], truth) == 1
    assert diarization_error([Turn("A", 0, 4)], truth) == 0.5
    assert diarization_error([Turn("A", 0, 2), Turn("B", 2, 5)], truth) == 0.25


def test_statistics_hear_what_is_said_and_not_how_loud_nor_the_silence_around() -> None:
    random = np.random.default_rng(0)
    noise = np.convolve(random.normal(0, 0.1, 16000), np.ones(5) / 5, "same").astype(np.float32)
    one = statistics(Audio(noise, 16000))
    assert one.shape == (80,)
    np.testing.assert_allclose(statistics(Audio(noise / 4, 16000)), one, atol=0.02)
    short, long = (statistics(Audio(np.concatenate([noise, np.zeros(size, np.float32)]), 16000))
                   for size in (8000, 40000))
    np.testing.assert_allclose(short, long, atol=1e-9)
    assert np.isfinite(statistics(Audio(np.zeros(10, np.float32), 8000))).all()
    assert cepstra(Audio(noise, 16000)).shape == (98, 40)


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: Trials(np.zeros(2), np.zeros(2), np.zeros(3)), "2 scores, 2 first and 3 second"),
    (lambda: Trials(np.array([np.nan]), np.zeros(1), np.zeros(1)), "NaN"),
    (lambda: equal_error_rate(Trials(np.zeros(2), np.zeros(2), np.zeros(2))), "pairs of one speaker and pairs of two"),
    (lambda: all_pairs(np.zeros((2, 3)), ["a", "b"]), r"shape \(2, 2\)"),
    (lambda: minimum_cost(trials(), prior=0), "prior"),
    (lambda: interval(trials(), "accuracy"), "equal_error_rate, minimum_cost"),
    (lambda: interval(trials(), than=Trials(np.zeros(1), np.ones(1), np.ones(1))), "the same pairs"),
    (lambda: Plda.fit(np.zeros((4, 2)), [1, 1, 1, 1], dimensions=1), "two speakers"),
    (lambda: Plda.fit(np.full((4, 2), np.inf), [1, 1, 2, 2], dimensions=1), "finite"),
    (lambda: Plda.fit(np.eye(4), [1, 1, 2, 2], dimensions=5), "dimensions lies between 1 and the 4"),
    (lambda: similarities(np.zeros((2, 3)), np.zeros((2, 4))), "same size"),
    (lambda: s_norm(np.zeros((2, 2)), np.zeros((3, 5)), np.zeros((2, 5))), "cohort scores for each row"),
    (lambda: s_norm(np.zeros((1, 1)), np.zeros((1, 5)), np.zeros((1, 5))), "the same with every voice"),
    (lambda: adaptive_s_norm(np.zeros((1, 1)), np.zeros((1, 5)), np.zeros((1, 5)), top=6), "top lies between 2 and"),
    (lambda: Calibration.fit(Trials(np.array([1.0, 0]), np.array(["a", "a"]), np.array(["b", "a"]))), "opposite"),
    (lambda: enrol("ann", np.eye(3), key=b"short"), "at least 16 bytes"),
    (lambda: enrol("ann", np.zeros((0, 3)), key=KEY), "'ann'"),
    (lambda: enrol("ann", np.eye(3), key=KEY).similarity(np.eye(4), KEY), "another model"),
    (lambda: two_party(np.zeros((3, 3)), hop_s=1), "at least 4"),
    (lambda: enrol("ann", np.full((2, 3), np.nan), key=KEY), "6 values are NaN or infinite"),
    (lambda: enrol("ann", [[1, 2, 3], [1, 2]], key=KEY), "of one length"),
    (lambda: enrol("ann", np.eye(3), key="0" * 32), "bytes"),
    (lambda: two_party(np.zeros((3, 4)), hop_s=1), "square"),
    (lambda: two_party(np.full((6, 6), np.nan), hop_s=1), "finite"),
    (lambda: two_party(np.zeros((6, 6)), hop_s=0), "hop_s is how long a piece lasts"),
    (lambda: diarization_error([], []), "nobody speaks"),
    (lambda: diarization_error([Turn("A", 0, 1)], [Turn("ann", 1, 1)]), "nobody speaks"),
    (lambda: diarization_error([Turn("A", 0, 1)], [Turn("ann", 0, 1)], step_s=0), "step_s"),
    (lambda: statistics(Audio(np.zeros(99, np.float32), 1000)), "too low"),
])
def test_what_makes_no_sense_is_refused(wrong: object, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        wrong()  # type: ignore[operator]
