"""Events are the same in whatever chunks their frames come, times are scored by hand-made cases, rates cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.speech import activity
from linnet.speech.activity import Counts, Event, LiveEvents, Observed, Rule

LABELS = ("on", "off")


def posteriors(frames: int, seed: int, labels: int = 2) -> np.ndarray:
    """Slowly changing ones, so that there are runs of every length."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 1.5, (frames, labels + 1)), axis=0)
    powers = np.exp(walk - walk.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True))[:, 1:]


RULES = [Rule(), Rule(0.7, hysteresis=0.4), Rule(0.6, smooth_ms=200), Rule(0.5, 0.3, 120, 150, 130),
         Rule(0.9, hysteresis=0.6, gap_ms=400), Rule(gap_ms=40)]


@pytest.mark.parametrize("rule", RULES)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 40), max_size=12))
def test_events_of_chunks_are_those_of_the_whole(rule: Rule, seed: int, sizes: list[int]) -> None:
    whole = posteriors(160, seed)
    live, found, at = LiveEvents(LABELS, rule, frame_ms=40.0), [], 0
    for size in [*sizes, 160]:
        found += live.update(whole[at : at + size])
        at = min(at + size, 160)
    assert found + live.finish() == activity.events_of(whole, LABELS, rule, frame_ms=40.0)
    assert live.update(whole) + live.finish() == activity.events_of(whole, LABELS, rule, frame_ms=40.0)


@pytest.mark.parametrize("rule", RULES)
def test_events_of_single_frames_are_those_of_the_whole(rule: Rule) -> None:
    for seed in range(20):
        whole = posteriors(160, seed)
        live = LiveEvents(LABELS, rule, frame_ms=40.0)
        found = [event for frame in range(160) for event in live.update(whole[frame : frame + 1])]
        assert found + live.finish() == activity.events_of(whole, LABELS, rule, frame_ms=40.0)


def test_an_event_is_known_while_it_goes_on_and_little_is_kept() -> None:
    live = LiveEvents(["on"], Rule(0.5, smooth_ms=80, gap_ms=120), frame_ms=40.0)
    live.update(np.full((1000, 1), 0.1))
    assert live.active is None
    assert len(live._raw) < 10
    live.update(np.full((5, 1), 0.9))
    assert live.active == "on"
    assert live.update(np.full((3, 1), 0.1)) == []
    (event,) = live.update(np.full((6, 1), 0.1))
    assert (event.onset_ms, event.offset_ms) == (40_000, 40_200)
    assert live.active is None


def test_hysteresis_gaps_and_least_durations() -> None:
    heard = np.array([[0.1], [0.45], [0.9], [0.45], [0.2], [0.7], [0.1], [0.1], [0.1], [0.1], [0.6]])

    def events(**settings: float) -> list[tuple[int, int]]:
        return [event[1:] for event in activity.events_of(heard, ["on"], Rule(0.5, **settings), frame_ms=10.0)]

    assert events() == [(20, 30), (50, 60), (100, 110)]
    assert events(hysteresis=0.2) == [(10, 40), (50, 60), (100, 110)]
    assert events(gap_ms=20) == [(20, 60), (100, 110)]
    assert events(gap_ms=20, least_ms=20) == [(20, 60)]


def test_a_run_of_another_label_parts_an_event() -> None:
    heard = np.array([[0.8, 0.1], [0.1, 0.8], [0.8, 0.1]])
    rule = Rule(0.5, gap_ms=100)
    assert [event.label for event in activity.events_of(heard, LABELS, rule, frame_ms=40.0)] == ["on", "off", "on"]


@pytest.mark.parametrize("settings", [{"threshold": 0.0}, {"threshold": 1.1}, {"hysteresis": 1.0}, {"gap_ms": -1.0},
                                      {"smooth_ms": float("nan")}])
def test_rules_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(LinnetError):
        Rule(**settings)


def test_times_and_events_are_counted() -> None:
    truth = [Event("on", 1000, 2000), Event("off", 3000, 3500)]
    answer = [Event("on", 1500, 2500), Event("on", 3000, 3500)]
    assert activity.time_counts(answer, truth) == Counts(500, 1000, 1000)
    assert activity.overlap_share(answer, truth) == pytest.approx(500 / 2500)
    assert activity.matched(answer, truth) == Counts(1, 1, 1)
    assert activity.overlap_share([], []) == Counts(0, 0, 0).f1 == 1.0
    assert activity.matched([Event("on", 2150, 2200), Event("on", 900, 950)], truth) == Counts(1, 1, 1)


def test_frames_speak_of_what_covers_their_middle_later_by_the_delay() -> None:
    events = [Event("on", 60, 180)]
    assert activity.frame_labels(events, LABELS, frames=6, frame_ms=40.0).tolist() == [0, 1, 1, 1, 0, 0]
    assert activity.frame_labels(events, LABELS, frames=6, frame_ms=40.0, delay_ms=40).tolist() == [0, 0, 1, 1, 1, 0]


def test_the_curve_counts_misses_and_false_alarms_at_each_threshold() -> None:
    heard = np.zeros((100, 1))
    heard[10:15], heard[50:52], heard[80:82] = 0.8, 0.6, 0.9
    streams = [Observed(heard, [Event("on", 400, 600), Event("on", 2000, 2080)], 1800.0)]
    curve = activity.det_curve(streams, ["on"], Rule(), frame_ms=40.0, thresholds=[0.5, 0.7, 0.85, 0.95])
    assert curve.misses.tolist() == [0, 0.5, 1, 1]
    assert curve.false_alarms_an_hour.tolist() == [2, 2, 2, 0]
    assert (curve.at(2.0), curve.at(1.0), curve.events, curve.hours) == (0, 3, 2, 0.5)


def test_rates_cover_at_their_level() -> None:
    rng = np.random.default_rng(0)
    for mean in (0.7, 3.0, 12.0):
        counts = rng.poisson(mean, 4000)
        rates = {count: activity.rate_an_hour(int(count), 2.0, level=0.9) for count in set(counts.tolist())}
        assert np.mean([rates[count].low <= mean / 2 <= rates[count].high for count in counts.tolist()]) > 0.885
        assert np.mean([mean / 2 <= rates[count].at_most for count in counts.tolist()]) > 0.885
    assert activity.rate_an_hour(0, 3.0).at_most == pytest.approx(-np.log(0.05) / 3)
    with pytest.raises(LinnetError):
        activity.rate_an_hour(1, 0.0)
