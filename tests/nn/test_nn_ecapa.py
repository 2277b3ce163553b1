"""ecapa: voices that do not depend on padding or length; it hears disturbed stretches while it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from linnet import data, export, nn, runtime, tasks, train
from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.nn.voices import Disturbed
from linnet.speech.speakers import statistics
from linnet.train.losses import angular_margin


@pytest.fixture
def task(tones: data.Splits) -> tasks.Verify:
    return tasks.Verify(tones, input="audio", target="pitch")


def noise(samples: int, seed: int = 0) -> Audio:
    return Audio(np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32), 8000)


def test_a_voice_does_not_hear_the_padding_behind_it(task: tasks.Verify) -> None:
    model = nn.zoo.ecapa(task, width=8)
    sounds = [noise(size, size) for size in (3000, 8000, 5001, 700, 10, 1)]
    together = model(task.prepare(sounds))["voice"]
    alone = np.concatenate([model(task.prepare([sound]))["voice"] for sound in sounds])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_last_values_are_the_statistics_of_the_speech(tones: data.Splits) -> None:
    task = tasks.Verify(tones, input="audio", target="pitch")
    sound = noise(16000)
    faded = Audio(sound.samples * np.hanning(16000).astype(np.float32) ** 2, 8000)
    found = nn.zoo.ecapa(task, width=8)(task.prepare([faded]))["voice"][0, -80:]
    np.testing.assert_allclose(1000 * found, statistics(faded), atol=2e-3)


def test_it_hears_disturbed_stretches_only_while_it_learns(task: tasks.Verify) -> None:
    module = nn.zoo.ecapa(task, width=8).module
    batch = {name: torch.from_numpy(values) for name, values in task.prepare([noise(40000), noise(30000, 1)]).items()}
    with torch.no_grad():
        assert not torch.equal(module.train()(*batch.values()), module(*batch.values()))
        assert torch.equal(module.eval()(*batch.values()), module(*batch.values()))
    picture = torch.rand(4, 1, 200, 40)
    changed = Disturbed().train()(picture)
    assert changed.shape == picture.shape
    assert bool(changed.isfinite().all())
    assert 0 <= float(changed.min()) < float(changed.max()) <= 1 + 1e-6
    assert bool(((changed == 0).all(dim=3).any(dim=2) | (changed == 0).all(dim=2).any(dim=2)).any())  # a gap


def test_a_window_and_labels_are_taken_too(tones: data.Splits) -> None:
    task = tasks.Classify(tones, input="audio", target="pitch")
    fitted = train.fit(nn.zoo.ecapa(task, width=8), task, tones, epochs=3,
                       options=train.Options(batch=16, device="cpu", keep="last"))
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]
    assert "average" not in dict(fitted.module.named_children())


def test_sounds_are_told_apart_and_the_file_says_the_same(task: tasks.Verify, tones: data.Splits,
                                                          tmp_path: Path) -> None:
    options = train.Options(learning_rate=3e-3, batch=15, label_smoothing=0.0, device="cpu", keep="last")
    model = train.fit(nn.zoo.ecapa(task, width=8), task, tones, epochs=6, options=options)
    point = tasks.operate(task, model, tones.train, dimensions=10)
    shipped = runtime.load(export.write(model, point, tmp_path / "voices.onnx"))
    scores = tasks.evaluate(shipped, shipped.task, tones.test)
    assert scores.mean > 0.9
    assert shipped.task == point
    batch = task.prepare(task.read(tones.test.take(range(4))))
    np.testing.assert_allclose(shipped(batch)["voice"], model(batch)["voice"], atol=1e-4)


def test_what_it_cannot_do_is_refused(task: tasks.Verify, tunes: data.Splits) -> None:
    with pytest.raises(LinnetError, match="a multiple of 4"):
        nn.zoo.ecapa(task, width=10)
    with pytest.raises(LinnetError, match="one answer a sample"):
        nn.zoo.ecapa(tasks.Transcribe(tunes, input="audio", target="notes"))


def test_the_margin_makes_the_right_angle_count_larger() -> None:
    angles = torch.tensor([0.4, 1.2])
    voices = 3 * torch.stack([angles.cos(), angles.sin(), torch.zeros(2)], dim=1)
    found = angular_margin(voices, torch.tensor([0, 0]), 0.0, {})
    logits = 24 * torch.stack([(angles + 0.2).cos(), angles.sin(), torch.zeros(2)], dim=1)
    torch.testing.assert_close(found, functional.cross_entropy(logits, torch.tensor([0, 0])))


def test_strangers_are_to_be_found_again_and_a_perfect_voice_has_a_gradient() -> None:
    near = torch.eye(4)[[0, 0, 1, 1]].requires_grad_()
    mixed = torch.eye(4)[[0, 1, 0, 1]]
    names = torch.tensor([-1, -1, -2, -2])
    assert angular_margin(near.detach(), names, 0.0, {}) < 0.01 < angular_margin(mixed, names, 0.0, {})
    assert float(angular_margin(near[:1].detach(), names[:1], 0.0, {})) == 0  # alone: nobody to be found
    known = torch.tensor([0, 0, 1, 1])
    both = angular_margin(torch.cat([near, near]), torch.cat([known, names]), 0.0, {})
    both.backward()
    assert near.grad is not None
    assert bool(near.grad.isfinite().all())
