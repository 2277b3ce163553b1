from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from linnet import data, export, nn, runtime, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.nn.soft import quantize_layers, watch

OPTIONS = train.Options(batch=16, device="cpu", learning_rate=1e-3, schedule="cosine")


@pytest.fixture(scope="module")
def side(squares: data.Splits) -> tasks.Classify:
    return tasks.Classify(squares, input="image", target="side")


@pytest.fixture(scope="module")
def trained(side: tasks.Classify, squares: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.smallcnn(side, width=8, seed=0), side, squares, epochs=8,
                     options=train.Options(batch=16, device="cpu"))


@pytest.fixture(scope="module")
def images(side: tasks.Classify, squares: data.Splits) -> dict[str, np.ndarray]:
    return dict(side.prepare(squares.test.decode("image")))


Pair = tuple[nn.Model, nn.Model]
"""What was simulated, and what it became."""


def quantized(model: nn.Model, task: tasks.Classify, splits: data.Splits, *, epochs: int = 0, **settings: Any) -> Pair:
    """Prepared, tuned for so many epochs, finished."""
    method, materials = shrink.METHODS["qat"], shrink.Materials(task, splits, 0)
    given = method.read("qat", settings)
    simulated = method.prepare(model, given, materials)
    if epochs:
        simulated = train.fit(simulated, task, splits, epochs=epochs, options=OPTIONS)
    return simulated, method.finish(simulated, given, materials)


@pytest.fixture(scope="module", params=[8, 4])
def tuned(request: pytest.FixtureRequest, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> Pair:
    bits = request.param
    return quantized(trained, side, squares, epochs=2, bits=bits, edges=bits)


@pytest.fixture(scope="module")
def file(tuned: Pair, side: tasks.Classify, squares: data.Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export.write(tuned[1], side, tmp_path_factory.mktemp("qat") / "small.onnx", samples=squares.validation)


def stored(path: Path) -> list[np.ndarray]:
    """Every tensor of signed 8-bit numbers in the file: the weights."""
    return [numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer
            if tensor.data_type == onnx.TensorProto.INT8 and tensor.dims]


def test_the_file_computes_what_was_simulated(tuned: Pair, file: Path, images: dict[str, np.ndarray]) -> None:
    found, wanted = runtime.load(file)(images)["logits"], tuned[0](images)["logits"]
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.05 * wanted.std()
    assert (found.argmax(1) == wanted.argmax(1)).mean() > 0.95


def test_the_weights_in_the_file_are_the_tuned_ones(tuned: Pair, file: Path) -> None:
    """Those of few values are packed: the file has no tensor of their shape then."""
    in_file = [values for values in stored(file) if values.ndim > 1]
    assert len(tuned[1].encoding.scales) == 4
    compared = 0
    for name, steps in tuned[1].encoding.scales.items():
        weights = np.asarray(tuned[1].module.get_submodule(name).weight.detach())
        levels = np.round(weights.reshape(len(steps), -1) / np.array(steps)[:, None]).reshape(weights.shape)
        same = [np.array_equal(np.abs(own), np.abs(levels)) for own in in_file if own.shape == levels.shape]
        compared += len(same)
        assert all(same), name
    assert compared >= 2


def test_the_ranges_in_the_file_are_the_learned_ones(tuned: Pair, file: Path) -> None:
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    in_file = {float(value) for tensor in onnx.load(file).graph.initializer if tensor.data_type in floats
               for value in numpy_helper.to_array(tensor).ravel()}
    for layer, (low, high) in tuned[1].encoding.ranges.items():
        assert float(np.float32((high - low) / 255)) in in_file, layer
    for step in tuned[1].encoding.scales["head"]:  # stored in 16 bits
        assert min(abs(value - step) for value in in_file) <= step * 2**-10


def test_fewer_bits_leave_the_ends_in_eight(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    _, small = quantized(trained, side, squares, bits=3, exclude=["layers.conv3"])
    levels = {}
    for name, steps in small.encoding.scales.items():
        weights = np.asarray(small.module.get_submodule(name).weight.detach()).reshape(len(steps), -1)
        levels[name] = np.abs(np.round(weights / np.array(steps)[:, None])).max()
    assert levels["layers.conv1.conv"] > 64
    assert levels["head"] > 64
    assert 1 < levels["layers.conv2.conv"] <= 4
    assert small.encoding.exclude == ("layers.conv3.conv",)
    assert "layers.conv3.conv" not in small.encoding.ranges
    _, small = quantized(trained, side, squares, bits=3, own_bits={"layers.conv2": 5}, layers=["layers.conv2"])
    assert small.encoding.exclude == ("layers.conv1.conv", "layers.conv3.conv", "head")
    assert len(small.module.get_submodule("layers.conv2.conv").weight[0].unique()) > 8


def test_tuning_brings_the_rounded_network_nearer_to_the_float_one(
        trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    rounded, _ = quantized(trained, side, squares, bits=2)
    learned = train.fit(rounded, side, squares, epochs=6, teacher=trained,
                        options=train.Options(batch=16, device="cpu", learning_rate=2e-3, teacher_weight=1.0))
    arrays = side.prepare(squares.train.decode("image"))
    before, after = (np.square(model(arrays)["logits"] - trained(arrays)["logits"]).mean()
                     for model in (rounded, learned))
    assert after < 0.5 * before
    steps = [model.module.layers["conv2"].conv.parametrizations.weight[0].steps
             for model in (rounded, learned)]
    assert not torch.equal(*steps)


def test_percentiles_are_tuned_too(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    simulated, small = quantized(trained, side, squares, epochs=1, how="percentile", percentile=0.999)
    assert simulated.history[-1]["settled"]
    _, learned = quantized(trained, side, squares)
    assert small.encoding.ranges.keys() == learned.encoding.ranges.keys()
    assert small.encoding.ranges["head"] != learned.encoding.ranges["head"]


@pytest.mark.parametrize(("settings", "said"), [
    ({"bits": 1}, "bits"), ({"bits": 9}, "bits"), ({"own_bits": {"nowhere": 4}}, "nowhere"),
    ({"layers": ["nowhere"]}, "nowhere"), ({"exclude": ["nowhere"]}, "nowhere"),
    ({"exclude": ["layers", "head"]}, "changes nothing"), ({"own_bits": {"head": 1}}, "own_bits"),
    ({"activations": 4}, "activations")])
def test_settings_that_cannot_be_are_refused(
        settings: dict[str, Any], said: str, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    with pytest.raises(LinnetError, match=said):
        shrink.apply(shrink.Plan({"qat": settings}), trained, side, squares, epochs=1, options=OPTIONS)


@pytest.mark.parametrize("family", ["resnet", "mobilenet"])
def test_layers_that_share_an_input_share_its_range(family: str, squares: data.Splits) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    model = nn.FAMILIES[family](task)
    images = torch.from_numpy(task.prepare(squares.train.take(range(4)).decode("image"))["image"])
    seen = watch(model.module, lambda: model.module(images))
    quantize_layers(model.module, dict.fromkeys(seen, 8), seen)
    shared = {name: entry.like for name, entry in seen.items() if entry.like != name}
    for name, like in shared.items():
        assert (model.module.get_submodule(name).input_quantizer
                is model.module.get_submodule(like).input_quantizer)
    assert bool(shared) == (family == "resnet")
