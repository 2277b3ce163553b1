import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.data.augment import PRESETS, Augment, Background, Crop, Gain, Shift, Speed, Step, Tempo
from linnet.errors import LinnetError
from linnet.train import Options, loading
from linnet.train.loading import Batch, Maker, Stream
from linnet.train.order import batches
from linnet.train.samples import Samples, gather


def maker(task: tasks.Classify, splits: data.Splits, **options: float) -> Maker:
    return Maker(task, gather(task, splits.train), task.targets(splits.train), PRESETS["speech"],
                 Options(**options), 0)  # type: ignore[arg-type]


def all_of(stream: Stream, epoch: int) -> list[Batch]:
    return list(stream.epoch(epoch, list(enumerate(batches(80, 16, seed=0, epoch=epoch)))))


@pytest.mark.parametrize("options", [{}, {"mixup": 0.3}])
def test_worker_processes_make_the_batches_of_the_thread(
        tone_task: tasks.Classify, tones: data.Splits, options: dict[str, float]) -> None:
    made = maker(tone_task, tones, **options)
    by_thread, by_processes = Stream(made, workers=0, pinned=False), Stream(made, workers=2, pinned=False)
    for epoch in (0, 1):
        pairs = list(zip(all_of(by_thread, epoch), all_of(by_processes, epoch), strict=True))
        assert [one.number for one, _ in pairs] == list(range(5))
        for one, other in pairs:
            assert torch.equal(one.arrays["audio"], other.arrays["audio"])
            assert torch.equal(one.targets, other.targets)
            assert one.share == other.share
            assert (one.others is None) == (other.others is None) == (not options)


def test_waiting_is_counted(tone_task: tasks.Classify, tones: data.Splits) -> None:
    stream = Stream(maker(tone_task, tones), workers=0, pinned=False)
    made = all_of(stream, 0)
    assert len(made) == 5
    assert 0 < stream.stalled_seconds < 60


def test_an_error_in_the_making_reaches_the_caller(tone_task: tasks.Classify, tones: data.Splits) -> None:
    stream = Stream(maker(tone_task, tones), workers=0, pinned=False)
    with pytest.raises(IndexError):
        list(stream.epoch(0, [(0, np.array([10**6]))]))


def test_pieces_of_a_batch_are_its_rows() -> None:
    batch = Batch(3, {"image": torch.arange(10)}, torch.arange(10), torch.arange(10).flip(0), 0.25)
    pieces = batch.pieces(4)
    assert [len(piece.targets) for piece in pieces] == [3, 3, 2, 2]
    assert torch.equal(torch.cat([piece.arrays["image"] for piece in pieces]), torch.arange(10))
    assert all(torch.equal(9 - piece.targets, piece.others) for piece in pieces if piece.others is not None)
    assert {(piece.number, piece.share) for piece in pieces} == {(3, 0.25)}
    assert len(batch.pieces(64)) == 10


class Words:
    """As much of a task as the checks look at."""

    arrays = {"tokens": ("int64", (8,))}  # noqa: RUF012

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Table:
    kind, arrays = "regress", {"features": ("float32", (3,))}


def test_augmentation_that_cannot_be_is_refused() -> None:
    loading.check(Table(), Augment([]))  # type: ignore[arg-type]
    loading.check(Words("classify"), PRESETS["texts"])  # type: ignore[arg-type]
    with pytest.raises(LinnetError, match="is for recordings; the samples are texts"):
        loading.check(Words("classify"), PRESETS["speech"])  # type: ignore[arg-type]
    with pytest.raises(LinnetError, match="the task 'tag' has an answer a word"):
        loading.check(Words("tag"), PRESETS["speech"])  # type: ignore[arg-type]
    with pytest.raises(LinnetError, match="the task's input is features"):
        loading.check(Table(), PRESETS["speech"])  # type: ignore[arg-type]


class Sounds:
    """As much of a task for recordings of any length as batches and checks look at."""

    kind, sample_rate_hz = "classify", 8000
    arrays = {"audio": ("float32", (None,)), "lengths": ("int64", ())}  # noqa: RUF012
    output = ("logits", (3,))


class Loud:
    """Noise from the first to the last sample of each recording; a long, two short ones."""

    sizes = None

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        return []

    def arrays(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        lengths = np.array([8000, 3000, 3000])[rows]
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 8000)).astype(np.float32)[rows]
        return {"audio": np.where(np.arange(8000) < lengths[:, None], noise, np.float32(0)), "lengths": lengths}


def changed(steps: Augment, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The recordings of these rows as they were, and augmented."""
    samples: Samples = Loud()
    made = Maker(Sounds(), samples, np.zeros(3), steps, Options(), 0)  # type: ignore[arg-type]
    places = np.array(rows)
    return Loud().arrays(places)["audio"], made[0, 0, places].arrays["audio"].numpy()


def test_nothing_is_added_behind_the_end_of_a_recording() -> None:
    _, audio = changed(PRESETS["speech"], [0, 1])
    assert audio.shape == (2, 8000)
    assert np.abs(audio[1, :3000]).sum() > 0
    assert np.abs(audio[1, 3000:]).max() == 0


def test_no_recording_is_moved_into_the_padding_behind_it() -> None:
    before, after = changed(Augment([Shift(-9, 9, keep=True)]), [1, 0, 2])
    np.testing.assert_array_equal(before, after)


class Spoken(Sounds):
    kind, output = "transcribe", ("logits", (None, 5))  # type: ignore[assignment]


@pytest.mark.parametrize("step", [Shift(), Crop(), Speed(), Tempo()])
def test_steps_that_cut_or_move_are_refused_where_the_answer_follows_the_sound(step: Step) -> None:
    loading.check(Sounds(), Augment([step]))  # type: ignore[arg-type]
    loading.check(Spoken(), PRESETS["transcription"])  # type: ignore[arg-type]
    loading.check(Spoken(), PRESETS["specaugment"])  # type: ignore[arg-type]
    with pytest.raises(LinnetError, match=rf"not with {step.name}\. Take .* 'transcription', .*noise, time_mask"):
        loading.check(Spoken(), Augment([Gain(), step]))  # type: ignore[arg-type]


@pytest.mark.parametrize("part", ["validation", "test"])
def test_noise_that_is_tested_on_is_refused(tones: data.Splits, part: str) -> None:
    loading.check_sounds(tones, Augment([Gain()]))
    loading.check_sounds(tones, Augment([Background(tones.train)]))
    noise = Augment([Gain(), Background(getattr(tones, part).take(range(3)))])
    with pytest.raises(LinnetError, match=rf"3 of .* are in the {part} part: .*\. Take them out"):
        loading.check_sounds(tones, noise)


def test_worker_processes_end_with_their_stream(tone_task: tasks.Classify, tones: data.Splits) -> None:
    stream = Stream(maker(tone_task, tones), workers=1, pinned=False)
    all_of(stream, 0)
    assert stream._loader is not None
    iterator = stream._loader._iterator
    assert iterator is not None
    (worker,) = iterator._workers  # type: ignore[attr-defined]
    assert os.getpid() != worker.pid
    del iterator
    stream.close()
    worker.join(10)
    assert not worker.is_alive()


def test_a_worker_that_is_killed_is_said(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def kill(done: int, total: int, text: str) -> None:
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGKILL)
        time.sleep(0.1)

    options = Options(batch=2, workers=1, device="cpu")
    with pytest.raises(LinnetError, match="a process that makes batches ended"):
        train.fit(nn.zoo.dscnn(tone_task, width=8), tone_task, tones, epochs=1, options=options, progress=kill)
