"""Chains of steps: seeded, shape-keeping, written as JSON, and fast enough to train with."""

import json

import numpy as np
import pytest

from linnet.data import augment
from linnet.data.augment import PRESETS, STEPS, Augment, Gain, Move, Noise, generator
from linnet.errors import LinnetError

SPEECH = np.random.default_rng(1).normal(0, 0.2, (20, 6000)).astype(np.float32)
IMAGES = np.random.default_rng(2).integers(0, 256, (20, 12, 10, 3)).astype(np.uint8)


def batch_for(chain):
    return (IMAGES, None) if isinstance(chain.steps[0], Move | augment.Flip) else (SPEECH, 8000)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_shape_and_dtype_and_follow_the_seed(name):
    chain = PRESETS[name]
    batch, rate_hz = batch_for(chain)
    before = batch.copy()
    first, again, other = (chain(batch, rate_hz, generator(seed=0, epoch=1, batch=number)) for number in (2, 2, 3))
    assert (first.shape, first.dtype) == (batch.shape, batch.dtype)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(batch, before)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_keeps_its_input_and_the_shape(name):
    chain = Augment([STEPS[name]()])
    batch, rate_hz = (IMAGES, None) if name in ("move", "rotate", "zoom", "flip") else (SPEECH, 8000)
    before = batch.copy()
    out = chain(batch, rate_hz, generator(seed=0, epoch=0, batch=0))
    assert (out.shape, out.dtype) == (batch.shape, batch.dtype)
    np.testing.assert_array_equal(batch, before)


def test_what_is_louder_than_full_scale_is_turned_down_as_a_whole():
    batch = np.stack([np.linspace(-0.5, 0.5, 100), np.linspace(-0.1, 0.1, 100)]).astype(np.float32)
    out = Augment([Gain(12, 12)])(batch, 8000, generator(seed=0, epoch=0, batch=0))
    assert np.abs(out[0]).max() == pytest.approx(1)
    np.testing.assert_allclose(out[0] / out[0].max(), batch[0] / batch[0].max(), atol=1e-6)
    assert np.abs(out[1]).max() == pytest.approx(0.398, abs=0.001)


@pytest.mark.parametrize("name", PRESETS)
def test_json_there_and_back(name):
    text = json.dumps(PRESETS[name].to_json())
    assert Augment.from_json(json.loads(text)) == PRESETS[name]


def test_json_may_leave_out_what_is_usual():
    assert Augment.from_json([{"step": "noise", "low_snr_db": 0}]) == Augment([Noise(low_snr_db=0)])


@pytest.mark.parametrize(("value", "words"), [
    ([{"step": "nois"}], "did you mean 'noise'"), ([{"low_db": 1}], "unknown augmentation step"),
    ([{"step": "gain", "low": 1}], "unknown setting of 'gain' 'low'"),
    ([{"step": "gain"}, {"step": "move"}], "steps of one kind")])
def test_json_that_makes_no_sense_is_refused(value, words):
    with pytest.raises(LinnetError, match=words):
        Augment.from_json(value)


def test_the_wrong_kind_of_batch_is_refused():
    with pytest.raises(LinnetError, match="for recordings"):
        PRESETS["speech"](IMAGES, 8000, generator(seed=0, epoch=0, batch=0))
    with pytest.raises(LinnetError, match="for images"):
        PRESETS["handwriting"](SPEECH, None, generator(seed=0, epoch=0, batch=0))


def test_an_empty_batch_and_no_steps():
    assert PRESETS["speech"](SPEECH[:0], 8000, generator(seed=0, epoch=0, batch=0)).shape == (0, 6000)
    assert Augment([])(SPEECH, 8000, generator(seed=0, epoch=0, batch=0)) is SPEECH
