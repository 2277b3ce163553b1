"""The cost model: counts from shapes, rates fitted to probes, predicted beside measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from linnet import cost
from linnet.cost.counting import Layer, count
from linnet.cost.machine import Machine, _caches, _read, fit
from linnet.cost.probes import probes
from linnet.errors import LinnetError


def network() -> bytes:
    """A dense convolution, one in each channel, one across channels, a product."""
    weights = {"a": (16, 3, 3, 3), "b": (16, 1, 3, 3), "c": (32, 16, 1, 1), "d": (32, 10)}
    random = np.random.default_rng(0)
    nodes = [helper.make_node("Conv", ["x", "a"], ["p"], name="stem", pads=[1] * 4),
             helper.make_node("Conv", ["p", "b"], ["q"], name="depthwise", pads=[1] * 4, group=16, strides=[2, 2]),
             helper.make_node("Conv", ["q", "c"], ["r"], name="pointwise"),
             helper.make_node("GlobalAveragePool", ["r"], ["s"]), helper.make_node("Flatten", ["s"], ["t"]),
             helper.make_node("MatMul", ["t", "d"], ["y"], name="head")]
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", 1, ["batch", 3, 12, 12])],
                              [helper.make_tensor_value_info("y", 1, ["batch", 10])],
                              [numpy_helper.from_array(random.normal(size=shape).astype("f4"), name)
                               for name, shape in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


@pytest.fixture(scope="module")
def layers() -> dict[str, Layer]:
    return {layer.name: layer for layer in cost.layers(network(), runs=3)}


def test_multiplications_are_counted_by_hand(layers: dict[str, Layer]) -> None:
    assert layers["stem"].macs == 12 * 12 * 16 * 3 * 9
    assert layers["depthwise"].macs == 6 * 6 * 16 * 9
    assert layers["pointwise"].macs == 6 * 6 * 32 * 16
    assert layers["head"].macs == 32 * 10
    kinds = {name: layer.kind for name, layer in layers.items()}
    assert {name: kinds[name] for name in ("stem", "depthwise", "pointwise", "head")} == {
        "stem": "dense", "depthwise": "depthwise", "pointwise": "pointwise", "head": "product"}


def test_bytes_are_what_goes_in_and_out_and_the_weights(layers: dict[str, Layer]) -> None:
    pointwise = layers["pointwise"]
    assert pointwise.weight_bytes == 32 * 16 * 4
    assert (pointwise.input_bytes, pointwise.output_bytes) == (6 * 6 * 16 * 4, 6 * 6 * 32 * 4)
    assert pointwise.intensity == pointwise.macs / pointwise.bytes
    assert all(layer.ms >= 0 and layer.precision == "float" for layer in layers.values())


def test_eight_bits_are_seen() -> None:
    seen = {"input_type_shape": [{"uint8": [1, 8, 8, 16]}], "output_type_shape": [{"uint8": [1, 8, 8, 32]}]}
    layer = count("c", "QLinearConv", seen, [("int8", (32, 16, 3, 3))], 0.1)
    assert (layer.precision, layer.kind, layer.macs) == ("int8", "dense", 64 * 32 * 16 * 9)
    assert layer.bytes == 64 * 16 + 32 * 16 * 9 + 64 * 32
    assert layer.layout == "blocked"


def _layer(macs: int, size: int, ms: float) -> Layer:
    return Layer("l", "Conv", "dense", "float", "plain", macs, macs, 0, 0, 0, size, 0, 0, ms)


def test_rates_are_found_again() -> None:
    random = np.random.default_rng(0)
    group = [_layer(macs, size, 0.01 + 2e-8 * macs + 3e-7 * size)
             for macs, size in random.integers(1000, 1_000_000, (20, 2))]
    np.testing.assert_allclose(fit(group)[:3], [0.01, 2e-8, 3e-7], rtol=1e-6)


@pytest.fixture
def machine() -> Machine:
    return Machine("p", "e", {"L1": 1000, "L2": 100_000}, {1000: 1e6, 100_000: 1e5}, {"float": 1e6, "int8": 4e6},
                   {"dense float plain": (0.01, 1e-6, 0, 0, 0, 0), "other float plain": (0.001, 0, 1e-6, 0, 0, 0)})


def test_the_roofline_is_the_slower_of_sums_and_memory(machine: Machine) -> None:
    assert machine.roofline_ms(_layer(1_000_000, 1000, 0)) == 1
    assert machine.roofline_ms(_layer(1000, 50_000, 0)) == 0.5
    assert machine.holds(500) == "L1"
    assert machine.holds(10**6) == "memory"


def test_a_prediction_does_not_look_at_the_measured_time(machine: Machine) -> None:
    assert machine.predicted_ms(_layer(1_000_000, 1000, 7)) == pytest.approx(1.01)
    assert machine.bound(_layer(1_000_000, 1000, 7)) == "multiplications"
    assert machine.bound(_layer(10, 1000, 7)) == "the call"


def test_a_machine_is_kept_and_read_again(machine: Machine) -> None:
    from dataclasses import asdict

    assert _read(json.loads(json.dumps(asdict(machine)))) == machine


def test_a_file_is_predicted_layer_by_layer(machine: Machine) -> None:
    found = cost.predict(network(), machine=machine, runs=2)
    assert found.macs == sum(layer.macs for layer in found.layers) > 0
    assert found.roofline_ms > 0
    assert found.predicted_ms == pytest.approx(sum(row["predicted_ms"] for row in found.rows()))
    json.dumps(found.rows(), allow_nan=False)


def test_caches_are_read_where_the_system_says(tmp_path: Path) -> None:
    parts = (("Data", 1, "48K"), ("Instruction", 1, "32K"), ("Unified", 2, "1024K"))
    for place, (kind, level, size) in enumerate(parts):
        (tmp_path / f"index{place}").mkdir()
        for name, text in (("type", kind), ("level", str(level)), ("size", size)):
            (tmp_path / f"index{place}" / name).write_text(text + "\n")
    assert _caches(tmp_path) == {"L1": 49152, "L2": 1048576}
    assert _caches(tmp_path / "none") == {}


def test_activations_are_kept_as_long_as_they_are_needed() -> None:
    moments = cost.over_layers(network())
    largest = max(moments, key=lambda moment: moment.live_bytes)
    assert largest.live_bytes >= 12 * 12 * (3 + 16) * 4
    assert moments[-1].live_bytes < largest.live_bytes


def test_a_stream_does_not_grow() -> None:
    held = cost.over_time(network(), samples=60, every=20)
    assert len(held) in (0, 3)
    assert not held or held[-1] - held[0] < 5_000_000


def test_probes_are_of_every_kind_and_valid() -> None:
    kinds = set()
    for place, probe in enumerate(probes(eight_bits=False)):
        if place % 7 == 0:
            assert cost.layers(probe.SerializeToString(), runs=1)
        kinds |= {node.op_type for node in probe.graph.node}
    assert kinds == {"Conv", "Relu", "MatMul", "Sigmoid", "Add", "Mul", "Identity"}


def test_what_is_no_onnx_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no graph")
    with pytest.raises(LinnetError):
        cost.layers(tmp_path / "x.onnx")
