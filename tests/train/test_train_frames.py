"""How often a network answers a recording is told without asking it for each one."""

import numpy as np
import pytest

from linnet import data, nn, tasks
from linnet.train import frames
from linnet.train.samples import gather


@pytest.mark.parametrize("family", ["crnn", "conformer"])
def test_two_recordings_tell_the_frames_of_all(tunes: data.Splits, family: str) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    part = tunes.validation.take(range(8))
    samples, model = gather(task, part), nn.FAMILIES[family](task, width=8)
    least, most = frames.frame_bounds(task, model.module, samples)
    counts = np.array([model(samples.arrays(np.array([row])))["logits"].shape[1] for row in range(len(part))])
    assert counts.max() > counts.min() + 5
    assert (least + 1.5 <= counts).all()
    assert (counts <= most - 1.5).all()
    frames.check(task, model.module, part, samples, task.targets(part))


def test_equal_neighbours_take_a_frame_between_them() -> None:
    targets = np.array([[1, 1, 1, 2], [1, 2, 1, -1], [3, -1, -1, -1], [-1, -1, -1, -1]])
    assert frames.frames_needed(targets).tolist() == [6, 3, 1, 0]
