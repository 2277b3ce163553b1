"""Recordings of any length, through a network small enough to be written here."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import Options

HOP = 160


class Listener(torch.nn.Module):
    """(batch, samples) and lengths to (batch, frames, tokens): magnitudes of frames, two layers, blank at the end."""

    def __init__(self, tokens: int, hop: int = HOP) -> None:
        super().__init__()
        self.hop = hop
        self.layers = torch.nn.Sequential(torch.nn.Linear(hop // 2 + 1, 32), torch.nn.Tanh(), torch.nn.Dropout(0.1),
                                          torch.nn.Linear(32, tokens))

    def forward(self, audio: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        frames = torch.nn.functional.pad(audio, (0, -audio.shape[1] % self.hop)).reshape(len(audio), -1, self.hop)
        logits = self.layers(torch.fft.rfft(frames).abs().log1p())
        behind = torch.arange(logits.shape[1])[None] >= (-(-lengths // self.hop))[:, None]
        blank = torch.full((logits.shape[2],), -1e4)
        blank[0] = 0
        return torch.where(behind[:, :, None], blank, logits)


@pytest.fixture
def task(tunes: data.Splits) -> tasks.Task:
    return tasks.Transcribe(tunes, input="audio", target="notes")


def model(task: tasks.Task, hop: int = HOP) -> nn.Model:
    torch.manual_seed(0)
    inputs = [{"name": name, "dtype": dtype, "shape": list(shape)} for name, (dtype, shape) in task.arrays.items()]
    spec = {"family": "listener", "inputs": inputs, "layers": [],
            "output": {"name": "logits", "shape": list(task.output[1])}}
    return nn.Model(Listener(task.output[1][-1] or 0, hop), spec)


def test_recordings_of_any_length_are_learnt_from(task: tasks.Task, tunes: data.Splits) -> None:
    fitted = train.fit(model(task), task, tunes, epochs=6, options=Options(batch=16, device="cpu", learning_rate=5e-3))
    assert fitted.history[-1]["validation_loss"] < fitted.history[0]["validation_loss"] / 3
    evaluated = tasks.evaluate(fitted, task, tunes.validation).mean
    assert evaluated == fitted.history[fitted.notes["kept_epoch"] - 1]["validation_accuracy"]


def test_it_resumes_with_workers_and_a_teacher(task: tasks.Task, tunes: data.Splits, tmp_path: Path) -> None:
    teacher, start = model(task), model(task)
    options = Options(batch=16, device="cpu", workers=1, clip=1.0)

    def stop(done: int, total: int, text: str) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    given = {"epochs": 2, "options": options, "teacher": teacher, "augment": "transcription"}
    whole = train.fit(start, task, tunes, **given)  # type: ignore[arg-type]
    train.fit(start, task, tunes, **given, folder=tmp_path, progress=stop)  # type: ignore[arg-type]
    again = train.fit(start, task, tunes, **given, folder=tmp_path)  # type: ignore[arg-type]
    assert again.identity == whole.identity != start.identity


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_recordings_too_short_for_what_is_said_are_counted_before_the_first_epoch(
        task: tasks.Task, tunes: data.Splits, cache: str) -> None:
    hop, part = 2000, tunes.train
    samples = task.prepare(task.read(part))["lengths"]
    frames = -(-samples // hop)
    needed = [len(notes) + sum(a == b for a, b in pairwise(notes)) for notes in part.values("notes")]
    short = [name for name, few, many in zip(part.ids, frames, needed, strict=True) if many > few]
    assert 5 < len(short) < len(part) - 5

    def never(done: int, total: int, text: str) -> None:
        pytest.fail("a step was taken")

    with pytest.raises(LinnetError, match=rf"^{len(short)} of the {len(part)} recordings of the train part .*: "
                                          rf"{', '.join(short[:3])},.*more frames a second"):
        train.fit(model(task, hop), task, tunes, epochs=1, progress=never,
                  options=Options(batch=16, device="cpu", cache=cache))
