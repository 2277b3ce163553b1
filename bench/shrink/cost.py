"""The cost model against the clock: thirty random networks within a fourfold range of multiplications.

    python bench/shrink/cost.py [--networks 30] [--precision float|int8] [--seed 1000]

Networks are drawn from a seed: plain, separable and inverted blocks, residuals, widths from 8 to 160, images of 24 to
56 pixels. Predicted from counts and this machine's probes, which hold none of these networks; measured as processor
time of whole runs, one thread, the networks taking turns. Prints Spearman's correlation of both with it, with an
interval over the networks. The model's features were chosen while looking at the networks of seeds 0 and on; those of
1000 and on were not seen before the figures were taken.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from scipy.stats import spearmanr

from linnet import cost

LEAST, RANGE = 8_000_000, 4


class Network:
    """Writes one random network."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.macs = 0

    def conv(self, value: str, inputs: int, outputs: int, kernel: int, size: int, *, stride: int = 1, groups: int = 1,
             relu: bool = True) -> str:
        shape = (outputs, inputs // groups, kernel, kernel)
        for name, values in (("w", self.random.normal(size=shape) * 0.05), ("b", np.zeros(outputs))):
            self.constants.append(numpy_helper.from_array(values.astype(np.float32), f"{name}{len(self.nodes)}"))
        names = [value, f"w{len(self.nodes)}", f"b{len(self.nodes)}"]
        value = self.node("Conv", names, group=groups, pads=[kernel // 2] * 4, strides=[stride] * 2,
                          kernel_shape=[kernel] * 2)
        self.macs += int(np.prod(shape)) * (-(-size // stride)) ** 2
        return self.node("Relu", [value]) if relu else value

    def node(self, operator: str, inputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [f"v{len(self.nodes)}"], name=f"n{len(self.nodes)}",
                                           **attributes))
        return f"v{len(self.nodes) - 1}"

    def block(self, value: str, channels: int, size: int) -> tuple[str, int, int]:
        stride = int(self.random.choice([1, 1, 2])) if size > 8 else 1
        outputs = min(160, int(channels * self.random.choice([1, 1, 1.5, 2])))
        kind = self.random.choice(["plain", "separable", "inverted", "residual"])
        kernel = int(self.random.choice([3, 3, 5]))
        if kind == "plain":
            made = self.conv(value, channels, outputs, 3, size, stride=stride)
        elif kind == "separable":
            made = self.conv(value, channels, channels, kernel, size, stride=stride, groups=channels)
            made = self.conv(made, channels, outputs, 1, -(-size // stride))
        elif kind == "inverted":
            wide = channels * 3
            made = self.conv(value, channels, wide, 1, size)
            made = self.conv(made, wide, wide, kernel, size, stride=stride, groups=wide)
            made = self.conv(made, wide, outputs, 1, -(-size // stride), relu=False)
        else:
            stride, outputs = 1, channels
            made = self.conv(value, channels, channels, 3, size)
            made = self.conv(made, channels, channels, 3, size, relu=False)
            made = self.node("Relu", [self.node("Add", [made, value])])
        return made, outputs, -(-size // stride)

    def model(self) -> tuple[onnx.ModelProto, int]:
        size, channels = int(self.random.integers(24, 57)), int(self.random.integers(8, 41))
        start, made = size, self.conv("x", 3, channels, 3, size, stride=int(self.random.choice([1, 2])))
        size = -(-size // next(a.ints[0] for a in self.nodes[0].attribute if a.name == "strides"))
        for _ in range(int(self.random.integers(3, 10))):
            made, channels, size = self.block(made, channels, size)
        self.nodes.append(helper.make_node("GlobalAveragePool", [made], ["y"]))
        graph = helper.make_graph(self.nodes, "random", [helper.make_tensor_value_info("x", 1, [1, 3, start, start])],
                                  [helper.make_tensor_value_info("y", 1, None)], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), self.macs


def draw(count: int, seed: int = 0) -> list[tuple[bytes, int]]:
    """So many networks whose multiplications lie between LEAST and RANGE times that."""
    found: list[tuple[bytes, int]] = []
    while len(found) < count:
        model, macs = Network(seed).model()
        if LEAST <= macs <= RANGE * LEAST:
            found.append((model.SerializeToString(), macs))
        seed += 1
    return found


def eight_bits(content: bytes) -> bytes:
    """Our own post-training int8 of it, on noise."""
    from linnet.export.ptq import quantize
    from linnet.nn import Encoding

    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(content))
    shape = [part.dim_value for part in graph.graph.input[0].type.tensor_type.shape.dim]
    noise = np.random.default_rng(0).normal(size=[8, *shape[1:]]).astype(np.float32)
    return quantize(graph, {"x": noise}, Encoding(bits=8)).SerializeToString()


def measure(contents: list[bytes], rounds: int) -> np.ndarray:
    """Milliseconds of processor time a run: the lower quartile, the networks taking turns."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    sessions = [onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
                for content in contents]
    inputs = [{"x": np.random.default_rng(0).normal(size=session.get_inputs()[0].shape).astype(np.float32)}
              for session in sessions]
    taken = np.zeros((rounds, len(sessions)))
    for turn in range(rounds):
        for place, (session, values) in enumerate(zip(sessions, inputs, strict=True)):
            session.run(None, values)
            begin = time.process_time_ns()
            session.run(None, values)
            taken[turn, place] = (time.process_time_ns() - begin) / 1e6
    return np.quantile(taken, 0.25, axis=0)


def correlation(first: np.ndarray, second: np.ndarray) -> str:
    """Spearman's, with the 95 % percentile interval over networks drawn anew."""
    random = np.random.default_rng(0)
    drawn = [spearmanr(first[rows], second[rows]).statistic
             for rows in (random.integers(0, len(first), len(first)) for _ in range(2000))]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{spearmanr(first, second).statistic:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1000, help="of the first network")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--precision", choices=["float", "int8"], default="float")
    given = parser.parse_args()
    drawn = draw(given.networks, given.seed)
    contents = [content if given.precision == "float" else eight_bits(content) for content, _ in drawn]
    machine = cost.machine()
    costs = [cost.predict(content, machine=machine, runs=1) for content in contents]
    measured = measure(contents, given.rounds)
    predicted, macs = np.array([one.predicted_ms for one in costs]), np.array([macs for _, macs in drawn])
    roof = np.array([one.roofline_ms for one in costs])
    print(f"{given.networks} networks, {given.precision}, {machine.engine}, {machine.processor}, one thread")
    print(f"multiplications {macs.min() / 1e6:.1f} to {macs.max() / 1e6:.1f} million; "
          f"measured {measured.min():.2f} to {measured.max():.2f} ms")
    print(f"Spearman with measured: predicted {correlation(predicted, measured)}, "
          f"roofline {correlation(roof, measured)}, multiplications alone {correlation(macs, measured)}")
    ratio = predicted / measured
    print(f"predicted / measured: median {np.median(ratio):.2f}, from {ratio.min():.2f} to {ratio.max():.2f}")


if __name__ == "__main__":
    main()
