from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from proven_file import proven_file

from linnet import data, tasks
from linnet.cli.app import answer

TIME = np.arange(2400) / 8000


@pytest.fixture
def proven(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits) -> Path:
    return proven_file(tmp_path / "tones.onnx", tone_task, tones)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 800 * TIME), 8000)
    return path


def test_the_answer_and_the_runner_up(proven: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["try", str(proven), str(clip)]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{clip}: middle (")
    assert "), then " in shown.out
    assert shown.err == ""


def test_resampling_is_said(proven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fast.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 800 * np.arange(4800) / 16000), 16000)
    assert answer(["try", str(proven), str(path)]) == 0
    shown = capsys.readouterr()
    assert "middle" in shown.out
    assert "resampled from 16000 Hz to the 8000 Hz" in shown.err


def test_silence_is_said(proven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(2400), 8000)
    assert answer(["try", str(proven), str(path)]) == 0
    assert "is silent; the answer means nothing" in capsys.readouterr().err


def test_a_bad_file_is_named_and_the_others_are_answered(proven: Path, clip: Path, tmp_path: Path,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    empty, words = tmp_path / "empty.wav", tmp_path / "words.wav"
    empty.touch()
    words.write_text("not a sound")
    assert answer(["try", str(proven), str(empty), str(words), str(tmp_path / "gone.wav"), str(clip)]) == 3
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{clip}: middle")
    assert f"{empty}: " in shown.err
    assert f"{words}: " in shown.err
    assert "gone.wav: " in shown.err


def test_a_file_without_a_card_is_refused(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onnx_files import digits_bytes

    bare = tmp_path / "bare.onnx"
    bare.write_bytes(digits_bytes())
    assert answer(["try", str(bare), str(clip)]) == 3
    assert "card" in capsys.readouterr().err


def test_what_is_mixed_or_left_out_is_said(proven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.wav"
    wave = 0.5 * np.sin(2 * np.pi * 800 * np.arange(8000) / 8000)
    soundfile.write(path, np.stack([wave, wave], axis=1), 8000)
    assert answer(["try", str(proven), str(path)]) == 0
    shown = capsys.readouterr()
    assert "middle" in shown.out
    assert "long.wav has 2 channels, which were mixed to one" in shown.err
    assert "long.wav lasts 1 s: only the 0.3 s in its middle were heard" in shown.err
