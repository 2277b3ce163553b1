"""Each step on its own does to a waveform what its name and numbers say."""

import numpy as np
import pytest

from linnet.data.augment import Crop, Gain, Noise, Shift, Speed, TimeMask
from linnet.errors import LinnetError

RATE_HZ = 8000


def tone(hertz, *, seconds=0.5, window_s=1.0, rows=4):
    """A faded tone in the middle of silence, (rows, samples)."""
    count = round(seconds * RATE_HZ)
    sound = 0.3 * np.sin(2 * np.pi * hertz * np.arange(count) / RATE_HZ) * np.hanning(count) ** 0.1
    before = (round(window_s * RATE_HZ) - count) // 2
    return np.tile(np.pad(sound, (before, round(window_s * RATE_HZ) - count - before)), (rows, 1)).astype(np.float32)


def loudest_hertz(batch):
    spectra = np.abs(np.fft.rfft(batch, n=8 * batch.shape[1], axis=1))
    return spectra.argmax(axis=1) * RATE_HZ / (8 * batch.shape[1])


def heard(batch):
    """(begin, end) of what is above a thousandth of the peak."""
    loud = np.abs(batch) > 1e-3 * np.abs(batch).max(axis=1, keepdims=True)
    return loud.argmax(axis=1), batch.shape[1] - loud[:, ::-1].argmax(axis=1)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_gain_changes_the_level_by_the_decibels_asked_for():
    batch = tone(500, rows=200)
    out = Gain(-12, 6, chance=1)(batch, RATE_HZ, rng())
    decibels = 20 * np.log10(np.abs(out).max(axis=1) / np.abs(batch).max(axis=1))
    assert decibels.min() >= -12.001
    assert decibels.max() <= 6.001
    assert np.ptp(decibels) > 15


@pytest.mark.parametrize("snr_db", [0, 10, 30])
def test_noise_has_the_ratio_asked_for_over_the_recording_and_not_over_its_window(snr_db):
    batch = tone(500, seconds=0.25, rows=16)
    noise = Noise(snr_db, snr_db, chance=1)(batch, RATE_HZ, rng()) - batch
    sound = np.square(batch).sum(axis=1) / (0.25 * RATE_HZ)
    assert 10 * np.log10(sound / np.square(noise).mean(axis=1)) == pytest.approx(snr_db, abs=0.1)


@pytest.mark.parametrize(("exponent", "decibels_an_octave"), [(0, 0), (1, -3.01), (2, -6.02)])
def test_noise_has_its_colour(exponent, decibels_an_octave):
    batch = tone(500, rows=64)
    noise = Noise(0, 0, low_exponent=exponent, high_exponent=exponent, chance=1)(batch, RATE_HZ, rng()) - batch
    power = np.square(np.abs(np.fft.rfft(noise, axis=1))).mean(axis=0)
    octaves = [power[lower:2 * lower].mean() for lower in (250, 500, 1000, 2000)]
    slope = np.polyfit(range(4), 10 * np.log10(octaves), 1)[0]
    assert slope == pytest.approx(decibels_an_octave, abs=0.3)


def test_noise_only_inside_leaves_the_silence_around_a_recording():
    batch = tone(500)
    out = Noise(0, 0, only_inside=1.0, chance=1)(batch, RATE_HZ, rng())
    assert not out[batch == 0][: 100].any()
    assert (out != batch).any()


def test_silence_stays_silent_under_every_step():
    silence = np.zeros((3, 800), np.float32)
    for step in (Gain(), Noise(chance=1), Shift(), Crop(chance=1), Speed(), TimeMask(chance=1)):
        assert not step(silence, RATE_HZ, rng()).any(), step


def test_shift_moves_and_fills_with_silence():
    batch = tone(500)
    out = Shift(0.1, 0.1)(batch, RATE_HZ, rng())
    np.testing.assert_array_equal(out[:, 800:], batch[:, :-800])
    assert not out[:, :800].any()


def test_shift_that_keeps_never_loses_a_sample_and_one_that_does_not_may():
    batch = np.concatenate([tone(500, rows=100), tone(500, seconds=1.0, rows=100)])
    kept = Shift(-9, 9, keep=True)(batch, RATE_HZ, rng())
    assert np.square(kept).sum(axis=1) == pytest.approx(np.square(batch).sum(axis=1), rel=1e-5)
    assert np.ptp(heard(kept[:100])[0]) > 3000
    lost = Shift(-0.9, -0.9, keep=False)(batch, RATE_HZ, rng())
    assert np.square(lost[:100]).sum() < 0.01 * np.square(batch[:100]).sum()


def test_crop_takes_at_most_its_share_from_each_end():
    batch = tone(500, rows=200)
    begin, end = heard(batch)
    first, last = heard(Crop(0.2, chance=1)(batch, RATE_HZ, rng()))
    for lost in (first - begin, end - last):
        assert lost.min() >= 0
        assert 600 < lost.max() <= 0.2 * 4000 + 20


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.2])
def test_speed_moves_a_tone_and_changes_its_length_by_the_factor(factor):
    batch = tone(700)
    out = Speed(factor, factor)(batch, RATE_HZ, rng())
    begin, end = heard(out)
    assert loudest_hertz(out) == pytest.approx(700 * factor, rel=0.01)
    assert end - begin == pytest.approx(4000 / factor, rel=0.02)
    assert (begin + end) / 2 == pytest.approx(4000, abs=25)


def test_speed_does_not_fold_high_tones_back():
    out = Speed(1.5, 1.5)(tone(3500), RATE_HZ, rng())
    assert np.abs(out).max() < 0.02


def test_a_recording_that_fills_its_window_and_is_slowed_down_keeps_its_middle():
    batch = tone(700, seconds=1.0)
    out = Speed(0.8, 0.8)(batch, RATE_HZ, rng())
    assert out.shape == batch.shape
    assert loudest_hertz(out) == pytest.approx(560, rel=0.01)


def test_time_mask_silences_at_most_its_width_and_nothing_else():
    batch = tone(500, rows=100)
    out = TimeMask(0.1, count=1, chance=1)(batch, RATE_HZ, rng())
    masked = ((out == 0) & (np.abs(batch) > 0.01)).sum(axis=1)
    assert 500 < masked.max() <= 0.1 * RATE_HZ
    assert ((np.abs(out) > np.abs(batch) + 1e-6).sum()) == 0
    assert ((out != batch).sum(axis=1) <= masked + 2 * 16 + 800 * 0.1 + 40).all()


@pytest.mark.parametrize("step", [Gain(), Noise(), Shift(), Crop(), Speed(), TimeMask()])
def test_a_step_that_never_happens_changes_nothing(step):
    batch = tone(500)
    out = type(step)(chance=0)(batch, RATE_HZ, rng())
    np.testing.assert_allclose(out, batch, atol=1e-6)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Gain(3, -3), "smaller number first"), (lambda: Speed(0, 1), "larger than 0"),
    (lambda: Noise(chance=1.5), "from 0 to 1"), (lambda: Crop(share=0.7), "below 0.5")])
def test_impossible_numbers_are_refused(make, words):
    with pytest.raises(LinnetError, match=words):
        make()
