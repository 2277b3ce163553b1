"""Praat and openSMILE measure the same recordings; tests whose oracle is not installed say so and are left out."""

import numpy as np
import pytest

from linnet import data
from linnet.speech import prosody

PICKED = range(3, 625, 63)


@pytest.fixture(scope="module")
def recordings():
    if data.SOURCES["speechocean762"].find() is None:
        pytest.skip("speechocean762 is not on this machine; set LINNET_DATA to the folder of real data")
    whole = data.load("speechocean762", variant="flac")
    sounds = [whole.media("audio", row) for row in PICKED]
    return [(np.asarray(sound.samples, np.float64).reshape(-1), sound.sample_rate_hz) for sound in sounds]


@pytest.fixture(scope="module")
def praat():
    return pytest.importorskip("parselmouth", reason="needs praat-parselmouth")


def test_pitch_is_praats(recordings, praat):
    agree, frames, semitones = 0, 0, []
    for samples, rate in recordings:
        theirs, ours = praat.Sound(samples, rate).to_pitch(), prosody.pitch(samples, rate)
        np.testing.assert_allclose(ours.times_s, theirs.xs(), atol=1e-9)
        hz = theirs.selected_array["frequency"]
        both = (hz > 0) & ours.is_voiced
        agree, frames = agree + int(((hz > 0) == ours.is_voiced).sum()), frames + len(hz)
        semitones.append(12 * np.abs(np.log2(ours.hz[both] / hz[both])))
    differences = np.concatenate(semitones)
    assert agree / frames > 0.985
    assert np.median(differences) < 0.01
    assert (differences > 0.5).mean() < 0.005


def test_intensity_is_praats(recordings, praat):
    for samples, rate in recordings:
        theirs, ours = praat.Sound(samples, rate).to_intensity(), prosody.intensity(samples, rate, floor_hz=100)
        np.testing.assert_allclose(ours.times_s, theirs.xs(), atol=1e-9)
        np.testing.assert_allclose(ours.decibels, theirs.values[0], atol=0.3)


def test_voice_quality_follows_praats(recordings, praat):
    from parselmouth.praat import call

    rows = []
    for samples, rate in recordings:
        sound, heard = praat.Sound(samples, rate), prosody.pitch(samples, rate)
        ours, track = prosody.quality(samples, rate, heard), sound.to_pitch()
        pulses = call([sound, track], "To PointProcess (cc)")
        said = call([sound, track, pulses], "Voice report", 0, 0, 75, 600, 1.3, 1.6, 0.03, 0.45)
        harmonicity = float(said.split("Mean harmonics-to-noise ratio: ")[1].split(" dB")[0])
        rows.append((ours.jitter, call(pulses, "Get jitter (local)", 0, 0, 1e-4, 0.02, 1.3),
                     ours.shimmer, call([sound, pulses], "Get shimmer (local)", 0, 0, 1e-4, 0.02, 1.3, 1.6),
                     ours.harmonicity_db, harmonicity))
    jitter, their_jitter, shimmer, their_shimmer, harmonicity, their_harmonicity = np.array(rows).T
    assert np.median(np.abs(jitter - their_jitter)) < 0.003
    assert np.abs(jitter - their_jitter).max() < 0.006
    assert np.corrcoef(shimmer, their_shimmer)[0, 1] > 0.95
    assert np.median(np.abs(shimmer - their_shimmer)) < 0.006
    np.testing.assert_allclose(harmonicity, their_harmonicity, atol=1.0)


def test_opensmile_hears_the_same_voices(recordings):
    opensmile = pytest.importorskip("opensmile", reason="needs opensmile, whose licence forbids commercial use")
    smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02,
                            feature_level=opensmile.FeatureLevel.Functionals)
    pitches, loudness, noises, peaks = [], [], [], []
    for samples, rate in recordings:
        theirs, ours = smile.process_signal(samples.astype(np.float32), rate).iloc[0], prosody.measure(samples, rate)
        lowest_hz = 27.5
        pitches.append((ours.pitch_hz, lowest_hz * 2 ** (theirs["F0semitoneFrom27.5Hz_sma3nz_percentile50.0"] / 12)))
        loudness.append((ours.intensity_db, theirs["equivalentSoundLevel_dBp"]))
        noises.append((ours.harmonicity_db, theirs["HNRdBACF_sma3nz_amean"]))
        peaks.append((ours.syllables / ours.duration_s, theirs["loudnessPeaksPerSec"]))
    ours, theirs = np.array(pitches).T
    assert np.median(np.abs(12 * np.log2(ours / theirs))) < 0.5
    ours, theirs = np.array(loudness).T
    assert np.std(ours - theirs) < 0.5
    assert np.corrcoef(np.array(noises).T)[0, 1] > 0.9
    assert np.corrcoef(np.array(peaks).T)[0, 1] > 0.4  # all peaks of loudness, not only voiced ones
