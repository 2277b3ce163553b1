"""Voices that are made here, so that what is to be found is known."""

import json

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.speech import prosody

RATE = 16000


def voice(seconds, hz=150.0, *, jitter=0.0, shimmer=0.0, octaves_a_second=0.0, seed=0):
    """Pulses through two resonances; jitter and shimmer as shares, drawn period by period; the pitch may glide."""
    rng, at, pulses = np.random.default_rng(seed), 0.0, np.zeros(int(seconds * RATE) + RATE // 20)
    while at < seconds * RATE:
        whole = int(at)
        strength = 1 + shimmer * rng.standard_normal()
        pulses[whole] += strength * (1 - (at - whole))
        pulses[whole + 1] += strength * (at - whole)
        at += RATE / (hz * 2 ** (octaves_a_second * at / RATE)) * (1 + jitter * rng.standard_normal())
    times = np.arange(400) / RATE
    ring = sum(np.exp(-np.pi * width * times) * np.sin(2 * np.pi * peak * times)
               for peak, width in ((600, 80), (1200, 100)))
    sound = np.convolve(pulses, ring)[: int(seconds * RATE)]
    return sound / (np.abs(sound).max() * 2)


def quiet(seconds):
    return 1e-5 * np.random.default_rng(9).standard_normal(int(seconds * RATE))


def spoken(syllables, *, pause_after=()):
    """Short voices 150 ms long, 100 ms apart, or 500 ms where a pause follows."""
    parts = [quiet(0.3)]
    for number in range(syllables):
        parts += [voice(0.15, 120 + 5 * number) * np.hanning(int(0.15 * RATE)),
                  quiet(0.5 if number in pause_after else 0.1)]
    return np.concatenate([*parts, quiet(0.3)])


@pytest.mark.parametrize("hz", [80.0, 120.0, 247.0, 420.0])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_pitch_of_a_harmonic_tone(hz, rate):
    times = np.arange(rate // 2) / rate
    tone = sum(np.sin(2 * np.pi * hz * k * times + k) / k for k in range(1, 5)) / 4
    found = prosody.pitch(tone, rate)
    assert found.is_voiced.all()
    np.testing.assert_allclose(found.hz, hz, rtol=0.003)


def test_a_missing_fundamental_is_heard():
    times = np.arange(RATE // 2) / RATE
    tone = sum(np.sin(2 * np.pi * 100 * k * times) for k in (4, 5, 6, 7)) / 8
    np.testing.assert_allclose(prosody.pitch(tone, RATE).hz, 100, rtol=0.005)


def test_where_no_voice_is_none_is_heard():
    noise = 0.3 * np.random.default_rng(0).standard_normal(RATE)
    assert prosody.pitch(noise, RATE).is_voiced.mean() < 0.1
    assert not prosody.pitch(np.zeros(RATE), RATE).is_voiced.any()


def test_long_recordings_are_read_in_blocks_and_come_out_the_same():
    tone = voice(45.0, 110)
    found = prosody.pitch(tone, RATE)
    assert len(found.hz) > 4096
    np.testing.assert_allclose(found.hz[4000:4200], 110, rtol=0.02)


def test_intensity_in_decibels():
    tone = np.sqrt(2) * np.sin(2 * np.pi * 250 * np.arange(RATE) / RATE)
    for factor, decibels in ((1.0, 93.98), (0.1, 73.98)):
        np.testing.assert_allclose(prosody.intensity(factor * tone, RATE).decibels, decibels, atol=0.02)
    np.testing.assert_allclose(prosody.intensity(0.1 * tone + 0.5, RATE).decibels, 73.98, atol=0.02)
    assert (prosody.intensity(np.zeros(RATE), RATE).decibels == -100).all()


def test_syllables_and_pauses_are_counted():
    sound = spoken(7, pause_after=(2, 4))
    found = prosody.measure(sound, RATE)
    assert (found.syllables, found.pauses) == (7, 2)
    assert found.longest_pause_s == pytest.approx(0.5, abs=0.1)
    assert found.speaking_rate < found.articulation_rate
    when = prosody.rhythm(prosody.intensity(sound, RATE), prosody.pitch(sound, RATE))
    assert [round(start, 1) for start, _ in when.pauses] == pytest.approx([1.0, 1.9], abs=0.11)
    assert 0 < when.pause_share < 0.6
    assert prosody.measure(spoken(7), RATE).pauses == 0


@pytest.mark.parametrize(("ripple", "syllables"), [(0.08, 1), (0.6, 3)])
def test_one_syllable_may_tremble(ripple, syllables):
    times = np.arange(int(0.6 * RATE)) / RATE
    ends = np.minimum(1, np.minimum(times, times[::-1]) / 0.05)
    trembling = voice(0.6) * (1 - ripple * np.cos(10 * np.pi * times)) * ends
    assert prosody.measure(np.concatenate([quiet(0.3), trembling, quiet(0.3)]), RATE).syllables == syllables


def test_a_held_sound_is_a_hesitation_and_a_moving_one_is_none():
    held = np.concatenate([quiet(0.2), voice(0.6, 120), quiet(0.2)])
    (stretch,) = prosody.filled_pauses(held, RATE, prosody.pitch(held, RATE))
    assert stretch == pytest.approx((0.2, 0.8), abs=0.06)
    times = np.arange(int(0.6 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 150 * times) / RATE
    rising = 0.2 * sum(np.sin(k * phase) / k for k in range(1, 9))
    heard = prosody.pitch(rising, RATE)
    assert heard.is_voiced.mean() > 0.9
    assert prosody.filled_pauses(rising, RATE, heard) == []
    gliding = voice(0.6, 120, octaves_a_second=1.0)
    heard = prosody.pitch(gliding, RATE)
    assert prosody.filled_pauses(gliding, RATE, heard) == []
    assert prosody.filled_pauses(gliding, RATE, heard, most_semitones=12)
    halves = np.concatenate([voice(0.2, 120), 0.3 * np.sin(2 * np.pi * 120 * np.arange(3200) / RATE)])
    assert prosody.filled_pauses(halves, RATE, prosody.pitch(halves, RATE)) == []


@pytest.mark.parametrize(("jitter", "shimmer"), [(0.0, 0.0), (0.01, 0.05), (0.02, 0.1)])
def test_jitter_and_shimmer_of_a_voice_that_has_them(jitter, shimmer):
    """The mean difference of two normal numbers is 2 / sqrt(pi) of their deviation."""
    sound = voice(3.0, 130, jitter=jitter, shimmer=shimmer)
    found = prosody.quality(sound, RATE, prosody.pitch(sound, RATE))
    assert found.jitter == pytest.approx(2 / np.sqrt(np.pi) * jitter, abs=0.002 + 0.2 * jitter)
    assert found.shimmer == pytest.approx(2 / np.sqrt(np.pi) * shimmer, abs=0.01 + 0.45 * shimmer)


@pytest.mark.parametrize("decibels", [5, 10, 20])
def test_harmonicity_is_the_ratio_of_voice_to_noise(decibels):
    rng, times = np.random.default_rng(1), np.arange(2 * RATE) / RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * times + k) for k in range(1, 6))
    sound = 0.1 * (tone + tone.std() * 10 ** (-decibels / 20) * rng.standard_normal(len(times)))
    found = prosody.quality(sound, RATE, prosody.pitch(sound, RATE))
    assert found.harmonicity_db == pytest.approx(decibels, abs=1.0)


def test_a_question_rises_and_a_statement_falls():
    times = np.arange(RATE) / RATE
    for slope in (12.0, -12.0):
        hz = 150 * 2 ** (slope * times / 12)
        sound = 0.2 * sum(np.sin(2 * np.pi * k * np.cumsum(hz) / RATE) / k for k in range(1, 6))
        assert prosody.measure(sound, RATE).pitch_slope == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize("name", ["silence", "noise", "clipped", "200 ms", "10 ms", "nothing", "telephone", "click"])
def test_odd_recordings_are_measured_without_a_warning(name):
    rng = np.random.default_rng(2)
    sound, rate = {
        "silence": (np.zeros(RATE), RATE), "noise": (0.1 * rng.standard_normal(RATE), RATE),
        "clipped": (np.clip(20 * voice(1.0), -1, 1), RATE), "200 ms": (voice(0.2), RATE), "10 ms": (voice(0.01), RATE),
        "nothing": (np.zeros(0), RATE), "telephone": (np.round(voice(1.0)[::2] * 127) / 127, 8000),
        "click": (np.eye(1, RATE)[0], RATE)}[name]
    found = prosody.measure(sound, rate)
    assert json.loads(json.dumps(found.to_json()))["duration_s"] == len(sound) / rate
    if name in ("clipped", "200 ms", "telephone"):
        assert found.pitch_hz == pytest.approx(150, rel=0.02)
    if name in ("silence", "10 ms", "nothing", "click"):
        assert (found.syllables, found.pauses, found.hesitations) == (0, 0, 0)
        assert np.isnan([found.pitch_hz, found.jitter, found.shimmer, found.harmonicity_db]).all()
    if name == "noise":
        assert found.hesitations == 0


@pytest.mark.slow
def test_ten_minutes():
    sound = np.tile(spoken(7, pause_after=(2,)), 240)[: 600 * RATE]
    assert prosody.measure(sound, RATE).duration_s == 600


@pytest.mark.parametrize(("samples", "rate", "said"), [
    (np.zeros((100, 2)), 16000, "one channel; got float64 of shape"),
    (np.zeros(100, np.int16), 16000, "got int16"),
    (np.array([0.0, np.nan, np.inf]), 16000, "2 of 3 samples are not numbers"),
    (np.zeros(100), 2000, "at least 4000"),
])
def test_what_is_no_recording_is_refused(samples, rate, said):
    for asked in (prosody.pitch, prosody.intensity, prosody.measure):
        with pytest.raises(LinnetError, match=said):
            asked(samples, rate)


def test_settings_that_make_no_sense_are_refused():
    sound = voice(0.3)
    with pytest.raises(LinnetError, match="0 < floor < ceiling <= 4000"):
        prosody.pitch(sound, RATE, floor_hz=600, ceiling_hz=75)
    with pytest.raises(LinnetError, match="floor_hz lies above 0"):
        prosody.intensity(sound, RATE, floor_hz=0)
    with pytest.raises(LinnetError, match="least_s, most_semitones"):
        prosody.filled_pauses(sound, RATE, prosody.pitch(sound, RATE), least_s=0)
    with pytest.raises(LinnetError, match="above 0; got -1"):
        prosody.rhythm(prosody.intensity(sound, RATE), prosody.pitch(sound, RATE), below_loudest_db=-1)
