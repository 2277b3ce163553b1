"""What the log-mel front end costs on one thread, beside the ways that are usually taken: python bench/frontend.py.

One second of audio, 40 bands, from the waveform to the normalised picture, all to the same result. Runs are
interleaved; times are medians of CPU time, ratios medians of the ratios of neighbouring runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import scipy.fft
import scipy.signal
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from linnet.export.compact import compact
from linnet.export.graph import to_graph
from linnet.nn import LogMel, Model

Floats = NDArray[np.float32]
_REFERENCE = "strided convolution"


def main() -> None:
    """Print a table a sample rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    print(f"onnxruntime {onnxruntime.__version__}, one thread, {runs} interleaved runs")
    for sample_rate_hz in (8000, 16000):
        front = LogMel(sample_rate_hz, sample_rate_hz)
        print(f"\n1 s at {sample_rate_hz} Hz, window {front.window}, hop {front.hop}, {front.frames} frames")
        print(f"{'':24}{'CPU ms':>10}{'ratio':>8}{'bytes':>10}{'difference':>12}")
        _table(front, runs)


def _table(front: LogMel, runs: int) -> None:
    noise = np.random.default_rng(0).standard_normal((1, front.sample_rate_hz))
    waveform = (0.1 * noise).astype(np.float32)
    files = {_REFERENCE: _convolution(front), "ONNX STFT": _stft(front), "linnet": _ours(front)}
    ways = {name: _session(content, waveform) for name, content in files.items()}
    ways["scipy float32"] = lambda: _scipy(front, waveform)
    times = _measure(ways, runs)
    exact = _scipy(front, waveform.astype(np.float64))
    for name, way in ways.items():
        ratio = np.median(times[name] / times[_REFERENCE])
        size = len(files[name]) if name in files else 0
        picture = way().reshape(exact.shape) if name != _REFERENCE else way().transpose(0, 2, 1)
        difference = np.abs(picture - exact).max()
        print(f"{name:24}{np.median(times[name]) / 1e6:10.3f}{ratio:8.2f}{size or '-':>10}{difference:12.1e}")


def _measure(ways: dict[str, Callable[[], Floats]], runs: int) -> dict[str, NDArray[np.float64]]:
    times: dict[str, list[int]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            start = time.process_time_ns()
            way()
            times[name].append(time.process_time_ns() - start)
    return {name: np.array(values[runs // 10 :], dtype=np.float64) for name, values in times.items()}


def _session(content: bytes, waveform: Floats) -> Callable[[], Floats]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda: np.asarray(session.run(None, {"audio": waveform})[0])


def _ours(front: LogMel) -> bytes:
    module = torch.nn.Sequential()
    module.add_module("front", front)
    spec = {"inputs": [{"name": "audio", "dtype": "float32", "shape": [front.sample_rate_hz]}],
            "output": {"name": "picture", "shape": [1, front.frames, front.bands]}, "layers": []}
    return bytes(compact(to_graph(Model(module, spec))).SerializeToString())


def _convolution(front: LogMel) -> bytes:
    """The windowed DFT as a convolution whose kernel is the window and whose stride is the hop."""
    angle = 2 * np.pi / front.window * np.arange(front.window // 2 + 1)[:, None] * np.arange(front.window)
    basis = np.concatenate([np.cos(angle), np.sin(angle)]) * scipy.signal.get_window("hann", front.window)
    constants = {"axis": np.array([1]), "basis": basis[:, None].astype(np.float32),
                 "filters": _filters(front).T.astype(np.float32)}
    nodes = [helper.make_node("Unsqueeze", ["audio", "axis"], ["channel"]),
             helper.make_node("Conv", ["channel", "basis"], ["parts"], strides=[front.hop]),
             helper.make_node("Split", ["parts"], ["real", "imaginary"], axis=1, num_outputs=2),
             helper.make_node("Mul", ["real", "real"], ["real2"]),
             helper.make_node("Mul", ["imaginary", "imaginary"], ["imaginary2"]),
             helper.make_node("Add", ["real2", "imaginary2"], ["power"]),
             helper.make_node("MatMul", ["filters", "power"], ["mel"])]
    return _graph(front, nodes, constants)


def _stft(front: LogMel) -> bytes:
    """The operator that ONNX has for it."""
    constants = {"axis": np.array([2]), "hop": np.array(front.hop), "length": np.array(front.window),
                 "window": scipy.signal.get_window("hann", front.window).astype(np.float32), "last": np.array([3]),
                 "filters": _filters(front).astype(np.float32)}
    nodes = [helper.make_node("Unsqueeze", ["audio", "axis"], ["signal"]),
             helper.make_node("STFT", ["signal", "hop", "window", "length"], ["parts"]),
             helper.make_node("ReduceSumSquare", ["parts", "last"], ["power"], keepdims=0),
             helper.make_node("MatMul", ["power", "filters"], ["mel"])]
    return _graph(front, nodes, constants)


def _graph(front: LogMel, nodes: list[onnx.NodeProto], constants: dict[str, NDArray[np.generic]]) -> bytes:
    """The nodes that lead to "mel", then logarithm and normalisation."""
    nodes += [helper.make_node("Clip", ["mel", "floor"], ["clipped"]), helper.make_node("Log", ["clipped"], ["level"]),
              helper.make_node("ReduceMax", ["level", "both"], ["loudest"]),
              helper.make_node("Sub", ["level", "loudest"], ["below"]),
              helper.make_node("Mul", ["below", "scale"], ["scaled"]),
              helper.make_node("Add", ["scaled", "one"], ["raised"]), helper.make_node("Relu", ["raised"], ["picture"])]
    constants |= {"floor": np.float32(1e-10), "both": np.array([1, 2]), "scale": np.float32(1 / np.log(1e6)),
                  "one": np.float32(1)}
    stored = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    waveform = helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", front.sample_rate_hz])
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "front", [waveform], [picture], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(model.SerializeToString())


def _scipy(front: LogMel, waveform: NDArray[np.floating]) -> NDArray[np.floating]:
    frames = np.lib.stride_tricks.sliding_window_view(waveform, front.window, axis=1)[:, :: front.hop]
    spectrum = scipy.fft.rfft(frames * scipy.signal.get_window("hann", front.window).astype(waveform.dtype))
    power = (spectrum.real**2 + spectrum.imag**2) @ _filters(front).astype(waveform.dtype)
    level = np.log(np.maximum(power, waveform.dtype.type(1e-10)))
    return np.maximum((level - level.max(axis=(1, 2), keepdims=True)) / waveform.dtype.type(np.log(1e6)) + 1, 0)


def _filters(front: LogMel) -> NDArray[np.float64]:
    """(bins, bands), bins from zero to half the rate."""
    filters = np.zeros((front.window // 2 + 1, front.bands))
    filters[front.first_bin : front.window // 2] = front.filters.numpy()
    return filters


if __name__ == "__main__":
    main()
