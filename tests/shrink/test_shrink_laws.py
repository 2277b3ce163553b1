"""What holds for every method: it changes something, only what it says, and what ships answers as what was tuned."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from linnet import data, export, nn, runtime, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.nn import soft

OPTIONS = train.Options(batch=16, device="cpu", learning_rate=1e-3)


@dataclass(frozen=True)
class Law:
    """How a method is put to the test on a DS-CNN of width 8 (layers.stem, layers.block1 ... block5, head)."""

    settings: Mapping[str, Any]
    touches: tuple[str, ...] = ()
    """Where weights may change in `prepare`: the beginnings of module paths. Everything else stays bit-identical."""
    nothing: Mapping[str, Any] | None = None
    """Settings with which there is nothing to change; None where there are none such."""
    rounds_activations: bool = False
    """While tuning; the plain module does not, the file does again."""
    resnet: bool = False
    """On a ResNet-8 instead, where a DS-CNN has nothing that could go (layers.stem, layers.stage1_1 ... stage3_1)."""


LAWS: dict[str, Law] = {
    "remove_blocks": Law({"layers": ["stage1_1"]}, touches=("layers.stage1_1",), nothing={"layers": []}, resnet=True),
    "remove_channels": Law({"layers": {"block1": [0]}}, touches=("layers.block1", "layers.block2"),
                           nothing={"layers": {"block1": []}}),
    "factorize": Law({"keep": 0.6, "rank": "learned", "layers": ["layers.block2", "layers.block3"]},
                     touches=("layers.block2", "layers.block3"), nothing={"keep": 0.999999, "of": "energy"}),
    "sparsify": Law({"share": 0.5}, nothing={"share": 1e-5}),
    "palettize": Law({"bits": 2, "layers": ["layers.block2", "layers.block3"]}, nothing={"bits": 6},
                     touches=("layers.block2", "layers.block3")),
    "qat": Law({}, touches=("layers", "head"), nothing={"exclude": ["layers", "head"]}, rounds_activations=True),
    "int8": Law({}),
}
"""One line a method."""


@dataclass(frozen=True)
class Course:
    """A method carried out on `before`, step by step; `known` are its answers before the next step was taken."""

    name: str
    before: nn.Model
    before_state: dict[str, torch.Tensor]
    prepared: nn.Model
    prepared_state: dict[str, torch.Tensor]
    tuned: nn.Model
    tuned_answers: np.ndarray
    finished: nn.Model


@pytest.fixture(scope="module")
def trained(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, epochs=3,
                     options=train.Options(batch=16, device="cpu"))


@pytest.fixture(scope="module")
def sounds(tone_task: tasks.Classify, tones: data.Splits) -> dict[str, np.ndarray]:
    return dict(tone_task.prepare(tones.test.decode("audio")))


@pytest.fixture(scope="module", params=list(shrink.METHODS))
def course(request: pytest.FixtureRequest, trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
           sounds: dict[str, np.ndarray]) -> Course:
    name: str = request.param
    if name not in LAWS:
        pytest.fail(f"method '{name}' has no line in LAWS")
    method, materials = shrink.METHODS[name], shrink.Materials(tone_task, tones, 0)
    settings = method.read(name, LAWS[name].settings)
    given = nn.zoo.resnet(tone_task, depth=8, seed=0) if LAWS[name].resnet else trained
    before_state = _state(given)
    prepared = method.prepare(given, settings, materials)
    prepared_state = _state(prepared)
    tuned = train.fit(prepared, tone_task, tones, epochs=1, options=OPTIONS) if method.tunes(settings) else prepared
    tuned_answers = tuned(sounds)["logits"]
    return Course(name, given, before_state, prepared, prepared_state, tuned, tuned_answers,
                  method.finish(tuned, settings, materials))


def test_it_changes_something(course: Course) -> None:
    finished, before = course.finished, course.before
    assert (finished.identity, finished.encoding) != (before.identity, before.encoding)


def test_the_model_that_was_given_is_as_it_was(course: Course) -> None:
    assert _same(_state(course.before), course.before_state)
    assert not any(is_parametrized(part) for part in course.before.module.modules())


def test_only_what_it_says_is_touched(course: Course) -> None:
    touches = LAWS[course.name].touches
    for path, part in course.before.module.named_modules():
        if path.startswith(touches):
            continue
        other = course.prepared.module.get_submodule(path)
        for name, _ in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            assert torch.equal(getattr(part, name), getattr(other, name)), f"{path}.{name}"


def test_tuning_ends_settled(course: Course) -> None:
    assert soft.is_settled(course.tuned.module)


def test_finish_gives_a_plain_module(course: Course) -> None:
    for path, part in course.finished.module.named_modules():
        assert not is_parametrized(part), path
        assert not part._forward_pre_hooks, path
        assert not part._forward_hooks, path
        assert not isinstance(part, soft.Scheduled), path


def test_finish_answers_as_what_was_tuned(course: Course, sounds: dict[str, np.ndarray]) -> None:
    tuned = course.tuned
    if LAWS[course.name].rounds_activations:
        tuned = replace(tuned, module=copy.deepcopy(tuned.module))
        for part in tuned.module.modules():
            part._forward_pre_hooks.clear()
    np.testing.assert_allclose(course.finished(sounds)["logits"], tuned(sounds)["logits"], atol=1e-5)


def test_finish_leaves_what_was_tuned_alone(course: Course, sounds: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(course.tuned(sounds)["logits"], course.tuned_answers)
    assert _same(_state(course.prepared), course.prepared_state)


def test_it_can_be_saved(course: Course, sounds: dict[str, np.ndarray], tmp_path: Path) -> None:
    nn.save(course.finished, tmp_path)
    loaded = nn.load(tmp_path)
    assert (loaded.identity, loaded.encoding) == (course.finished.identity, course.finished.encoding)
    np.testing.assert_array_equal(loaded(sounds)["logits"], course.finished(sounds)["logits"])


def test_the_file_answers_as_what_was_tuned(course: Course, tone_task: tasks.Classify, tones: data.Splits,
                                            sounds: dict[str, np.ndarray], tmp_path: Path) -> None:
    file = runtime.load(export.write(course.finished, tone_task, tmp_path / "small.onnx", samples=tones.validation))
    answers = file(sounds)["logits"]
    if course.finished.bits is None:
        np.testing.assert_allclose(answers, course.tuned_answers, atol=1e-4)
    else:
        assert np.sqrt(np.mean((answers - course.tuned_answers) ** 2)) < 0.1 * course.tuned_answers.std()


@pytest.mark.filterwarnings("ignore:.*autograd.function.Function:DeprecationWarning")  # torch's own, of dynamo
def test_what_is_prepared_compiles(course: Course, sounds: dict[str, np.ndarray]) -> None:
    module = copy.deepcopy(course.prepared.module)
    if all(parameter is other for parameter, other in zip(
            course.prepared.module.parameters(), course.before.module.parameters(), strict=False)):
        pytest.skip("prepare changes nothing")
    audio = torch.from_numpy(sounds["audio"][:4])
    torch._dynamo.reset()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    for share in (0.0, 0.4, 1.0):
        soft.advance(module, share)
        results = [_gradients(network, module, audio) for network in (module, compiled)]
        assert _same(*results, rtol=1e-5, atol=1e-6)


def test_settings_that_change_nothing_are_refused(course: Course, tone_task: tasks.Classify,
                                                  tones: data.Splits) -> None:
    nothing = LAWS[course.name].nothing
    if nothing is None:
        pytest.skip("there are no such settings")
    with pytest.raises(LinnetError):
        shrink.apply(shrink.Plan({course.name: nothing}), course.before, tone_task, tones, epochs=1, options=OPTIONS)


def _state(model: nn.Model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.module.state_dict().items()}


def _gradients(network: Any, module: torch.nn.Module, audio: torch.Tensor) -> dict[str, torch.Tensor]:
    """The answers in evaluation and the gradients in training, from the same random numbers and statistics."""
    statistics = {name: buffer.clone() for name, buffer in module.named_buffers()}
    module.eval()
    found = {"answers": network(audio).detach()}
    module.train()
    module.zero_grad()
    torch.manual_seed(0)
    network(audio).square().sum().backward()
    found |= {name: parameter.grad.clone() for name, parameter in module.named_parameters()
              if parameter.grad is not None}
    for name, buffer in module.named_buffers():
        buffer.copy_(statistics[name])
    return found


def _same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor], **tolerance: float) -> bool:
    within = {"rtol": 0.0, "atol": 0.0, **tolerance}
    return first.keys() == second.keys() and all(
        torch.allclose(values, second[name], **within) for name, values in first.items())
