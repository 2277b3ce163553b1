"""Speech is found where it was put; noises are what their names say, are never the same, and mix as loud as asked."""

import numpy as np
import pytest

from linnet.data import Audio, noises
from linnet.data.energy import speech_spans
from linnet.data.sources import speech_activity
from linnet.errors import LinnetError

RATE = 16_000
EVERY = {**noises.TRAINING, **noises.HELD_OUT}


def voice(seconds: float, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def between_silences(*parts: float) -> Audio:
    """Silence (a hiss 50 dB lower) and voice in turn, so many seconds each; silence first and last."""
    rng = np.random.default_rng(0)
    return Audio(np.concatenate([voice(seconds, rng) * np.float32(1 if number % 2 else 0.003)
                                 for number, seconds in enumerate(parts)]), RATE)


def test_the_rule_finds_speech_closes_short_gaps_and_leaves_clicks_out():
    ((start, end),) = speech_spans(between_silences(0.5, 1.0, 0.15, 0.6, 0.8))
    assert (abs(start - 500), abs(end - 2250)) < (30, 30)
    found = speech_spans(between_silences(0.5, 1.0, 0.4, 0.6, 0.5, 0.02, 0.6))
    assert [(round(start, -2), round(end, -2)) for start, end in found] == [(500, 1500), (1900, 2500)]


def test_the_rule_does_not_depend_on_the_level_and_finds_nothing_in_nothing():
    sound = between_silences(0.5, 1.0, 0.5)
    assert speech_spans(Audio(sound.samples / 64, RATE)) == speech_spans(sound)
    assert speech_spans(Audio(np.zeros(RATE, np.float32), RATE)) == []
    assert speech_spans(Audio(np.zeros(10, np.float32), RATE)) == []
    assert speech_spans(Audio(voice(2.0, np.random.default_rng(1)), RATE)) == []


@pytest.mark.parametrize("name", EVERY)
def test_every_noise_is_of_power_one_and_of_its_seed(name):
    made = [EVERY[name](RATE, 8000, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert all(noise.shape == (RATE,) and noise.dtype == np.float32 for noise in made)
    assert np.square(made[0]).mean() == pytest.approx(1, rel=1e-3)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_no_kind_is_both_heard_and_held_out():
    assert not set(noises.TRAINING) & {*noises.HELD_OUT, "babble"}


def test_hum_is_at_the_mains_and_knocks_are_rare():
    power = np.abs(np.fft.rfft(noises.hum(8 * 8000, 8000, np.random.default_rng(0)))) ** 2
    loudest = np.argsort(power)[-3:] / 8
    assert all(min(abs(hertz / mains - round(hertz / mains)) for mains in (50, 60)) < 0.05 for hertz in loudest)
    knocks = noises.impulses(8 * 8000, 8000, np.random.default_rng(0))
    assert np.mean(np.square(knocks) < 0.5) > 0.8


def test_babble_is_of_all_its_voices_equally_loud():
    rng = np.random.default_rng(0)
    one, other = np.sin(np.arange(800) / 5).astype(np.float32), 0.01 * np.sin(np.arange(800) / 2).astype(np.float32)
    power = np.abs(np.fft.rfft(noises.babble([one, other, np.zeros(8, np.float32)], 8000, rng))) ** 2
    places = [round(8000 / 5 / (2 * np.pi)), round(8000 / 2 / (2 * np.pi))]
    shares = [power[place - 20 : place + 21].sum() / power.sum() for place in places]
    assert shares == pytest.approx([0.5, 0.5], abs=0.1)


def test_a_mixture_has_the_ratio_that_was_asked_for():
    rng = np.random.default_rng(0)
    speech = np.concatenate([np.zeros(8000), rng.normal(0, 0.2, 8000)]).astype(np.float32)
    noise = rng.normal(0, 3, 16_000).astype(np.float32)
    mixture = noises.mixed(speech, noise, snr_db=5.0, is_speech=speech != 0)
    added = np.square(mixture - speech).mean()
    assert 10 * np.log10(np.square(speech[8000:]).mean() / added) == pytest.approx(5, abs=0.01)
    with pytest.raises(LinnetError, match="one length"):
        noises.mixed(speech, noise[1:], snr_db=5.0, is_speech=speech != 0)


def test_vocoded_noise_swells_with_its_voices_and_has_no_pitch():
    time = np.arange(4 * 8000) / 8000
    voice = (np.sin(2 * np.pi * 200 * time) * (time % 1 < 0.5)).astype(np.float32)
    noise = noises.vocoded([voice], len(voice), np.random.default_rng(0))
    loud = np.square(noise[: 4 * 8000].reshape(8, 4000)).mean(axis=1)
    assert max(loud.max() / loud.min(), 1) > 5
    assert np.square(noise).mean() == pytest.approx(1, rel=1e-3)
    shares = [(power := np.abs(np.fft.rfft(wave)) ** 2).max() / power.sum() for wave in (noise, voice)]
    assert shares[0] < 0.1 < shares[1]


def test_a_clip_has_the_noise_that_was_asked_for():
    rng = np.random.default_rng(3)
    sound = between_silences(0.5, 1.0, 0.5)
    voices = [voice(1.0, rng), voice(1.0, rng)]
    made = [speech_activity.clip("x", sound, "ann", split="test", noise=(kind, 5.0, voices),
                                 rng=np.random.default_rng(7)).sound.samples for kind in ("hum", "babble", "vocoded")]
    assert len({wave.tobytes() for wave in made}) == 3
    power = np.abs(np.fft.rfft(made[0])) ** 2
    assert power[: len(power) // 4].sum() > 0.3 * power.sum()
