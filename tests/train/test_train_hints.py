from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.tasks import Arrays
from linnet.train.hints import Hints, listening
from linnet.train.losses import attention_loss, feature_loss
from linnet.train.options import Options

OPTIONS = Options(batch=16, device="cpu", features=0.5, attention=10.0)


def made(task: tasks.Classify, width: int = 8, seed: int = 0) -> nn.Model:
    return nn.zoo.dscnn(task, width=width, seed=seed)


def test_the_loss_of_features_is_that_of_the_paper_over_the_power_of_the_teacher() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.standard_normal((2, 5, 4, 3, 2)).astype(np.float32)
    wanted = 0.5 * ((own - other) ** 2).sum() / (other**2).sum()
    assert float(feature_loss(torch.from_numpy(own), torch.from_numpy(other))) == pytest.approx(float(wanted), rel=1e-5)


def test_the_loss_of_attention_is_that_of_the_paper() -> None:
    rng = np.random.default_rng(1)
    own, other = rng.standard_normal((5, 4, 3, 2)), rng.standard_normal((5, 7, 3, 2))
    maps = [(values**2).sum(axis=1).reshape(5, -1) for values in (own, other)]
    maps = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in maps]
    wanted = 0.5 * (np.linalg.norm(maps[0] - maps[1], axis=1) ** 2).mean()
    assert float(attention_loss(torch.from_numpy(own), torch.from_numpy(other))) == pytest.approx(wanted)
    assert float(attention_loss(torch.from_numpy(3 * other), torch.from_numpy(other))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("loss", [feature_loss, attention_loss])
def test_gradients_are_right_and_there_where_nothing_differs(loss: object) -> None:
    generator = torch.Generator().manual_seed(0)
    own = torch.randn(2, 3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    other = torch.randn(2, 3, 4, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda values: loss(values, other), (own,))  # type: ignore[operator]
    same = own.detach().clone().requires_grad_()
    loss(same, own.detach()).backward()  # type: ignore[operator]
    assert torch.isfinite(same.grad).all()


def test_a_student_comes_nearer_to_the_layers_of_its_teacher(tone_task: tasks.Classify, tones: data.Splits) -> None:
    teacher = train.fit(made(tone_task, 12, 3), tone_task, tones, epochs=3, options=Options(batch=16, device="cpu"))

    def distance(student: nn.Model) -> float:
        hints = Hints(student, teacher, Options(attention=1.0))
        sounds = torch.from_numpy(tone_task.prepare(tones.train.decode("audio"))["audio"])
        _, taught = hints.answers(sounds)
        with torch.no_grad(), listening(student.module.eval(), hints.axes) as heard:
            student.module(sounds)
        return float(hints.loss(heard, taught))

    plain = replace(OPTIONS, features=0.0, attention=0.0, keep="last")
    without, among = (train.fit(made(tone_task), tone_task, tones, epochs=4, teacher=teacher, options=options)
                      for options in (plain, replace(OPTIONS, features=0.5, attention=100.0, keep="last")))
    assert distance(among) < 0.8 * distance(without)
    assert set(among.module.state_dict()) == set(without.module.state_dict())


def test_channels_that_were_removed_are_projected(tone_task: tasks.Classify) -> None:
    hints = Hints(made(tone_task, 8), made(tone_task, 12), OPTIONS)
    assert {tuple(weight.shape) for weight in hints.parameters()} == {(12, 8), (6, 4)}  # the stem has half as many
    assert not list(Hints(made(tone_task, 8), made(tone_task, 8), OPTIONS).parameters())
    assert not list(Hints(made(tone_task, 8), made(tone_task, 12), replace(OPTIONS, features=0.0)).parameters())


def test_a_training_with_hints_resumes_to_the_same_weights(
        tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path) -> None:
    teacher = made(tone_task, 12, 1)

    def stop(done: int, total: int, text: str) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    whole = train.fit(made(tone_task), tone_task, tones, epochs=2, teacher=teacher, options=OPTIONS)
    train.fit(made(tone_task), tone_task, tones, epochs=2, teacher=teacher, options=OPTIONS, folder=tmp_path,
              progress=stop)
    resumed = train.fit(made(tone_task), tone_task, tones, epochs=2, teacher=teacher, options=OPTIONS, folder=tmp_path)
    assert resumed.identity == whole.identity


def test_what_cannot_be_listened_to_is_said(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def answers(arrays: Arrays) -> Arrays:
        return {"logits": np.zeros((len(arrays["audio"]), 3), np.float32)}

    def refused(said: str, options: Options, **more: object) -> None:
        with pytest.raises(LinnetError, match=said):
            train.fit(made(tone_task), tone_task, tones, epochs=1, options=options, **more)  # type: ignore[arg-type]

    refused("must be a Model", OPTIONS, teacher=answers)
    refused("learned from a teacher; give one", OPTIONS)
    refused("set compile=False", replace(OPTIONS, compile=True), teacher=made(tone_task))
    with pytest.raises(LinnetError, match="features must lie between"):
        Options(features=-1.0)
    bare = made(tone_task)
    nameless = replace(bare, spec={**bare.spec, "layers": []})
    refused("layers that student and teacher both have", OPTIONS, teacher=nameless)
