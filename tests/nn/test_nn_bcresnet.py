"""Sizes as in the paper."""

from __future__ import annotations

import pytest

from linnet import nn, tasks


def words(labels: int) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": [str(n) for n in range(labels)],
                            "choice": "one", "takes": {"kind": "audio_window", "column": "x", "sample_rate_hz": 16000,
                                                       "samples": 16000}})


@pytest.mark.parametrize(("width", "thousands"), [(8, 9.2), (16, 27.3), (24, 54.2), (48, 188), (64, 321)])
def test_it_is_as_large_as_in_table_3(width: int, thousands: float) -> None:
    assert nn.zoo.bcresnet(words(12), width=width).parameters_count / 1000 == pytest.approx(thousands, rel=0.01)


def test_time_keeps_its_resolution_and_bands_are_gathered_at_the_end() -> None:
    layers = nn.zoo.bcresnet(words(12)).spec["layers"]
    blocks = [layer for layer in layers if layer["kind"] == "broadcast"]
    assert [block["bands"] for block in blocks] == 2 * [20] + 2 * [10] + 4 * [5] + 4 * [5]
    assert [block["dilation"] for block in blocks] == 2 * [1] + 2 * [2] + 4 * [4] + 4 * [8]
