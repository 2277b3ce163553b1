"""Widths and blocks as in the paper."""

from __future__ import annotations

import pytest

from linnet import nn, tasks


def images(side: int, labels: int) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": [str(n) for n in range(labels)],
                            "choice": "one", "takes": {"kind": "images", "column": "x", "shape": [side, side, 3]}})


@pytest.mark.parametrize(("width", "parameters"), [(1.0, 3_504_872), (1, 3_504_872), (0.5, 1_968_680)])
def test_it_is_as_large_as_everywhere(width: float, parameters: int) -> None:
    assert nn.zoo.mobilenet(images(224, 1000), width=width).parameters_count == parameters


def test_the_blocks_are_those_of_table_2() -> None:
    layers = {layer["name"]: layer for layer in nn.zoo.mobilenet(images(224, 10)).spec["layers"]}
    blocks = [layer for layer in layers.values() if layer.get("kind") == "inverted"]
    sizes = [16] + 2 * [24] + 3 * [32] + 4 * [64] + 3 * [96] + 3 * [160] + [320]
    assert [block["channels"] for block in blocks] == sizes
    halved = [block["name"] for block in blocks if block["stride"] == 2]
    assert halved == ["stage2_1", "stage3_1", "stage4_1", "stage6_1"]
    assert layers["stage3_1.expand"]["channels"] == 6 * 24
    assert "stage1_1.expand" not in layers


def test_small_images_shrink_eight_times() -> None:
    strides = [layer.get("stride", 1) for layer in nn.zoo.mobilenet(images(32, 10)).spec["layers"]]
    assert strides.count(2) == 3


def test_channels_are_multiples_of_eight_and_never_much_fewer_than_asked() -> None:
    for width in (0.1, 0.35, 0.75, 1.3):
        layers = nn.zoo.mobilenet(images(32, 10), width=width).spec["layers"]
        assert all(layer["channels"] % 8 == 0 for layer in layers)
        assert layers[0]["channels"] >= 0.9 * 32 * width
