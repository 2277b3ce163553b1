"""The log-mel frames in NumPy are those of the networks' front end, for whole recordings and for streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from numpy.typing import NDArray

from linnet import nn
from linnet.errors import LinnetError
from linnet.speech.features import Mel

RANGE = 6 * np.log(10)
SETTINGS: list[dict[str, Any]] = [
    {"sample_rate_hz": 8000}, {"sample_rate_hz": 16000, "bands": 64}, {"sample_rate_hz": 11025, "bands": 30},
    {"sample_rate_hz": 8000, "hop_ms": 8, "hops_per_window": 4, "bands": 64},
    {"sample_rate_hz": 16000, "hop_ms": 12.5, "lowest_hz": 100.0}]


def sound(samples: int) -> NDArray[np.float32]:
    chirp = scipy.signal.chirp(np.arange(samples) / samples, 5, 1, samples / 3)
    return (0.3 * chirp + 0.01 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("samples", [4321, 24_000])
def test_frames_are_those_of_the_front_end(settings: dict[str, Any], samples: int) -> None:
    front = nn.LogMel(samples=samples, normalisation="absolute", **settings)
    picture = front(torch.from_numpy(sound(samples))[None]).numpy()[0, 0]
    levels = Mel(**settings)(sound(samples))
    assert levels.dtype == np.float32
    np.testing.assert_allclose(np.maximum(0, levels / RANGE + 1), picture, atol=2e-5)


@pytest.mark.parametrize("settings", SETTINGS)
def test_frames_of_a_stream_are_those_of_the_causal_front_end(settings: dict[str, Any]) -> None:
    front = nn.LogMel(samples=None, normalisation="absolute", hops_per_step=1, **settings)
    whole = sound(3 * front.hop * 100)
    picture = front(torch.from_numpy(whole)[None]).numpy()[0, 0]
    levels = Mel(**settings).stream().update(whole)
    np.testing.assert_allclose(np.maximum(0, levels / RANGE + 1), picture, atol=2e-5)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("longest", [1, 100, 1000, 30_000])
def test_a_stream_in_any_chunks_gives_the_frames_of_the_whole(settings: dict[str, Any], longest: int) -> None:
    mel, whole, rng = Mel(**settings), sound(24_000 if longest > 1 else 1200), np.random.default_rng(1)
    stream, frames, start = mel.stream(), [], 0
    while start < len(whole):
        size = int(rng.integers(1, longest + 1))
        frames.append(stream.update(whole[start : start + size]))
        start += size
    expected = mel(np.pad(whole, (mel.window - mel.hop, 0)))
    assert np.concatenate(frames).shape == expected.shape == (len(whole) // mel.hop, mel.bands)
    np.testing.assert_allclose(np.concatenate(frames), expected, atol=1e-6, rtol=0)


def test_silence_and_full_scale_are_finite() -> None:
    assert Mel(8000)(np.zeros(800, np.float32)).max() == pytest.approx(np.log(1e-10), abs=1e-5)
    assert np.isfinite(Mel(8000)(np.sign(sound(8000)))).all()


def test_a_sound_shorter_than_a_window_has_no_frame() -> None:
    assert Mel(8000)(np.ones(239, np.float32)).shape == (0, 40)
    assert Mel(8000)(np.zeros(0, np.float32)).shape == (0, 40)
    assert Mel(8000)(np.ones(240, np.float32)).shape == (1, 40)


@pytest.mark.parametrize(("settings", "message"), [
    ({"bands": 100}, "100 bands are too many for a resolution of 33.3 Hz"),
    ({"hops_per_window": 1}, "hops_per_window must be 2 or more"),
])
def test_what_cannot_be_computed_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        Mel(8000, **settings)


def test_samples_of_another_kind_are_refused() -> None:
    for samples in (np.zeros((2, 800), np.float32), np.zeros(800, np.int16)):
        with pytest.raises(LinnetError, match="Divide 16-bit samples by 32768"):
            Mel(8000)(samples)
        with pytest.raises(LinnetError, match="Divide 16-bit samples by 32768"):
            Mel(8000).stream().update(samples)
