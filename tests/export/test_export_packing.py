"""Stored small: the same values come back, engines fold the undoing, and the file is as small as it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper

from linnet import nn, tasks
from linnet.errors import LinnetError
from linnet.export import packing
from linnet.export.compact import _name, compact
from linnet.export.graph import to_graph
from linnet.export.packing import grids
from linnet.export.packing.digits import BASES, base_for, words_for
from linnet.export.packing.forms import forms
from linnet.export.packing.palettes import _match
from linnet.export.packing.vectors import layers, shorten
from linnet.export.packing.writing import Writing
from linnet.export.parity import run
from linnet.export.ptq.quantize import quantize
from linnet.export.realised import optimised

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("count", [1, 7, 64, 1001])
def test_digits_come_back(base: int, count: int) -> None:
    digits = RNG.integers(0, base, count)
    words = words_for(base)
    assert np.array_equal(words.unpack(words.pack(digits))[:count], digits)
    assert words.bits <= np.log2(base) * 1.07


def test_the_largest_digits_fit_their_word() -> None:
    for base in BASES:
        words = words_for(base)
        digits = np.full(words.per_word, base - 1)
        assert np.array_equal(words.unpack(words.pack(digits)), digits)


def test_a_base_tells_things_apart() -> None:
    assert [base_for(count) for count in (1, 2, 7, 16, 64, 65)] == [2, 2, 8, 16, 64, None]


def _graph(tensors: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The tensors themselves, as outputs."""
    kinds = {name: helper.np_dtype_to_tensor_dtype(values.dtype) for name, values in tensors.items()}
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in tensors]
    outputs = [helper.make_tensor_value_info(f"{name}_out", kinds[name], values.shape)
               for name, values in tensors.items()]
    stored = [numpy_helper.from_array(values, name) for name, values in tensors.items()]
    return helper.make_model(helper.make_graph(nodes, "tensors", [], outputs, stored), ir_version=10,
                             opset_imports=[helper.make_opsetid("", 20)])


def _values(graph: onnx.ModelProto) -> list[np.ndarray]:
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {})


def _few(count: int, shape: tuple[int, ...], zeros: float = 0.0, dtype: type = np.float32) -> np.ndarray:
    palette = RNG.normal(size=count) if dtype is np.float32 else RNG.permutation(np.arange(-120, 120))[:count]
    chosen = palette.astype(dtype)[RNG.integers(0, count, shape)]
    return np.where(RNG.random(shape) < zeros, dtype(0), chosen)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8])
@pytest.mark.parametrize(("count", "zeros"), [(2, 0.0), (3, 0.0), (16, 0.0), (15, 0.9), (200, 0.95), (40, 0.3)])
def test_every_form_gives_the_tensor_back(dtype: type, count: int, zeros: float) -> None:
    dtype_values = np.int8 if dtype is np.uint8 else dtype
    tensor = _few(count, (20, 30, 3), zeros, dtype_values).astype(dtype)
    found = list(forms(tensor))
    assert found
    for form in found:
        writing = Writing()
        writing.node("Reshape", [form.write(writing), writing.constant(np.array(tensor.shape))], "w")
        graph = _graph({"w": tensor})
        del graph.graph.initializer[:]
        writing.into(graph.graph)
        assert np.array_equal(_values(graph)[0], tensor)
        size = len(compact(graph).SerializeToString())
        assert abs(size - form.bytes) < 800, "what all layers share, and no more, lies between"


def test_a_first_value_far_from_the_start_and_a_last_one_at_the_end() -> None:
    tensor = np.zeros(5000, np.float32)
    tensor[[130, 131, 4999]] = 1, -2, 3
    for form in forms(tensor):
        writing = Writing()
        writing.node("Identity", [form.write(writing)], "w")
        graph = _graph({"w": tensor})
        del graph.graph.initializer[:]
        writing.into(graph.graph)
        assert np.array_equal(_values(graph)[0], tensor)


def test_layers_share_one_unpacking_and_the_smallest_form_is_taken() -> None:
    tensors = {"a": _few(16, (64, 64)), "b": _few(13, (64, 32)), "c": _few(4, (1000,), 0.9), "d": _few(255, (64, 64)),
               "e": RNG.normal(size=(40, 40)).astype(np.float32), "f": np.where(RNG.random((50, 50)) < 0.7, 0,
                                                                               RNG.normal(size=(50, 50))).astype("f4")}
    packed, taken = packing.pack(_graph(tensors), {})
    assert taken == Counter(palette=2, gaps=1, mask=1)
    for given, values in zip(_values(packed), tensors.values(), strict=True):
        assert np.array_equal(given, values)
    operators = Counter(node.op_type for node in packed.graph.node)
    assert operators["Div"] == operators["Split"] <= 3
    small = len(compact(packed).SerializeToString())
    assert small < 64 * 64 / 2 + 64 * 32 / 2 + 1000 / 8 + 64 * 64 * 4 + 1600 * 4 + 2500 * (0.3 * 4 + 1 / 8) + 2000


def test_what_does_not_repeat_stays_as_it_was() -> None:
    graph = _graph({"a": RNG.normal(size=(40, 40)).astype(np.float32), "b": np.array([1, 1, 0], np.float32)})
    packed, taken = packing.pack(graph, {})
    assert not taken
    assert packed == graph


@pytest.fixture(scope="module")
def palettized(tone_task: tasks.Classify) -> nn.Model:
    """Few weights a layer, and normalisations that scale every channel by its own number, some of them below zero."""
    model = nn.zoo.dscnn(tone_task, width=40, seed=0)
    return _with_palettes(model, 8)


def _with_palettes(model: nn.Model, count: int) -> nn.Model:
    generator, layers = torch.Generator().manual_seed(0), []
    for name, module in model.module.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            spread = module.weight.detach().std()
            palette = torch.linspace(-2, 2, count) * spread + 0.01
            numbers = torch.bucketize(module.weight.detach(), (palette[1:] + palette[:-1]) / 2)
            module.weight.data = palette[numbers]
            layers.append(name)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * 0.5 + 0.7
            module.running_var.data = torch.rand(module.weight.shape, generator=generator) + 0.2
            module.bias.data = torch.randn(module.weight.shape, generator=generator)
    bits = (count - 1).bit_length()
    return replace(model, encoding=replace(model.encoding, palettes=dict.fromkeys(layers, bits)))


@pytest.fixture(scope="module")
def graph(palettized: nn.Model) -> onnx.ModelProto:
    return to_graph(palettized)


def test_palettes_are_found_behind_folded_normalisation(palettized: nn.Model, graph: onnx.ModelProto) -> None:
    found = packing.find(graph.graph, palettized)
    assert len(found) == len(palettized.encoding.palettes)
    assert any(scaled.scale is not None and scaled.scale.min() < 0 for scaled in found.values())
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    for name, scaled in found.items():
        assert len(np.unique(scaled.values)) <= 8
        channels = 1 if scaled.channels is None else scaled.channels
        np.testing.assert_allclose(scaled.values * channels, tensors[name], rtol=1e-5, atol=1e-7)


def test_a_packed_float_file_answers_and_runs_as_the_plain_one(palettized: nn.Model, graph: onnx.ModelProto,
                                                              sounds: dict[str, np.ndarray]) -> None:
    plain = compact(graph).SerializeToString()
    packed, taken = packing.pack(graph, packing.find(graph.graph, palettized))
    small = compact(packed).SerializeToString()
    assert taken["palette"] >= 5
    assert len(small) < 0.7 * len(plain)
    samples = {name: values[:4] for name, values in sounds.items()}
    np.testing.assert_allclose(run(small, samples), run(plain, samples), atol=1e-5)
    assert _operators(small) == _operators(plain), "the engine folds all that unpacks"


def _operators(content: bytes) -> Counter[str]:
    return Counter(node.op_type for node in optimised(content).graph.node)


def test_a_palette_that_is_none_is_refused(palettized: nn.Model, graph: onnx.ModelProto) -> None:
    first = next(iter(palettized.encoding.palettes))
    for palettes, match in (({first: 2}, "7 distinct weights, but its palette has 2 bits"),
                          ({"layers.nowhere": 3}, "has no layer layers.nowhere"),
                          ({"layers": 3}, "no operator of that name")):
        with pytest.raises(LinnetError, match=match):
            packing.find(graph.graph, replace(palettized, encoding=nn.Encoding(palettes=palettes)))


def test_palettes_in_eight_bits_stay_few_values_and_run_as_int8(palettized: nn.Model, graph: onnx.ModelProto,
                                                               sounds: dict[str, np.ndarray]) -> None:
    found = packing.find(graph.graph, palettized)
    quantized = quantize(graph, sounds, nn.Encoding(bits=8))
    gridded, narrow = packing.on_grids(quantized, graph, found)
    assert len(narrow) == len(found)
    assert all(len(np.unique(scaled.values)) <= 8 for scaled in narrow.values())
    assert any(scaled.scale is not None for scaled in narrow.values()), "channels below zero"
    packed, taken = packing.pack(gridded, {**found, **narrow})
    small, plain = (compact(one).SerializeToString() for one in (packed, gridded))
    assert taken["palette"] >= 4
    assert len(small) < len(plain)
    samples = {name: values[:4] for name, values in sounds.items()}
    assert np.array_equal(run(small, samples), run(plain, samples)), "nothing is lost"
    assert _operators(small) == _operators(plain)
    source = run(compact(graph).SerializeToString(), samples)
    largest = max(float(np.abs(row).max()) for row in source)
    np.testing.assert_allclose(run(small, samples, as_written=True), source, atol=0.05 * largest)


def test_scales_and_biases_lose_no_digit_that_counts(palettized: nn.Model, graph: onnx.ModelProto,
                                                    sounds: dict[str, np.ndarray]) -> None:
    quantized = quantize(graph, sounds, nn.Encoding(bits=8))
    short = shorten(quantized)
    before, after = ({tensor.name: numpy_helper.to_array(tensor) for tensor in one.graph.initializer}
                     for one in (quantized, short))
    found = list(layers(short.graph))
    assert len(found) == len(palettized.encoding.palettes)
    for layer in found:
        np.testing.assert_allclose(after[layer.scale], before[layer.scale], rtol=2**-11)
        assert np.array_equal((after[layer.scale] * 4096).astype(np.float16) / np.float32(4096), after[layer.scale])
        assert layer.bias is not None
        assert layer.bias_scale is not None
        moved = after[layer.bias] * (after[layer.bias_scale] / before[layer.bias_scale].astype(np.float64))
        whole = before[layer.bias]
        assert np.abs(moved - whole).max() <= np.abs(whole).max() / 2**15 + 1
    packed, _ = packing.pack(short, {})
    small, plain = (compact(one).SerializeToString() for one in (packed, short))
    assert len(small) < len(plain) - 6 * sum(after[layer.scale].size for layer in found) + 1500
    samples = {name: values[:4] for name, values in sounds.items()}
    np.testing.assert_allclose(run(small, samples), run(plain, samples), atol=1e-6)
    assert _operators(small) == _operators(plain)


def test_short_names_are_many_and_different() -> None:
    names = [_name(number) for number in range(3000)]
    assert len(set(names)) == 3000
    assert sum(len(name) < 3 for name in names) == 52 + 52 * 52


def test_learned_steps_are_kept_under_a_palette_and_empty_channels_have_fine_ones() -> None:
    whole = RNG.choice(np.array([-101, -7, 0, 30, 99], np.float32), (4, 3, 5, 5))
    whole[2] = 0
    factors = np.array([0.01, 0.02, 0.5, -0.003], np.float32)
    scaled = _match(whole * factors.reshape(-1, 1, 1, 1), whole)
    assert scaled is not None
    np.testing.assert_allclose(scaled.scale, [0.01, 0.02, 0.003, -0.003], rtol=1e-5)
    assert (grids._step(scaled.values), grids._step(scaled.values / 2)) == (1.0, 101 / 254)
