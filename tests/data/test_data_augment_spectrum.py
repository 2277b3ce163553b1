"""Steps in time and frequency, measured on tones and on a synthetic vowel with a known pitch and a known formant."""

import numpy as np
import pytest
from scipy import signal

from linnet.data.augment import Augment, Equalize, FrequencyMask, Pitch, Tempo, VocalTract
from linnet.data.augment.spectrum import spectrum_of, waveform_of

RATE_HZ = 8000
VOICE_HZ = 120.0


def rng(seed=0):
    return np.random.default_rng(seed)


def vowel(formant_hz=900.0, *, seconds=0.6, window_s=1.2):
    """Pulses of a voice through one resonance of 120 Hz width, in the middle of silence: (2, samples)."""
    count = round(seconds * RATE_HZ)
    pulses = np.zeros(count)
    pulses[np.round(np.arange(0, count, RATE_HZ / VOICE_HZ)).astype(int)[:-1]] = 1
    radius, angle = np.exp(-np.pi * 120 / RATE_HZ), 2 * np.pi * formant_hz / RATE_HZ
    sound = signal.lfilter([1], [1, -2 * radius * np.cos(angle), radius**2], pulses) * np.hanning(count) ** 0.2
    before = (round(window_s * RATE_HZ) - count) // 2
    sound = np.pad(sound / np.abs(sound).max() / 2, (before, before))
    return np.tile(sound, (2, 1)).astype(np.float32)


def formant_of(clip):
    """The peak of an all-pole envelope of order 8 (after Levinson), which does not see single harmonics."""
    loud = clip[np.abs(clip).argmax() - 1200:][:2400] * np.hanning(2400)
    correlation = np.correlate(loud, loud, "full")[len(loud) - 1:][:9]
    lags = np.abs(np.subtract.outer(range(8), range(8)))
    poles = np.linalg.solve(correlation[lags] + 1e-6 * correlation[0] * np.eye(8), correlation[1:])
    hertz, response = signal.freqz([1], [1, *-poles], worN=2048, fs=RATE_HZ)
    return hertz[np.abs(response)[100:].argmax() + 100]


def voice_of(clip):
    """The pitch, from the highest peak of the autocorrelation between 70 and 250 Hz."""
    correlation = np.correlate(clip, clip, "full")[len(clip) - 1:]
    lags = np.arange(RATE_HZ // 250, RATE_HZ // 70)
    return RATE_HZ / lags[correlation[lags].argmax()]


def length_of(clip):
    loud = np.flatnonzero(np.abs(clip) > 0.02 * np.abs(clip).max())
    return loud[-1] - loud[0]


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
@pytest.mark.parametrize("samples", [100, 8000, 12345])
def test_there_and_back_is_the_same(rate_hz, samples):
    batch = rng().uniform(-1, 1, (3, samples)).astype(np.float32)
    back = waveform_of(spectrum_of(batch, rate_hz), samples)
    np.testing.assert_allclose(back, batch, atol=2e-6)


@pytest.mark.parametrize("factor", [0.85, 1.2])
def test_vocal_tract_moves_the_formant_and_keeps_the_voice(factor):
    clip = vowel()
    changed = VocalTract(factor, factor)(clip, RATE_HZ, rng())[0]
    assert formant_of(clip[0]) == pytest.approx(900, rel=0.04)
    assert formant_of(changed) == pytest.approx(900 * factor, rel=0.06)
    assert voice_of(changed) == pytest.approx(VOICE_HZ, rel=0.02)
    assert length_of(changed) == pytest.approx(length_of(clip[0]), rel=0.1)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_tempo_changes_the_length_and_keeps_voice_and_formant(factor):
    clip = vowel()
    changed = Tempo(factor, factor)(clip, RATE_HZ, rng())[0]
    assert length_of(changed) == pytest.approx(length_of(clip[0]) / factor, rel=0.06)
    assert voice_of(changed) == pytest.approx(VOICE_HZ, rel=0.02)
    assert formant_of(changed) == pytest.approx(900, rel=0.05)


@pytest.mark.parametrize("semitones", [-4, 3])
def test_pitch_moves_a_tone_and_keeps_its_length_and_level(semitones):
    count = 4000
    sound = 0.4 * np.sin(2 * np.pi * 600 * np.arange(count) / RATE_HZ) * np.hanning(count)
    batch = np.pad(sound, (2000, 2000))[None].astype(np.float32)
    changed = Pitch(semitones, semitones)(batch, RATE_HZ, rng())
    hertz = np.abs(np.fft.rfft(changed[0], 64000)).argmax() / 8
    envelopes = [np.abs(signal.hilbert(clip))[2200:5800] for clip in (batch[0], changed[0])]
    assert hertz == pytest.approx(600 * 2 ** (semitones / 12), rel=0.01)
    assert np.corrcoef(envelopes)[0, 1] > 0.99
    assert np.abs(changed).max() == pytest.approx(0.4, rel=0.1)


def test_a_recording_that_fills_its_window_can_be_lowered_without_losing_its_ends():
    batch = (0.4 * np.sin(2 * np.pi * 600 * np.arange(8000) / RATE_HZ))[None].astype(np.float32)
    changed = Pitch(-4, -4)(batch, RATE_HZ, rng())
    assert np.abs(changed[0, 300:600]).max() > 0.25
    assert np.abs(changed[0, -600:-300]).max() > 0.25


def test_frequency_mask_empties_a_band_and_leaves_the_rest():
    batch = rng().normal(0, 0.1, (40, 8000)).astype(np.float32)
    masked = FrequencyMask(0.3, count=1, chance=1)(batch, RATE_HZ, rng())
    before, after = (signal.welch(clips, RATE_HZ, nperseg=256)[1] for clips in (batch, masked))
    lost_db = 10 * np.log10(after / before)
    widest = (lost_db < -30).sum(axis=1).argmax()
    assert (lost_db[widest] < -30).sum() >= 5
    for clip in lost_db:
        empty = np.flatnonzero(clip < -30)
        if len(empty):
            far = [index for index in range(2, 127) if min(abs(empty - index)) > 4]
            assert np.ptp(empty) == len(empty) - 1
            assert np.abs(clip[far]).max() < 3


def test_equalize_is_smooth_and_as_strong_as_asked():
    batch = rng().normal(0, 0.05, (200, 8000)).astype(np.float32)
    changed = Equalize(6, bends=1, chance=1)(batch, RATE_HZ, rng())
    before, after = (signal.welch(clips, RATE_HZ, nperseg=256)[1] for clips in (batch, changed))
    gain_db = 10 * np.log10(after / before)
    assert np.std(gain_db[:, 2]) == pytest.approx(9, rel=0.2)
    assert np.abs(gain_db[:, 64]).mean() < 0.5
    assert np.corrcoef(gain_db[:, 5], gain_db[:, 120])[0, 1] < -0.9


def test_steps_that_share_a_transform_do_what_they_do_alone():
    clip = vowel()
    together = Augment([Tempo(1.2, 1.2), VocalTract(1.15, 1.15)])(clip, RATE_HZ, rng())[0]
    assert formant_of(together) == pytest.approx(900 * 1.15, rel=0.06)
    assert length_of(together) == pytest.approx(length_of(clip[0]) / 1.2, rel=0.06)


@pytest.mark.parametrize("step", [Tempo, VocalTract, Equalize, FrequencyMask, Pitch])
def test_silence_stays_silent_and_a_step_that_never_happens_changes_nothing(step):
    assert not step(chance=1)(np.zeros((2, 4000), np.float32), RATE_HZ, rng()).any()
    np.testing.assert_allclose(step(chance=0)(vowel(), RATE_HZ, rng()), vowel(), atol=2e-6)
