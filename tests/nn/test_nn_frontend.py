"""The log-mel layer against SciPy in float64, and what it promises for odd inputs."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import scipy.fft
import scipy.signal
import torch
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.graph import to_graph
from linnet.nn import LogMel, Model
from linnet.nn.loudness import NORMALISATIONS

TOLERANCE = 1e-5
"""Of the picture, whose values lie between 0 and 1 (60 dB): float32 against float64."""


def reference(front: LogMel, waveform: NDArray[np.float32], lowest_hz: float = 60.0) -> NDArray[np.float64]:
    """The same definition in the plainest words: frames, window, DFT, triangles, decibels below the loudest."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform.astype(np.float64), front.window, axis=1)
    frames = frames[:, :: front.hop][:, : front.frames]
    power = np.abs(scipy.fft.rfft(frames * scipy.signal.get_window("hann", front.window))) ** 2
    hertz = scipy.fft.rfftfreq(front.window, 1 / front.sample_rate_hz)[:, None]
    low, high = (2595 * np.log10(1 + f / 700) for f in (lowest_hz, front.sample_rate_hz / 2))
    edges = 700 * (10 ** (np.linspace(low, high, front.bands + 2) / 2595) - 1)
    rising, falling = (hertz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hertz) / np.diff(edges)[1:]
    decibels = 10 * np.log10(np.maximum(power @ np.maximum(0, np.minimum(rising, falling)), 1e-10))
    loudest = np.maximum(decibels.max(axis=(1, 2), keepdims=True), -40)
    return np.maximum(0, (decibels - loudest) / 60 + 1)


def waveform(samples: int, batch: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    chirp = scipy.signal.chirp(np.arange(samples) / samples, 5, 1, samples / 3)
    return (0.3 * chirp + 0.01 * rng.standard_normal((batch, samples))).astype(np.float32)


@pytest.mark.parametrize(("rate", "samples", "options"), [
    (8000, 8000, {}),
    (16000, 16000, {}),
    (11025, 9001, {}),
    (16000, 5000, {"hops_per_window": 2, "hop_ms": 16, "bands": 30}),
    (8000, 4000, {"hops_per_window": 4, "hop_ms": 8, "bands": 64}),
    (8000, 240, {}),
])
def test_it_is_what_scipy_computes(rate: int, samples: int, options: dict[str, float]) -> None:
    front = LogMel(rate, samples, **options)
    sound = waveform(samples)
    picture = front(torch.from_numpy(sound)).numpy()
    assert picture.shape == (2, 1, front.frames, front.bands)
    np.testing.assert_allclose(picture[:, 0], reference(front, sound), atol=TOLERANCE)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_silence_is_finite_and_zero(normalisation: str) -> None:
    picture = LogMel(8000, 8000, normalisation=normalisation)(torch.zeros(1, 8000))
    assert picture.abs().max() < 1e-6


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_full_scale_is_finite(normalisation: str) -> None:
    square = torch.sign(torch.sin(torch.arange(8000) / 5)).unsqueeze(0)
    assert torch.isfinite(LogMel(8000, 8000, normalisation=normalisation)(square)).all()


def test_loudness_does_not_count_below_the_maximum_but_does_absolutely() -> None:
    sound = torch.from_numpy(waveform(8000))
    for name, same in (("below_maximum", True), ("absolute", False)):
        front = LogMel(8000, 8000, normalisation=name)
        assert torch.allclose(front(sound), front(sound / 8), atol=1e-4) is same


def test_a_tone_sounds_in_its_own_band() -> None:
    front = LogMel(16000, 16000)
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000).unsqueeze(0)
    loudest = int(front(tone)[0, 0].mean(dim=0).argmax())
    assert front.edges_hz[loudest] < 1000 < front.edges_hz[loudest + 2]


def test_the_constants_are_no_part_of_the_weights() -> None:
    assert not LogMel(8000, 8000).state_dict()


@pytest.mark.parametrize("normalisation", ["absolute", "pcen", "running"])
def test_no_frame_hears_what_comes_after_its_window(normalisation: str) -> None:
    front = LogMel(8000, 8000, normalisation=normalisation)
    past = torch.from_numpy(waveform(8000))
    other = past.clone()
    other[:, 5000:] = torch.sign(torch.sin(torch.arange(3000) / 3))
    whole = (5000 - front.window) // front.hop + 1
    one, two = front(past), front(other)
    assert torch.equal(one[:, :, :whole], two[:, :, :whole])
    assert not torch.allclose(one[:, :, whole], two[:, :, whole])


@pytest.mark.parametrize("samples", [80, 100, 240, 4321, 8000])
def test_any_length_gives_a_frame_a_hop_and_the_frames_of_the_fixed_length(samples: int) -> None:
    sound = torch.from_numpy(waveform(samples))
    picture = LogMel(8000, None, normalisation="absolute")(sound)
    assert picture.shape == (2, 1, samples // 80, 40)
    if samples >= 240:
        fixed = LogMel(8000, samples, normalisation="absolute")(sound)
        torch.testing.assert_close(picture[:, :, : fixed.shape[2]], fixed, atol=1e-6, rtol=0)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_padding_changes_no_frame_that_counts(normalisation: str) -> None:
    front = LogMel(8000, None, normalisation=normalisation)
    sound, lengths = torch.from_numpy(waveform(8000)), torch.tensor([8000, 4321])
    sound[1, 4321:] = 0
    counts = front.counts(lengths).tolist()
    assert counts == [100, 54]
    together = front(sound)
    for row, count in enumerate(counts):
        alone = front(sound[row : row + 1, : lengths[row]])
        assert alone.shape[2] == count
        torch.testing.assert_close(together[row : row + 1, :, :count], alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_any_length_ships_without_a_loop(normalisation: str) -> None:
    front = LogMel(8000, None, normalisation=normalisation).eval()
    spec = {"inputs": [{"name": "audio", "dtype": "float32", "shape": [None]}], "layers": [],
            "output": {"name": "picture", "shape": [1, None, 40]}}
    module = torch.nn.Sequential()
    module.add_module("front", front)
    graph = to_graph(Model(module, spec))
    assert not {node.op_type for node in graph.graph.node} & {"Scan", "Loop", "If"}
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for samples in (80, 100, 240, 1600, 4321, 24_000):
        sound = waveform(samples)
        with torch.no_grad():
            expected = front(torch.from_numpy(sound)).numpy()
        np.testing.assert_allclose(session.run(None, {"audio": sound})[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"samples": 100}, "shorter than one window of 240 samples"),
    ({"normalisation": "below_maximun"}, "did you mean 'below_maximum'"),
    ({"hops_per_window": 1}, "hops_per_window must be 2 or more"),
    ({"bands": 100}, "too many for a resolution of 33.3 Hz"),
])
def test_what_cannot_be_computed_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        LogMel(**{"sample_rate_hz": 8000, "samples": 8000, **arguments})
