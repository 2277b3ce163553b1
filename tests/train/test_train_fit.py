import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.data import Audio
from linnet.data.augment import Augment, Background, Gain
from linnet.errors import LinnetError
from linnet.tasks import Arrays

OPTIONS = train.Options(batch=16, device="cpu")


def start(task: tasks.Classify) -> nn.Model:
    return nn.zoo.dscnn(task, width=8, seed=0)


def test_it_learns_and_leaves_the_given_model_alone(tone_task: tasks.Classify, tones: data.Splits) -> None:
    model = start(tone_task)
    identity = model.identity
    fitted = train.fit(model, tone_task, tones, epochs=12, options=OPTIONS)
    assert tasks.evaluate(fitted, tone_task, tones.test).mean > 0.8 > tasks.evaluate(model, tone_task, tones.test).mean
    assert start(tone_task).identity == identity == model.identity != fitted.identity
    assert [row["epoch"] for row in fitted.history] == list(range(1, 13))
    assert fitted.notes["data"] == {"train": tones.train.fingerprint, "validation": tones.validation.fingerprint}
    assert fitted.history[-1]["train_loss"] < fitted.history[0]["train_loss"]


def test_same_seed_same_weights_other_seed_others(tone_task: tasks.Classify, tones: data.Splits) -> None:
    torch.manual_seed(1)
    one = train.fit(start(tone_task), tone_task, tones, epochs=2, options=OPTIONS, augment="speech")
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    same = train.fit(start(tone_task), tone_task, tones, epochs=2, options=OPTIONS, augment="speech")
    assert torch.equal(state, torch.random.get_rng_state())
    other = train.fit(start(tone_task), tone_task, tones, epochs=2, options=OPTIONS, augment="speech", seed=1)
    assert one.identity == same.identity != other.identity


def test_a_stop_returns_the_best_so_far_and_resumes_to_the_same_weights(
        tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path) -> None:
    whole = train.fit(start(tone_task), tone_task, tones, epochs=4, options=OPTIONS)

    def stop_in_epoch_3(done: int, total: int, text: str) -> None:
        if done > total / 2 + 1:
            raise KeyboardInterrupt

    part = train.fit(start(tone_task), tone_task, tones, epochs=4, options=OPTIONS, folder=tmp_path,
                     progress=stop_in_epoch_3)
    assert part.notes["stopped"].startswith("by the user after epoch 2 of 4")
    assert len(part.history) == 2
    resumed = train.fit(start(tone_task), tone_task, tones, epochs=4, options=OPTIONS, folder=tmp_path)
    assert resumed.identity == whole.identity
    assert "stopped" not in resumed.notes


SCRIPT = """
import sys
from linnet import data, nn, tasks, train
splits = data.load(sys.argv[1], columns={"pitch": "label", "voice": "group"}).split(by="voice", seed=0)
task = tasks.Classify(splits, input="audio", target="pitch", groups=["voice"])
options = train.Options(batch=16, device="cpu")
model = nn.zoo.dscnn(task, width=8, seed=0)
print(train.fit(model, task, splits, epochs=40, options=options, folder=sys.argv[2]).identity)
"""


@pytest.mark.slow
def test_a_kill_loses_nothing(tone_manifest: Path, tmp_path: Path) -> None:
    def command(folder: str) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(tone_manifest), str(tmp_path / folder)]

    killed = subprocess.Popen(command("killed"), stdout=subprocess.PIPE)
    while not (tmp_path / "killed" / "checkpoint.safetensors").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.communicate()
    resumed = subprocess.run(command("killed"), capture_output=True, text=True, check=True)
    whole = subprocess.run(command("whole"), capture_output=True, text=True, check=True)
    assert resumed.stdout == whole.stdout != ""


def test_a_checkpoint_of_another_training_is_said_and_left(
        tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, folder=tmp_path)
    other = train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, folder=tmp_path, seed=1)
    assert "another training" in caplog.text
    assert other.identity == train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, seed=1).identity


def test_a_damaged_checkpoint_is_said(tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path,
                                      caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"\x00" * 100)
    train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, folder=tmp_path)
    assert "cannot be read" in caplog.text


def test_a_teacher_pulls_the_student_towards_it(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def contrary(arrays: Arrays) -> Arrays:
        return {"logits": np.tile(np.array([0, 9, 0], np.float32), (len(arrays["audio"]), 1))}

    options = train.Options(batch=16, teacher_weight=1.0, keep="last", device="cpu")
    student = train.fit(start(tone_task), tone_task, tones, epochs=15, options=options, teacher=contrary)
    answers = tasks.evaluate(student, tone_task, tones.test).answers
    assert answers.count("low") > 0.9 * len(answers)


def test_patience_stops_early(tone_task: tasks.Classify, tones: data.Splits) -> None:
    options = train.Options(batch=16, patience=1, learning_rate=1.0, device="cpu")
    fitted = train.fit(start(tone_task), tone_task, tones, epochs=60, options=options)
    assert len(fitted.history) < 60


def test_a_loss_that_is_not_finite_is_an_error(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def lost(arrays: Arrays) -> Arrays:
        return {"logits": np.full((len(arrays["audio"]), 3), np.inf, np.float32)}

    with pytest.raises(LinnetError, match="diverged"):
        train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, teacher=lost)


@pytest.mark.parametrize("wrong", [{"keep": "first"}, {"label_smoothing": 2.0}, {"batch": 0}, {"patience": 0},
                                   {"temperature": 0.0}, {"weight_decay": -0.1}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(LinnetError, match=next(iter(wrong))):
        train.Options(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [
    {"batch": "8"}, {"batch": 8.0}, {"patience": 2.5}, {"threads": True}, {"learning_rate": "fast"}, {"clip": None},
    {"compile": "no"}, {"keep": 1}, {"cache": None}, {"optimizer": ["sgd"]}, {"balance": 3}, {"temperature": "warm"},
    {"ema": float("nan")}])
def test_options_of_another_kind_are_said(wrong: dict[str, object]) -> None:
    name, value = next(iter(wrong.items()))
    with pytest.raises(LinnetError, match=rf"^(unknown )?{name}\b.*{re.escape(str(value))}"):
        train.Options(**wrong)  # type: ignore[arg-type]


def test_options_take_whole_numbers_of_numpy() -> None:
    options = train.Options(batch=np.int64(8), label_smoothing=0, ema=np.float32(0.5))  # type: ignore[arg-type]
    assert (type(options.batch), type(options.ema)) == (int, float)
    assert options == train.Options(batch=8, label_smoothing=0.0, ema=0.5)


@pytest.mark.parametrize("wrong", [{"epochs": 1.5}, {"epochs": "3"}, {"epochs": 0}, {"seed": "a"}, {"seed": -1},
                                   {"seed": 0.5}, {"epochs": True}])
def test_epochs_and_seed_are_checked(tone_task: tasks.Classify, tones: data.Splits, wrong: dict[str, Any]) -> None:
    with pytest.raises(LinnetError, match=rf"^{next(iter(wrong))} "):
        train.fit(start(tone_task), tone_task, tones, options=OPTIONS, **wrong)


def test_augmentation_is_read_from_json() -> None:
    assert train.augmentation([{"step": "gain", "low_db": -3}]) == Augment([Gain(low_db=-3)])
    assert train.augmentation(None) == train.augmentation([]) == Augment([])


@pytest.mark.parametrize("wrong", [["word_dropout"], {"step": "gain"}, 3, [3], [Gain()], True, Gain()])
def test_augmentation_of_another_kind_is_said(wrong: Any) -> None:
    with pytest.raises(LinnetError, match=r"augment.*\{'step': 'gain'"):
        train.augmentation(wrong)


def test_noise_from_the_test_part_is_refused(tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="are in the test part"):
        train.fit(start(tone_task), tone_task, tones, options=OPTIONS, augment=Augment([Background(tones.test)]))


def test_an_unknown_device_lists_the_known_ones() -> None:
    from linnet.train import devices

    for name in ("abacus", "cpu:x"):
        with pytest.raises(LinnetError, match=r"this machine has: .*cpu"):
            devices.pick(name)


def test_silence_trains_to_finite_numbers(tone_task: tasks.Classify) -> None:
    silent = tone_task.prepare([Audio(np.zeros(2400, np.float32), 8000)])
    assert np.isfinite(start(tone_task)(silent)["logits"]).all()


def test_a_checkpoint_that_cannot_be_written_is_said_and_the_old_one_survives(
        tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"the old one")
    path.with_name("checkpoint.safetensors.partial").mkdir()
    with pytest.raises(LinnetError, match="cannot be written"):
        train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, folder=tmp_path)
    assert path.read_bytes() == b"the old one"


def test_a_teacher_with_other_labels_is_refused(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def other(arrays: Arrays) -> Arrays:
        return {"logits": np.zeros((len(arrays["audio"]), 1), np.float32)}

    with pytest.raises(LinnetError, match="the teacher answers with 1 logits a sample, the task has 3 labels"):
        train.fit(start(tone_task), tone_task, tones, epochs=1, options=OPTIONS, teacher=other)
