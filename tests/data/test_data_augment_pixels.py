"""Crops keep pixels, colours change as their names say, erased places are where and as large as asked."""

import numpy as np
import pytest

from linnet.data.augment import Colour, Erase, PaddedCrop
from linnet.data.augment.pixels import LUMA, coloured
from linnet.errors import LinnetError


def rng(seed=0):
    return np.random.default_rng(seed)


def photographs(rows=6, height=20, width=24, channels=3):
    """Smooth colours between 60 and 190, so that nothing is cut off at 0 or 255."""
    y, x = np.mgrid[:height, :width]
    phase = rng(3).uniform(0, 6, (rows, 1, 1, channels))
    return (125 + 60 * np.sin(y[..., None] / 7 + x[..., None] / 5 + phase)).astype(np.uint8)


def only(batch, **far):
    """Colour with everything at 0 but what is given."""
    return Colour(**({"brightness": 0, "contrast": 0, "saturation": 0, "hue_degrees": 0, "chance": 1} | far))(
        batch, None, rng())


def test_a_padded_crop_is_a_shift_by_whole_pixels_up_to_its_share():
    batch = photographs(rows=200, height=16, width=24)
    out = PaddedCrop(0.25, edges="black")(batch, None, rng())
    shifts = set()
    for before, after in zip(batch, out, strict=True):
        wide = np.pad(before, ((4, 4), (6, 6), (0, 0)))
        found = [(y, x) for y in range(9) for x in range(13) if (wide[y:y + 16, x:x + 24] == after).all()]
        assert found
        shifts |= set(found)
    assert {y for y, _ in shifts} == set(range(9))
    assert {x for _, x in shifts} == set(range(13))


@pytest.mark.parametrize(("edges", "beyond"), [("reflect", [2, 1]), ("edge", [0, 0]), ("black", [0, 0])])
def test_what_lies_beyond_the_edge(edges, beyond):
    ramp = np.tile(np.arange(8, dtype=np.uint8), (300, 8, 1))[..., None]
    out = PaddedCrop(0.25, edges=edges)(ramp, None, rng())
    furthest = out[out[:, 4, 2, 0] == 0]
    assert len(furthest)
    np.testing.assert_array_equal(furthest[0, 4, :2, 0], beyond)


def test_brightness_is_a_factor():
    batch = photographs(rows=300)
    ratio = (only(batch, brightness=0.2) / batch.astype(float)).mean(axis=(1, 2, 3))
    assert ratio.min() == pytest.approx(0.8, abs=0.02)
    assert ratio.max() == pytest.approx(1.2, abs=0.02)
    assert (np.std(only(batch, brightness=0.2) / batch.astype(float), axis=(1, 2, 3)) < 0.01).all()


def test_contrast_keeps_the_mean_and_changes_the_spread():
    batch = photographs(rows=300)
    out = only(batch, contrast=0.5).astype(float)
    np.testing.assert_allclose((out @ LUMA).mean(axis=(1, 2)), (batch @ LUMA).mean(axis=(1, 2)), atol=1.5)
    spread = out.std(axis=(1, 2, 3)) / batch.std(axis=(1, 2, 3))
    assert spread.min() < 0.6
    assert spread.max() > 1.4


def test_saturation_and_hue_keep_how_bright_each_pixel_is():
    batch = photographs(rows=50)
    for out in (only(batch, saturation=0.5), only(batch, hue_degrees=40)):
        assert np.abs(out.astype(float) - batch).max() > 5
        np.testing.assert_allclose(out @ LUMA, batch @ LUMA, atol=2)


def test_no_saturation_is_grey_and_a_third_of_a_turn_exchanges_colours():
    batch, one = photographs(rows=1), np.ones(1, np.float32)
    grey = coloured(batch, one, one, 0 * one, degrees=np.zeros(1))
    assert (np.ptp(grey.astype(int), axis=3) <= 1).all()
    red = np.full((1, 2, 2, 3), (160, 80, 80), np.uint8)
    turned = coloured(red, one, one, one, degrees=np.full(1, 120.0))[0, 0, 0]
    assert turned.argmax() != 0


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels_change_in_brightness_and_contrast_only(channels):
    batch = photographs(channels=channels)
    np.testing.assert_array_equal(only(batch, saturation=0.9, hue_degrees=90), batch)
    assert (only(batch, brightness=0.5) != batch).any()


@pytest.mark.parametrize("fill", ["mean", "black", "noise"])
def test_what_is_erased_is_a_rectangle_of_the_size_asked_for(fill):
    batch = np.full((300, 20, 40, 3), 200, np.uint8)
    batch[:, ::2] = 100
    out = Erase(0.25, 0.5, fill=fill)(batch, None, rng())
    gone = (out != batch).any(axis=3)
    rows, columns = gone.any(axis=2), gone.any(axis=1)
    assert rows.sum(axis=1).max() == 10
    assert columns.sum(axis=1).max() == 20
    assert (gone.sum(axis=(1, 2)) <= rows.sum(axis=1) * columns.sum(axis=1)).all()
    assert abs(columns.mean(axis=0) - columns.mean(axis=0)[::-1]).max() < 0.15
    inside = out[gone]
    if fill == "mean":
        assert (inside == 150).all()
    elif fill == "black":
        assert (inside == 0).all()
    else:
        assert inside.std() == pytest.approx(74, abs=2)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: PaddedCrop(edges="wrap"), "unknown kind of edges 'wrap'"), (lambda: PaddedCrop(0.6), "the range goes"),
    (lambda: Erase(fill="grey"), "unknown fill 'grey'"), (lambda: Erase(0.5, 0.2), "the range goes from 0.5 to 0.2"),
    (lambda: Colour(brightness=1.5), "the range goes from 1.5 to 1")])
def test_settings_that_make_no_sense_are_refused(make, words):
    with pytest.raises(LinnetError, match=words):
        make()
