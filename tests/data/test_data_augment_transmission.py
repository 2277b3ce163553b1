"""What a line passes: a band, few levels, and what a real encoder leaves."""

import numpy as np
import pytest
from scipy.signal import correlate

from linnet.data.augment import Augment, Codec, MuLaw, Telephone, generator
from linnet.data.augment.transmission import coded
from linnet.errors import LinnetError

RATE_HZ = 16000


def rng(seed=0):
    return np.random.default_rng(seed)


def noise(rows=4, seconds=1.0, rate_hz=RATE_HZ):
    return rng(1).normal(0, 0.1, (rows, round(seconds * rate_hz))).astype(np.float32)


def speechlike(rate_hz=RATE_HZ, seconds=1.0):
    """A glide with harmonics that begins and ends, in the middle of its window."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * (150 * time + 60 * time**2)
    wave = sum(np.sin(order * phase) / order for order in range(1, 9))
    return (0.1 * wave * np.exp(-((time - seconds / 2) / 0.15) ** 2)).astype(np.float32)


def power_db(batch, hertz):
    spectrum = np.square(np.abs(np.fft.rfft(batch, axis=1))).mean(axis=0)
    place = round(hertz * batch.shape[1] / RATE_HZ)
    return 10 * np.log10(spectrum[place - 20:place + 20].mean())


def test_a_telephone_passes_its_band_only():
    batch = noise()
    out = Telephone()(batch, RATE_HZ, rng())
    gain_db = {hertz: power_db(out, hertz) - power_db(batch, hertz) for hertz in (60, 600, 1000, 2500, 5000, 7000)}
    assert all(abs(gain_db[hertz]) < 0.5 for hertz in (600, 1000, 2500))
    assert gain_db[60] < -30
    assert gain_db[5000] < -20
    assert gain_db[7000] < -40
    at_edge = power_db(out, 3400) - power_db(batch, 3400)
    assert at_edge == pytest.approx(-3, abs=1)


def test_a_telephone_does_not_shift():
    sound = speechlike()[None]
    out = Telephone()(sound, RATE_HZ, rng())
    assert correlate(out[0], sound[0]).argmax() == len(sound[0]) - 1


def test_mu_law_has_as_many_levels_as_its_bits_and_small_ones_for_quiet_sounds():
    ramp = np.linspace(-1, 1, 20001, dtype=np.float32)[None]
    assert len(np.unique(MuLaw()(ramp, RATE_HZ, rng()))) == 255
    assert len(np.unique(MuLaw(bits=4)(ramp, RATE_HZ, rng()))) == 15
    error = np.abs(MuLaw()(ramp, RATE_HZ, rng()) - ramp)[0]
    assert error[np.abs(ramp[0]) < 0.01].max() < 0.0005
    assert error.max() < 0.025
    loud = noise(rows=1) * 3
    ratio_db = 10 * np.log10(np.square(loud).mean() / np.square(MuLaw()(loud, RATE_HZ, rng()) - loud).mean())
    assert 30 < ratio_db < 42


@pytest.mark.parametrize("codec", ["opus", "vorbis", "mp3", "gsm"])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 48000])
@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_a_codec_is_lossy_and_neither_late_nor_longer(codec, rate_hz, quality):
    if codec == "opus" and rate_hz == 22050:
        with pytest.raises(LinnetError, match="vorbis and gsm take any rate"):
            Codec(codec).check_rate(rate_hz)
        return
    sound = speechlike(rate_hz)
    heard = coded(sound, rate_hz, codec, quality=quality)
    assert heard.shape == sound.shape
    assert (heard != sound).any()
    late = correlate(heard, sound).argmax() - (len(sound) - 1)
    assert abs(late) <= rate_hz * 0.0005
    assert np.corrcoef(heard, sound)[0, 1] > 0.9


@pytest.mark.parametrize("codec", ["opus", "vorbis", "mp3"])
def test_a_better_quality_is_nearer_to_the_sound(codec):
    sound = speechlike() + noise(rows=1)[0] * 0.1
    near = [np.square(coded(sound, RATE_HZ, codec, quality=quality) - sound).mean() for quality in (0.0, 1.0)]
    assert near[1] < near[0]


def test_recordings_get_different_codecs_and_some_none():
    batch = np.tile(speechlike(8000, 0.4), (60, 1))
    out = Codec(("gsm", "mp3"), chance=0.5)(batch, 8000, rng())
    same = (out == batch).all(axis=1)
    assert 0.25 < same.mean() < 0.75
    assert len(np.unique(out, axis=0)) > 5


def test_sounds_of_any_length_and_silence():
    for samples in (1, 30, 1000):
        for codec in ("opus", "vorbis", "mp3", "gsm"):
            assert coded(np.zeros(samples, np.float32), 8000, codec, quality=0.3).shape == (samples,)
    silent = np.zeros((2, 4000), np.float32)
    for chain in (Augment([Telephone(), MuLaw()]), Augment([Codec(chance=1)])):
        assert np.abs(chain(silent, 8000, generator(seed=0, epoch=0, batch=0))).max() < 1e-3


@pytest.mark.parametrize(("make", "words"), [
    (lambda: Codec("flac"), "unknown codec 'flac'"), (lambda: Codec([]), "at least one"),
    (lambda: Codec(low_quality=0.8, high_quality=0.2), "the range goes"), (lambda: MuLaw(bits=1), "the range goes"),
    (lambda: Telephone(3000, 300), "the range goes from 3000 to 300")])
def test_settings_that_make_no_sense_are_refused(make, words):
    with pytest.raises(LinnetError, match=words):
        make()
