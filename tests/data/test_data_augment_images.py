"""Where a bright spot goes tells what a step did to an image."""

import numpy as np
import pytest

from linnet.data.augment import Augment, Flip, Move, ResizedCrop, Rotate, Zoom
from linnet.errors import LinnetError


def rng(seed=0):
    return np.random.default_rng(seed)


def spot(x, y, *, size=41, rows=1, channels=1):
    image = np.zeros((rows, size, size, channels), np.uint8)
    image[:, y - 1:y + 2, x - 1:x + 2] = 250
    return image


def centre(image):
    weight = image[..., 0].astype(float)
    y, x = np.mgrid[:weight.shape[1], :weight.shape[2]]
    total = weight.sum(axis=(1, 2))
    return (weight * x).sum(axis=(1, 2)) / total, (weight * y).sum(axis=(1, 2)) / total


def test_move_goes_no_further_than_its_share_in_both_directions():
    x, y = centre(Move(0.2)(spot(20, 20, rows=300), None, rng()))
    for place in (x, y):
        assert np.abs(place - 20).max() <= 0.2 * 41 + 0.01
        assert place.min() < 14
        assert place.max() > 26


def test_rotate_turns_around_the_middle():
    x, y = centre(Rotate(90, 90)(spot(30, 20), None, rng()))
    assert (x[0], abs(y[0] - 20)) == pytest.approx((20, 10), abs=0.1)
    x, y = centre(Rotate(30, 30)(spot(32, 20), None, rng()))
    assert np.hypot(x[0] - 20, y[0] - 20) == pytest.approx(12, abs=0.1)
    assert abs(np.degrees(np.arctan2(y[0] - 20, x[0] - 20))) == pytest.approx(30, abs=0.5)


def test_zoom_enlarges_by_its_factor():
    x, _ = centre(Zoom(1.5, 1.5)(spot(28, 20), None, rng()))
    assert x[0] - 20 == pytest.approx(12, abs=0.1)


def test_flip_is_exact():
    image = rng().integers(0, 256, (5, 7, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(Flip(1.0)(image, None, rng()), image[:, :, ::-1])


def test_a_resized_crop_shows_the_share_of_the_area_asked_for():
    ramp = np.zeros((400, 50, 50, 2), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(50)[:, None] * 5, np.arange(50)[None] * 5
    out = ResizedCrop(0.25, 0.5, 0.75, 1.33)(ramp, None, rng())
    height = (out[:, -1, 0, 0].astype(float) - out[:, 0, 0, 0]) / 245
    width = (out[:, 0, -1, 1].astype(float) - out[:, 0, 0, 1]) / 245
    assert (height * width).min() == pytest.approx(0.25, abs=0.02)
    assert (height * width).max() == pytest.approx(0.5, abs=0.02)
    assert (width / height).min() == pytest.approx(0.75, abs=0.05)
    assert (width / height).max() == pytest.approx(1.33, abs=0.05)
    assert out[:, 0, 0, 0].min() <= 2
    assert out[:, -1, 0, 0].max() >= 243


def test_a_crop_larger_than_the_image_is_refused():
    with pytest.raises(LinnetError, match="at most the whole image"):
        ResizedCrop(0.5, 1.5)


@pytest.mark.parametrize("step", [Move, Rotate, Zoom, Flip, ResizedCrop])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_step_that_never_happens_leaves_every_pixel(step, channels):
    image = rng().integers(0, 256, (5, 28, 27, channels)).astype(np.uint8)
    out = step(chance=0)(image, None, rng())
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, image)


def test_moves_that_follow_each_other_are_read_once_and_agree_with_one_after_the_other():
    image = spot(26, 16)
    together = centre(Augment([Rotate(90, 90), Zoom(0.5, 0.5)])(image, None, rng()))
    apart = centre(Zoom(0.5, 0.5)(Rotate(90, 90)(image, None, rng()), None, rng()))
    assert np.allclose(together, apart, atol=0.3)


def test_beyond_the_edge_is_the_edge():
    image = np.full((1, 9, 9, 1), 200, np.uint8)
    assert (Move(0.5)(image, None, rng()) == 200).all()
