"""Chains of steps: seeded, shape-keeping, written as JSON, and fast enough to train with."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from linnet.data.augment import (
    PRESETS,
    STEPS,
    Augment,
    Background,
    Codec,
    Colour,
    Crop,
    Flip,
    Gain,
    Move,
    Noise,
    PaddedCrop,
    Shift,
    Speed,
    Tempo,
    WordDropout,
    generator,
)
from linnet.errors import LinnetError

SPEECH = np.random.default_rng(1).normal(0, 0.2, (20, 6000)).astype(np.float32)
IMAGES = np.random.default_rng(2).integers(0, 256, (20, 12, 10, 3)).astype(np.uint8)
TEXTS = ["will it rain in Berlin tomorrow morning", "order fresh bread", "a", "", "how do I get to Oslo"] * 4


@pytest.fixture
def made(tone_manifest):
    """Makes a step with its defaults; a background needs sounds."""
    return lambda name: Background(str(tone_manifest)) if name == "background" else STEPS[name]()


def applied(chain, batch_number):
    """What a chain makes of its kind of samples, and these samples."""
    rng = generator(seed=0, epoch=1, batch=batch_number)
    if chain.kind == "text":
        return chain.on_texts(TEXTS, rng), TEXTS
    batch, rate_hz = (IMAGES, None) if chain.kind == "image" else (SPEECH, 8000)
    return chain(batch, rate_hz, rng), batch


@pytest.mark.parametrize("name", PRESETS)
def test_presets_follow_the_seed(name):
    (first, _), (again, _), (other, _) = (applied(PRESETS[name], number) for number in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert (np.asarray(first) != np.asarray(other)).any()


@pytest.mark.parametrize("name", STEPS)
def test_every_step_follows_the_seed_keeps_its_input_and_the_shape(name, made):
    chain = Augment([made(name)])
    before = {"audio": SPEECH, "image": IMAGES, "text": TEXTS}[chain.kind]
    before = list(before) if chain.kind == "text" else before.copy()
    (out, batch), (again, _) = applied(chain, 2), applied(chain, 2)
    np.testing.assert_array_equal(out, again)
    np.testing.assert_array_equal(batch, before)
    assert len(out) == len(batch)
    if chain.kind != "text":
        assert (out.shape, out.dtype) == (batch.shape, batch.dtype)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_that_never_happens_leaves_everything(name, made):
    settings = Augment([made(name)]).to_json()[0] | {"chance": 0}
    chain = Augment.from_json([settings])
    out, batch = applied(chain, 2)
    if chain.kind == "audio":  # a transform there and back, and full scale
        expected = batch / np.abs(batch).max(axis=1, keepdims=True, initial=1.0)
        np.testing.assert_allclose(out, expected, atol=2e-6)
    else:
        np.testing.assert_array_equal(out, batch)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_written_down_and_read_again(name, made):
    chain = Augment([made(name)])
    written = json.loads(json.dumps(chain.to_json()))
    assert Augment.from_json(written) == chain
    assert Augment.from_json(written).to_json() == written


@pytest.mark.parametrize("name", STEPS)
def test_a_chance_above_one_is_refused(name, made):
    with pytest.raises(LinnetError, match="a chance is from 0 to 1"):
        Augment.from_json([Augment([made(name)]).to_json()[0] | {"chance": 1.5}])


def test_what_is_louder_than_full_scale_is_turned_down_as_a_whole():
    batch = np.stack([np.linspace(-0.5, 0.5, 100), np.linspace(-0.1, 0.1, 100)]).astype(np.float32)
    out = Augment([Gain(12, 12)])(batch, 8000, generator(seed=0, epoch=0, batch=0))
    assert np.abs(out[0]).max() == pytest.approx(1)
    np.testing.assert_allclose(out[0] / out[0].max(), batch[0] / batch[0].max(), atol=1e-6)
    assert np.abs(out[1]).max() == pytest.approx(0.398, abs=0.001)


def test_steps_of_images_are_taken_in_their_order():
    image = np.arange(120, dtype=np.uint8).reshape(1, 12, 10, 1)
    brighter = Colour(brightness=0.5, contrast=0, chance=1)
    rng = [generator(seed=4, epoch=0, batch=0) for _ in range(2)]
    chain = Augment([Flip(1.0), brighter, Flip(1.0)])(image, None, rng[0])
    rng[1].random(1)
    np.testing.assert_array_equal(chain, brighter(image[:, :, ::-1], None, rng[1])[:, :, ::-1])


@pytest.mark.parametrize("name", PRESETS)
def test_json_there_and_back(name):
    text = json.dumps(PRESETS[name].to_json())
    assert Augment.from_json(json.loads(text)) == PRESETS[name]


def test_json_may_leave_out_what_is_usual():
    assert Augment.from_json([{"step": "noise", "low_snr_db": 0}]) == Augment([Noise(low_snr_db=0)])


@pytest.mark.parametrize(("value", "words"), [
    ([{"step": "nois"}], "did you mean 'noise'"), ([{"low_db": 1}], "unknown augmentation step"),
    ([{"step": "gain", "low": 1}], "unknown setting of 'gain' 'low'"),
    ([{"step": "gain", "low_db": "loud"}], "a setting is of the wrong kind"),
    ([{"step": "background"}], "'source'"), (["gain"], "written {'step': 'gain'"), ({"step": "gain"}, "a list"),
    ([{"step": "background", "source": "fsdd", "_dataset": 1}], "unknown setting of 'background'"),
    ([{"step": "gain"}, {"step": "move"}], "gain for recordings and move for images; use steps of one kind"),
    ([{"step": "typos"}, {"step": "move"}], "typos for texts and move for images")])
def test_json_that_makes_no_sense_is_refused(value, words):
    with pytest.raises(LinnetError, match=words):
        Augment.from_json(value)


def test_what_is_no_step_is_refused():
    for wrong in (["gain"], [Augment([])], "gain", Noise()):
        with pytest.raises(LinnetError, match=r"Augment takes a list of steps"):
            Augment(wrong)


def test_some_steps_keep_every_sound_in_its_place():
    cutting = [Shift(), Crop(), Speed(), Tempo()]
    assert Augment([Noise(), *cutting]).moving == ("shift", "crop", "speed", "tempo")
    assert PRESETS["transcription"].moving == PRESETS["specaugment"].moving == ()
    assert PRESETS["speech"].moving == ("speed", "tempo", "crop", "shift")


@pytest.mark.parametrize("samples", [1, 7, 300, 4001])
def test_transcription_takes_recordings_of_any_length(samples):
    batch = np.random.default_rng(0).uniform(-0.5, 0.5, (3, samples)).astype(np.float32)
    out = PRESETS["transcription"](batch, 8000, generator(seed=0, epoch=0, batch=0))
    assert out.shape == batch.shape
    assert np.isfinite(out).all()


def test_the_wrong_kind_of_batch_is_refused():
    rng = generator(seed=0, epoch=0, batch=0)
    with pytest.raises(LinnetError, match="for recordings"):
        PRESETS["speech"](IMAGES, 8000, rng)
    with pytest.raises(LinnetError, match="for images"):
        PRESETS["handwriting"](SPEECH, None, rng)
    with pytest.raises(LinnetError, match="for texts"):
        PRESETS["texts"](SPEECH, 8000, rng)
    with pytest.raises(LinnetError, match=r"speed, .* for recordings; the samples are texts\. Steps for these: word_"):
        PRESETS["speech"].on_texts(TEXTS, rng)


def test_steps_for_something_else_are_refused_before_the_first_batch():
    for name, kind in (("speech", "audio"), ("photographs", "image"), ("texts", "text")):
        PRESETS[name].check(kind)
        Augment([]).check(kind)
        for other in {"audio", "image", "text", "table"} - {kind}:
            with pytest.raises(LinnetError, match="Steps for these"):
                PRESETS[name].check(other)
    Augment([Codec("opus")]).check("audio", 16000)
    with pytest.raises(LinnetError, match="opus takes recordings at 8000, 12000"):
        Augment([Codec("opus")]).check("audio", 22050)


def test_an_empty_batch_and_no_steps():
    assert PRESETS["speech"](SPEECH[:0], 8000, generator(seed=0, epoch=0, batch=0)).shape == (0, 6000)
    assert PRESETS["photographs"](IMAGES[:0], None, generator(seed=0, epoch=0, batch=0)).shape == (0, 12, 10, 3)
    assert PRESETS["texts"].on_texts([], generator(seed=0, epoch=0, batch=0)) == []
    assert Augment([])(SPEECH, 8000, generator(seed=0, epoch=0, batch=0)) is SPEECH
    assert Augment([]).kind is None
    assert Augment([WordDropout()]).kind == "text"


def test_twenty_thousand_small_photographs_take_well_below_two_seconds():
    images = np.random.default_rng(0).integers(0, 256, (2048, 32, 32, 3), np.uint8)
    chain = Augment([PaddedCrop(), Flip()])
    start = time.process_time()
    for batch in range(16):
        chain(images[128 * batch:128 * (batch + 1)], None, generator(seed=0, epoch=0, batch=batch))
    assert (time.process_time() - start) * 20000 / 2048 < 1


def test_a_lone_geometric_step_and_one_in_company_draw_the_same():
    rng = [generator(seed=4, epoch=0, batch=0) for _ in range(2)]
    np.testing.assert_array_equal(Augment([Flip()])(IMAGES, None, rng[0]),
                                  Augment([Flip(), Move(0)])(IMAGES, None, rng[1]))


def test_every_step_and_preset_is_on_its_page():
    page = (Path(__file__).parents[2] / "docs" / "augmentation.md").read_text(encoding="utf-8")
    assert [name for name in (*STEPS, *PRESETS) if f"`{name}`" not in page] == []
