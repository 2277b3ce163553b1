"""The pictures that are made as time goes by are those of the plain recursions, and know no future."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from linnet.nn.loudness import CAUSAL, NORMALISATIONS, POWER_FLOOR, Pcen, Running, running_mean

HOP_S = 0.01


def power(frames: int, batch: int = 2, bands: int = 3) -> torch.Tensor:
    """From the floor to far above, in steps that a recursion has to follow."""
    generator = torch.Generator().manual_seed(0)
    return torch.exp(8 * torch.randn(batch, frames, bands, generator=generator)).clamp(POWER_FLOOR, 1e7)


@pytest.mark.parametrize("frames", [1, 5, 127, 128, 129, 300, 2000])
def test_a_running_mean_is_that_of_the_recursion(frames: int) -> None:
    x, rate = power(frames).clamp(max=10), 0.025
    mean, expected = x[:, 0].double(), []
    for frame in x.double().unbind(dim=1):
        mean = np.exp(-rate) * mean + (1 - np.exp(-rate)) * frame
        expected.append(mean)
    torch.testing.assert_close(running_mean(x, rate).double(), torch.stack(expected, dim=1), rtol=1e-5, atol=1e-7)


def test_a_running_mean_of_many_frames_stays_finite() -> None:
    assert torch.isfinite(running_mean(power(40_000, batch=1), rate=0.3)).all()


@pytest.mark.parametrize("frames", [1, 7, 98, 2000])
def test_pcen_is_what_the_paper_says(frames: int) -> None:
    energy = power(frames).clamp(max=1e3)
    x = energy.double().numpy() - POWER_FLOOR
    mean, rows = x[:, 0], []
    for frame in range(frames):
        mean = 0.975 * mean + 0.025 * x[:, frame]
        rows.append((x[:, frame] / (1e-6 + mean) ** 0.98 + 2) ** 0.5 - 2**0.5)
    picture = Pcen(3, HOP_S)(energy).detach().numpy()
    np.testing.assert_allclose(picture, np.stack(rows, axis=1), rtol=1e-3, atol=1e-5)


def test_pcen_learns_its_own_gain_bias_and_root() -> None:
    layer = Pcen(3, HOP_S)
    layer(power(20).clamp(max=10)).sum().backward()
    assert [name for name, value in layer.named_parameters() if value.grad is not None and value.grad.any()] == [
        "log_gain", "log_bias", "log_root"]


def running(levels: NDArray[np.float64], hop_s: float) -> NDArray[np.float64]:
    """The recursion of the docstring."""
    loudest, rows = np.full(len(levels), log(POWER_FLOOR) + 6 * log(10)), []
    for frame in range(levels.shape[1]):
        loudest = np.maximum(loudest - 0.6 * log(10) * hop_s, levels[:, frame].max(axis=1))
        loudest = np.maximum(loudest, log(POWER_FLOOR) + 6 * log(10))
        rows.append(np.maximum(0, (levels[:, frame] - loudest[:, None]) / (6 * log(10)) + 1))
    return np.stack(rows, axis=1)


@pytest.mark.parametrize(("frames", "hop_s"), [(1, 0.01), (98, 0.01), (4000, 0.01), (400, 0.5)])
def test_running_is_the_loudest_so_far_forgotten_by_and_by(frames: int, hop_s: float) -> None:
    levels = power(frames)
    expected = running(torch.log(levels.double()).numpy(), hop_s)
    np.testing.assert_allclose(Running(hop_s)(levels).numpy(), expected, atol=1e-5)


def test_one_loud_moment_is_forgotten_in_seconds_not_at_once() -> None:
    levels = torch.full((1, 2000, 1), 1e-2)
    levels[0, 10] = 1e4
    picture = Running(HOP_S)(levels)[0, :, 0]
    assert picture[[10, 11]].tolist() == pytest.approx([1, 0], abs=2e-3)  # 60 dB below what was just heard
    assert picture[510].item() == pytest.approx(0.5, abs=0.01)  # 5 s later, 30 dB are forgotten
    assert picture[1999].item() == pytest.approx(1)


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("frames", [98, 300])
def test_the_causal_ones_know_no_future_and_the_others_do(name: str, frames: int) -> None:
    past = power(frames)
    other = past.clone()
    other[:, 60:] = 1e8
    layer = NORMALISATIONS[name](3, HOP_S)
    one, two = layer(past), layer(other)
    assert torch.equal(one[:, :60], two[:, :60]) is (name in CAUSAL)
    assert not torch.equal(one[:, 60:], two[:, 60:])
