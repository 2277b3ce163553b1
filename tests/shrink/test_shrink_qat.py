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
def trained(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, epochs=5,
                     options=train.Options(batch=16, device="cpu"))


@pytest.fixture(scope="module")
def sounds(tone_task: tasks.Classify, tones: data.Splits) -> dict[str, np.ndarray]:
    return dict(tone_task.prepare(tones.test.decode("audio")))


Pair = tuple[nn.Model, nn.Model]
"""What was simulated, and what it became."""


def quantized(model: nn.Model, task: tasks.Classify, tones: data.Splits, *, epochs: int = 0, **settings: Any) -> Pair:
    """Prepared, tuned for so many epochs, finished."""
    method, materials = shrink.METHODS["qat"], shrink.Materials(task, tones, 0)
    given = method.read("qat", settings)
    simulated = method.prepare(model, given, materials)
    if epochs:
        simulated = train.fit(simulated, task, tones, epochs=epochs, options=OPTIONS)
    return simulated, method.finish(simulated, given, materials)


@pytest.fixture(scope="module", params=[8, 4])
def tuned(request: pytest.FixtureRequest, trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> Pair:
    bits = request.param
    return quantized(trained, tone_task, tones, epochs=2, bits=bits, layers={"layers.stem": bits, "head": bits})


@pytest.fixture(scope="module")
def file(tuned: Pair, tone_task: tasks.Classify, tones: data.Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export.write(tuned[1], tone_task, tmp_path_factory.mktemp("qat") / "small.onnx", samples=tones.validation)


def stored(path: Path) -> list[np.ndarray]:
    """Every tensor of signed 8-bit numbers in the file: the weights."""
    return [numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer
            if tensor.data_type == onnx.TensorProto.INT8 and tensor.dims]


def test_the_file_computes_what_was_simulated(tuned: Pair, file: Path, sounds: dict[str, np.ndarray]) -> None:
    found, wanted = runtime.load(file)(sounds)["logits"], tuned[0](sounds)["logits"]
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.05 * wanted.std()
    assert (found.argmax(1) == wanted.argmax(1)).mean() > 0.95


def test_the_weights_in_the_file_are_the_tuned_ones(tuned: Pair, file: Path) -> None:
    scales = tuned[1].encoding.scales
    assert len(scales) == 12
    levels = {name: np.round(np.asarray(tuned[1].module.get_submodule(name).weight.detach()).reshape(len(steps), -1)
                             / np.array(steps)[:, None]) for name, steps in scales.items()}
    kept = [np.abs(values).reshape(-1).astype(int) for values in stored(file) if values.ndim > 1]
    for name, values in levels.items():
        assert any(np.array_equal(np.sort(np.abs(values).ravel()), np.sort(own)) for own in kept), name


def test_the_ranges_in_the_file_are_the_learned_ones(tuned: Pair, file: Path) -> None:
    in_file = {float(value) for tensor in onnx.load(file).graph.initializer
               if tensor.data_type == onnx.TensorProto.FLOAT for value in numpy_helper.to_array(tensor).ravel()}
    for layer, (low, high) in tuned[1].encoding.ranges.items():
        assert float(np.float32((high - low) / 255)) in in_file, layer
    assert {float(np.float32(step)) for step in tuned[1].encoding.scales["head"]} <= in_file


def test_fewer_bits_leave_the_ends_in_eight(
        trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    _, small = quantized(trained, tone_task, tones, bits=3, layers={"layers.block2": 5},
                         exclude=["layers.block4.depthwise"])
    levels = {}
    for name, steps in small.encoding.scales.items():
        weights = np.asarray(small.module.get_submodule(name).weight.detach()).reshape(len(steps), -1)
        levels[name] = np.abs(np.round(weights / np.array(steps)[:, None])).max()
    assert levels["layers.stem.conv"] > 64
    assert levels["head"] > 64
    assert 4 < levels["layers.block2.pointwise.conv"] <= 16
    assert levels["layers.block3.pointwise.conv"] <= 4
    assert small.encoding.exclude == ("layers.block4.depthwise.conv",)
    assert "layers.block4.depthwise.conv" not in small.encoding.ranges


def test_training_with_rounding_is_better_than_rounding_afterwards(
        trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    settings = {"bits": 2, "layers": {"layers.stem": 2}}
    (rounded, _), (learned, _) = (quantized(trained, tone_task, tones, epochs=epochs, **settings) for epochs in (0, 3))
    after, before = (tasks.evaluate(model, tone_task, tones.train).mean for model in (learned, rounded))
    assert after > before


def test_percentiles_are_tuned_too(trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    simulated, small = quantized(trained, tone_task, tones, epochs=1, how="percentile", percentile=0.999)
    assert simulated.history[-1]["settled"]
    _, learned = quantized(trained, tone_task, tones)
    assert small.encoding.ranges.keys() == learned.encoding.ranges.keys()
    assert small.encoding.ranges["head"] != learned.encoding.ranges["head"]


@pytest.mark.parametrize(("settings", "said"), [
    ({"bits": 1}, "bits"), ({"bits": 9}, "bits"), ({"layers": {"nowhere": 4}}, "nowhere"),
    ({"exclude": ["nowhere"]}, "nowhere"), ({"exclude": ["layers", "head"]}, "changes nothing"),
    ({"layers": {"head": 1}}, "2 to 8 bits"), ({"activations": 4}, "activations")])
def test_settings_that_cannot_be_are_refused(
        settings: dict[str, Any], said: str, trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match=said):
        shrink.apply(shrink.Plan({"qat": settings}), trained, tone_task, tones, epochs=1, options=OPTIONS)


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
