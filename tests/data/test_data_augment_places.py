"""Rooms echo for as long as asked; a background is as loud as asked, and remembered by its fingerprint."""

import pickle

import numpy as np
import pytest
import soundfile

from linnet import data
from linnet.data.augment import Augment, Background, Reverberation, generator
from linnet.errors import LinnetError

RATE_HZ = 8000


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def street(tmp_path):
    """A folder without labels: a long and a short recording of noise, at two rates."""
    folder = tmp_path / "street"
    (folder / "deep").mkdir(parents=True)
    soundfile.write(folder / "long.wav", rng(1).normal(0, 0.1, 4 * RATE_HZ), RATE_HZ)
    soundfile.write(folder / "deep" / "short.wav", rng(2).normal(0, 0.1, 4000), 16000)
    return folder


def test_the_echo_falls_by_60_db_in_its_time():
    room = Reverberation(0.4, 0.4, 0, 0, chance=1)
    responses = room.responses(200, RATE_HZ, rng())
    assert (responses[:, 0] == 1).all()
    assert (responses[:, 1:33] == 0).all()
    power = np.square(responses[:, 33:]).mean(axis=0)
    times = np.arange(len(power)) / RATE_HZ
    slope, _ = np.polyfit(times, 10 * np.log10(power), 1)
    assert -60 / slope == pytest.approx(0.4, rel=0.02)


def test_direct_and_reverberant_sound_have_the_ratio_asked_for():
    responses = Reverberation(low_direct_db=3, high_direct_db=9, chance=1).responses(300, RATE_HZ, rng())
    ratio_db = -10 * np.log10(np.square(responses[:, 1:]).sum(axis=1))
    assert ratio_db.min() == pytest.approx(3, abs=0.2)
    assert ratio_db.max() == pytest.approx(9, abs=0.2)


def test_an_echo_comes_after_its_sound_and_not_around_the_end():
    click = np.zeros((20, RATE_HZ), np.float32)
    click[:, 7000] = 0.5
    out = Reverberation(chance=1)(click, RATE_HZ, rng())
    np.testing.assert_allclose(out[:, :7000], 0, atol=1e-6)
    np.testing.assert_allclose(out[:, 7000], 0.5, atol=1e-6)
    assert (np.abs(out[:, 7033:]).max(axis=1) > 1e-3).all()


def test_a_background_is_as_loud_as_asked(street):
    batch = np.tile(0.3 * np.sin(np.arange(RATE_HZ)), (30, 1)).astype(np.float32)
    out = Background(street, low_snr_db=10, high_snr_db=20, chance=1)(batch, RATE_HZ, rng())
    noise_db = 10 * np.log10(np.square(batch).mean() / np.square(out - batch).mean(axis=1))
    assert noise_db.min() == pytest.approx(10, abs=1)
    assert noise_db.max() == pytest.approx(20, abs=1)
    assert len({row.tobytes() for row in np.round(out - batch, 3)}) == 30


def test_a_background_is_a_piece_of_its_source_and_short_ones_repeat(street):
    quiet = np.full((1, 3000), 1e-3, np.float32)
    for seed in range(6):
        added = Background(street, low_snr_db=-20, high_snr_db=-20, chance=1)(quiet, RATE_HZ, rng(seed))[0] - 1e-3
        sounds = [soundfile.read(street / "long.wav")[0],
                  np.tile(data.resample(data.read_audio(street / "deep" / "short.wav"), RATE_HZ).samples, 3)]
        best = max(np.correlate(sound, added / np.linalg.norm(added), "valid").max() /
                   (np.linalg.norm(sound) * np.sqrt(len(added) / len(sound))) for sound in sounds)
        assert best > 0.9


def test_a_background_is_written_down_with_its_fingerprint_and_refuses_other_sounds(street):
    chain = Augment([Background(str(street))])
    written = chain.to_json()[0]
    assert written["source"] == str(street)
    assert len(written["fingerprint"]) == 64
    assert not any(name.startswith("_") for name in written)
    again = Augment.from_json([written])
    batch = rng(5).normal(0, 0.1, (10, 4000)).astype(np.float32)
    one, other = (made(batch, RATE_HZ, generator(seed=0, epoch=0, batch=0)) for made in (chain, again))
    np.testing.assert_array_equal(one, other)
    soundfile.write(street / "more.wav", np.ones(100) / 2, RATE_HZ)
    with pytest.raises(LinnetError, match="is not the sound this chain was made with"):
        Augment.from_json([written])


def test_a_dataset_with_its_steps_can_be_a_background(tone_manifest):
    tones = data.load(tone_manifest, columns={"pitch": "label", "voice": "group"}).where(pitch="low")
    written = Augment([Background(tones)]).to_json()[0]
    assert written["source"]["steps"] == [{"where": {"pitch": "low"}}]
    assert Augment.from_json([written]).to_json() == [written]
    assert len(Augment.from_json([written]).steps[0]._dataset) == 50


def test_worker_processes_get_the_same_background(street):
    chain = Augment([Background(str(street), chance=1)])
    batch = rng(5).normal(0, 0.1, (4, 4000)).astype(np.float32)
    one, other = (made(batch, RATE_HZ, generator(seed=0, epoch=0, batch=0))
                  for made in (chain, pickle.loads(pickle.dumps(chain))))
    np.testing.assert_array_equal(one, other)


def test_a_silent_background_adds_nothing(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(9000), RATE_HZ)
    batch = rng(5).normal(0, 0.1, (4, 4000)).astype(np.float32)
    np.testing.assert_array_equal(Background(tmp_path, chance=1)(batch, RATE_HZ, rng()), batch)


@pytest.mark.parametrize(("source", "words"), [
    ("no_such_corpus", "no folder or file 'no_such_corpus' here"), (3, "a Dataset, a name, a folder or a manifest"),
    ("EMPTY", "has no recordings"), ("handwritten", "has no recordings; its columns are")])
def test_sources_without_sounds_are_refused(source, words, tmp_path):
    with pytest.raises(LinnetError, match=words):
        Background(tmp_path if source == "EMPTY" else source)
