"""Repairs: equalization keeps the answers, AdaRound keeps its equations, biases take back what rounding shifts."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from foreign_graphs import foreign, model, samples, weights
from onnx import helper

from linnet import nn
from linnet.errors import LinnetError
from linnet.export.parity import run
from linnet.export.ptq import quantize
from linnet.export.ptq.bias import channel_means
from linnet.export.ptq.equalize import by_input, equalize, find_pairs
from linnet.export.ptq.grids import folded_scales, rounded, scale_of
from linnet.export.ptq.layers import values_of, weighted
from linnet.export.ptq.rounding import STEPS, adaround, beta_at, layer_in_torch, rectified_sigmoid, regulariser
from linnet.export.ptq.tidy import tidy
from linnet.export.samples import one_by_one


def chain(last: str = "Relu") -> onnx.ModelProto:
    """Three layers in a row, the middle one within each channel; the channels of the first differ a hundredfold."""
    sizes = np.geomspace(0.1, 10, 8).astype(np.float32)
    constants = {"w1": weights(8, 3, 3, 3) * sizes[:, None, None, None], "b1": weights(8) * sizes,
                 "w2": weights(8, 1, 3, 3), "b2": weights(8), "w3": weights(6, 8, 1, 1), "b3": weights(6)}
    nodes = [helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], name="first"),
             helper.make_node(last, ["c1"], ["r1"]),
             helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], name="second", group=8, pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c2"], ["r2"]),
             helper.make_node("Conv", ["r2", "w3", "b3"], ["y"], name="third")]
    return tidy(model(nodes, constants, ["n", 3, 8, 8]))


def answers(graph: onnx.ModelProto) -> np.ndarray:
    return np.array(run(graph.SerializeToString(), samples()))


def noise(graph: onnx.ModelProto, *repairs: str, calibration: str = "minmax") -> float:
    """Mean squared difference that 8 bits make, as a share of the answers' own."""
    encoding = nn.Encoding(bits=8, repairs=repairs, calibration=calibration)
    expected, found = answers(graph), answers(quantize(graph, samples(), encoding))
    return float(np.square(found - expected).mean() / np.square(expected).mean())


def test_equalization_keeps_the_answers_and_evens_the_ranges() -> None:
    graph = chain()
    layers = set(weighted(graph.graph))
    even = equalize(graph, layers)
    np.testing.assert_allclose(answers(even), answers(graph), rtol=1e-4, atol=1e-5)
    pairs = list(find_pairs(even.graph, layers))
    assert [(pair.first.name, pair.second.name) for pair in pairs] == [("first", "second"), ("second", "third")]
    stored = values_of(even.graph)
    for pair in pairs:
        first = np.abs(stored[pair.first.input[1]]).reshape(8, -1).max(axis=1)
        second = np.abs(by_input(stored[pair.second.input[1]].astype(float), pair.second)).max(axis=1)
        np.testing.assert_allclose(first, second, rtol=0.02)
    assert noise(graph, "equalize") < noise(graph)


@pytest.mark.parametrize("repair", ["equalize", "adaround"])
def test_repairs_may_not_change_what_is_stored_as_it_is(repair: str) -> None:
    stored = nn.Encoding(bits=8, repairs=(repair,), palettes={"first": 4, "second": 4}, sparse=("third",))
    with pytest.raises(LinnetError, match=f"{repair} may change no weights here"):
        quantize(chain(), samples(), stored)


def test_equalization_goes_around_palettes() -> None:
    graph = chain()
    with pytest.raises(LinnetError, match="palettes"):
        quantize(graph, samples(), nn.Encoding(bits=8, repairs=("equalize",), palettes={"second": 4}))
    made = quantize(graph, samples(), nn.Encoding(bits=8, repairs=("equalize",), palettes={"third": 4}))
    plain = quantize(graph, samples(), nn.Encoding(bits=8))

    def steps(quantized: onnx.ModelProto, layer: str) -> np.ndarray:
        node = next(node for node in quantized.graph.node if node.name == layer)
        return values_of(quantized.graph)[node.input[1].replace("/dq", "/scale")]

    np.testing.assert_array_equal(steps(made, "third"), steps(plain, "third"))
    assert not np.array_equal(steps(made, "first"), steps(plain, "first"))


def test_inputs_of_a_grouped_convolution_are_those_of_its_groups() -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], group=2)
    values = np.arange(4 * 3 * 2, dtype=float).reshape(4, 3, 2)
    rows = by_input(values, node)
    assert rows.shape == (6, 4)
    np.testing.assert_array_equal(rows[4], values[2:, 1].reshape(-1))  # the second input of the second group


@pytest.mark.parametrize("between", ["Sigmoid", "Tanh"])
def test_what_is_not_homogeneous_is_not_equalized(between: str) -> None:
    pairs = find_pairs(chain(between).graph, {"first", "second", "third"})
    assert [pair.first.name for pair in pairs] == ["second"]
    with pytest.raises(LinnetError, match="equalize changes nothing"):
        equalize(chain(between), {"first", "second"})


def test_the_shift_of_the_mean_is_taken_back() -> None:
    graph, rows = tidy(foreign()), list(one_by_one(samples()))
    values = [("y", -1)]
    wanted = channel_means(graph, values, rows)["y"]
    shifts = {repairs: np.abs(channel_means(quantize(graph, samples(), nn.Encoding(bits=8, repairs=repairs)), values,
                                            rows)["y"] - wanted).max() for repairs in ((), ("bias_correction",))}
    assert shifts["bias_correction",] < 0.3 * shifts[()]


def test_weights_are_rounded_to_a_step_beside_them_and_the_outputs_are_nearer() -> None:
    node, exact = helper.make_node("Conv", ["x", "w"], ["y"]), weights(6, 32, 1, 1)
    scale = scale_of(exact, 0) * 16  # four bits
    nearest = rounded(exact, 0, scale)
    x = np.maximum(np.random.default_rng(0).standard_normal((16, 1, 32, 6, 6)) + 2, 0).astype(np.float32)
    layer = layer_in_torch(node, None)
    y = [layer(torch.from_numpy(row), torch.from_numpy(exact)).numpy() for row in x]
    found = adaround(node, exact, None, nearest, list(zip(x, y, strict=True)), is_rectified=False)
    steps = exact / scale[:, None, None, None]
    assert (np.abs(found.integers - steps) < 1).all()
    assert (found.integers != nearest.integers).any()
    errors = [sum(np.square(layer(torch.from_numpy(a), torch.from_numpy(w.values)).numpy() - b).sum()
                  for a, b in zip(x, y, strict=True)) for w in (found, nearest)]
    assert errors[0] < 0.9 * errors[1]


def test_adaround_is_that_of_the_paper() -> None:
    variable = torch.linspace(-4, 4, 41, dtype=torch.float64, requires_grad=True)
    expected = np.clip(1.2 / (1 + np.exp(-variable.detach().numpy())) - 0.1, 0, 1)  # equation 23
    np.testing.assert_allclose(rectified_sigmoid(variable).detach().numpy(), expected)
    price = np.sum(1 - np.abs(2 * expected - 1) ** 3)  # equation 24
    assert float(regulariser(rectified_sigmoid(variable).detach(), 3)) == pytest.approx(price)
    inner = torch.linspace(-2, 2, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: regulariser(rectified_sigmoid(v), 4.0), (inner,))
    assert beta_at(0.1) == 20
    assert beta_at(1) == 2
    assert STEPS > 100


@pytest.mark.slow
def test_all_repairs_together_do_not_hurt() -> None:
    graph = tidy(foreign())
    assert noise(graph, "adaround", "bias_correction") < noise(graph)


@pytest.mark.parametrize("pads", [{}, {"pads": [2, 0, 1, 1]}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"},
                                  {"strides": [2, 1], "dilations": [1, 2]}])
def test_a_layer_in_torch_is_the_one_of_the_graph(pads: dict) -> None:
    w = weights(4, 3, 3, 2)
    node = helper.make_node("Conv", ["x", "w"], ["y"], **pads)
    x = samples(1)["x"]
    graph = model([node], {"w": w}, ["n", 3, 8, 8])
    expected = run(graph.SerializeToString(), {"x": x})[0]
    np.testing.assert_allclose(layer_in_torch(node, None)(torch.from_numpy(x), torch.from_numpy(w)).numpy()[0],
                               expected, atol=1e-5)


def test_a_learned_scale_is_that_of_the_weights_after_folding() -> None:
    graph = chain()
    node = weighted(graph.graph)["third"]
    tensor = next(t for t in graph.graph.initializer if t.name == node.input[1])
    steps = np.random.default_rng(0).integers(-127, 128, (6, 8, 1, 1))
    learned, folded = np.linspace(0.01, 0.02, 6), np.array([1, -2, 0.5, 3, -0.1, 1])
    before = (steps * learned[:, None, None, None]).astype(np.float32)
    after = (before * folded[:, None, None, None]).astype(np.float32)
    tensor.CopyFrom(onnx.numpy_helper.from_array(after, tensor.name))
    found = folded_scales(graph.graph, {"layers.third": tuple(learned)}, {"layers.third": before})["third"]
    np.testing.assert_allclose(found, learned * np.abs(folded), rtol=1e-5)
    exact = rounded(values_of(graph.graph)[tensor.name], 0, found)
    np.testing.assert_array_equal(np.abs(exact.integers), np.abs(steps))
    with pytest.raises(LinnetError, match=r"layer 'layers\.third': its weights do not lie on its learned scale"):
        folded_scales(graph.graph, {"layers.third": tuple(learned * 1.3)}, {"layers.third": before})


def test_learned_ranges_are_in_the_file_and_those_of_two_readers_are_the_wider_one() -> None:
    graph = chain()
    encoding = nn.Encoding(bits=8, ranges={"second": (0.0, 25.5), "first": (-2.55, 2.55)})
    scales = {float(value) for name, value in values_of(quantize(graph, samples(), encoding).graph).items()
              if value.ndim == 0}
    assert np.float32(0.1) in {np.float32(scale) for scale in scales}
    assert np.float32(0.02) in {np.float32(scale) for scale in scales}
