"""Each operation of RandAugment does what Pillow's does, or what its name says."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from linnet.data.augment import RandAugment, randaugment
from linnet.data.augment.randaugment import OPERATIONS
from linnet.errors import LinnetError

PHOTOGRAPHS = np.random.default_rng(0).integers(30, 200, (4, 8, 8, 3)).astype(np.uint8).repeat(4, 1).repeat(4, 2)


def operated(name, signed, batch=PHOTOGRAPHS):
    """The whole batch through one operation."""
    apply = (randaugment._moved if name in randaugment._MOVING else
             randaugment._through_tables if name in randaugment._TABLES else randaugment._mixed)
    return apply(batch, np.full(len(batch), name), np.full(len(batch), signed, np.float32))


@pytest.mark.parametrize(("name", "of_pillow"), [
    ("auto_contrast", ImageOps.autocontrast), ("equalize", ImageOps.equalize)])
def test_tables_agree_with_pillow(name, of_pillow):
    rng = np.random.default_rng(1)
    many = np.clip(rng.normal(120, 30, (3, 96, 96, 3)), 40, 200).astype(np.uint8)
    expected = np.stack([np.asarray(of_pillow(Image.fromarray(image))) for image in many])
    off = np.abs(operated(name, 0.5, many).astype(int) - expected)
    assert off.max() <= (10 if name == "equalize" else 1)
    assert off.mean() < 2


def test_solarize_and_posterize():
    half = operated("solarize", 0.5)
    np.testing.assert_array_equal(half, np.where(PHOTOGRAPHS >= 128, 255 - PHOTOGRAPHS, PHOTOGRAPHS))
    np.testing.assert_array_equal(operated("posterize", 1.0), PHOTOGRAPHS // 16 * 16)


def test_brightness_contrast_and_saturation_go_both_ways():
    assert operated("brightness", 0.2).mean() > PHOTOGRAPHS.mean() > operated("brightness", -0.2).mean()
    assert operated("contrast", 0.2).std() > PHOTOGRAPHS.std() > operated("contrast", -0.2).std()
    spread = [np.ptp(operated("saturation", signed).astype(int), axis=3).mean() for signed in (-0.3, 0.3)]
    assert spread[0] < np.ptp(PHOTOGRAPHS.astype(int), axis=3).mean() < spread[1]


def test_sharpness_raises_edges_and_leaves_flat_places():
    sharper, softer = operated("sharpness", 0.8).astype(int), operated("sharpness", -0.8).astype(int)
    flat = np.s_[:, 5, 5]
    np.testing.assert_array_equal(sharper[flat], PHOTOGRAPHS[flat])
    edge = np.abs(np.diff(PHOTOGRAPHS.astype(int), axis=2)) > 40
    steps = [np.abs(np.diff(image, axis=2))[edge].mean() for image in (softer, PHOTOGRAPHS.astype(int), sharper)]
    assert steps[0] < steps[1] < steps[2]


def test_moving_operations_go_as_far_as_their_strength():
    spot = np.zeros((1, 31, 31, 1), np.uint8)
    spot[:, 15, 15] = 250
    y, x = (int(np.flatnonzero(operated(name, 0.3, spot)[0].any(axis=(axis, 2)))[0])
            for name, axis in (("move_y", 1), ("move_x", 0)))
    assert (y, x) == (11, 11)
    for name in ("rotate", "shear_x", "shear_y"):
        assert operated(name, 1.0, spot)[0, 15, 15, 0] == 250
        assert (operated(name, 1.0) != PHOTOGRAPHS).any()


def test_every_operation_occurs_and_the_strength_zero_changes_next_to_nothing(monkeypatch):
    seen = set()
    for name in ("_moved", "_through_tables", "_mixed"):
        real = getattr(randaugment, name)
        monkeypatch.setattr(randaugment, name, lambda batch, names, signed, real=real: (
            seen.update(names.tolist()), real(batch, names, signed))[1])
    many = np.repeat(PHOTOGRAPHS, 50, axis=0)
    RandAugment(count=1)(many, None, np.random.default_rng(0))
    assert seen | {"identity"} == set(OPERATIONS)


def test_more_operations_change_more():
    many = np.repeat(PHOTOGRAPHS, 50, axis=0)
    far = [np.abs(RandAugment(count, strength)(many, None, np.random.default_rng(0)).astype(int) - many).mean()
           for count, strength in ((1, 0.2), (1, 0.8), (3, 0.8))]
    assert far[0] < far[1] < far[2]


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels(channels):
    batch = np.random.default_rng(0).integers(0, 256, (60, 9, 11, channels)).astype(np.uint8)
    assert RandAugment()(batch, None, np.random.default_rng(0)).shape == batch.shape


@pytest.mark.parametrize(("settings", "words"), [({"count": 0}, "at least 1"), ({"strength": 2}, "the range goes")])
def test_settings_that_make_no_sense_are_refused(settings, words):
    with pytest.raises(LinnetError, match=words):
        RandAugment(**settings)
