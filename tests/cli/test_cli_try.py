from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from onnx_files import table_bytes
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


def by_word(task: tasks.Classify | tasks.Tag, **words: list[float]) -> np.ndarray:
    """Each token's row of logits; zeros where nothing is said."""
    assert task.tokenizer is not None
    table = np.zeros((task.tokenizer.size, task.output[1][-1] or 0))
    for word, row in words.items():
        table[task.tokenizer.tokens.index(word)] = row
    return table


@pytest.fixture
def intents(tmp_path: Path, sentences: data.Splits) -> Path:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word", length=6)
    path = tmp_path / "intents.onnx"
    path.write_bytes(table_bytes(task, by_word(task, soup=[3, 0, 0], warm=[0, 0, 2])))
    return path


def test_texts_are_asked_as_they_stand(intents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["try", str(intents), "how warm is it", "Order soup"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ("how warm is it: weather (0.79), then food (0.11)\n"
                         "Order soup: food (0.91), then travel (0.05)\n")
    assert shown.err == ""


def test_what_of_a_text_was_not_read_is_said(intents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["try", str(intents), "will it rain in oslo on monday", "xyzzy"]) == 0
    said = capsys.readouterr().err
    assert "'will it rain in oslo on monday' has 7 tokens: only the first 6 were read" in said
    assert "'xyzzy' holds nothing that the model knows; the answer means nothing" in said


def test_many_labels_are_listed(tmp_path: Path, sentences: data.Splits, capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.Classify(sentences, input="text", target="topics", tokenizer="word")
    path = tmp_path / "topics.onnx"
    path.write_bytes(table_bytes(task, by_word(task, rome=[3, -1], soup=[-1, 3], order=[-2, 0])))
    assert answer(["try", str(path), "soup in rome", "order", "order soup"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "soup in rome: city (0.88), dish (0.88)", "order: none; next dish (0.50)",
        "order soup: dish (0.95); next city (0.05)"]


def test_spans_are_listed(tmp_path: Path, sentences: data.Splits, capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.Tag(sentences, input="text", target="slots", tokenizer="word")
    tag = np.eye(len(task.tags)) * 3
    path = tmp_path / "slots.onnx"
    path.write_bytes(table_bytes(task, by_word(task, new=tag[1], york=tag[2], tomorrow=tag[3], rice=tag[5])))
    assert answer(["try", str(path), "rice in New York tomorrow", "hello"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "rice in New York tomorrow: dish 'rice' (0 to 4), city 'New York' (8 to 16), day 'tomorrow' (17 to 25)",
        "hello: no spans"]


def test_rows_are_json(tmp_path: Path, numbers: data.Splits, capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.Regress(numbers, input=["length", "colour"], target="weight", tolerance=1)
    path = tmp_path / "weight.onnx"
    path.write_bytes(table_bytes(task, np.array([[1.0], [0], [0]])))
    good = json.dumps({"length": task.takes.fields[0].mean, "colour": "red"})  # type: ignore[attr-defined]
    assert answer(["try", str(path), "a", '{"length": "3", "colour": "red"}', "[]", good]) == 3
    shown = capsys.readouterr()
    assert float(shown.out.removeprefix(f"{good}: ")) == pytest.approx(task.mean, rel=1e-4)
    assert "a: not JSON" in shown.err
    assert "column 'length' takes numbers; it was given '3'" in shown.err
    assert "[]: this task takes rows" in shown.err
    assert answer(["try", str(path), '{"lenght": 3, "colour": "red"}']) == 3
    assert "unknown column 'lenght'; did you mean 'length'? Known: colour, length" in capsys.readouterr().err


def test_the_name_of_a_file_is_no_text(intents: Path, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(intents.parent)
    (intents.parent / "order.txt").write_text("order soup")
    assert answer(["try", str(intents), "order.txt", "order " * 9000]) == 0
    assert "note: 'order.txt' is a file here: its name was taken as a text" in capsys.readouterr().err


def test_a_folder_is_no_recording(proven: Path, tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "birds" / "owl").mkdir(parents=True)
    clip.rename(tmp_path / "birds" / "owl" / "one.wav")
    (tmp_path / "empty").mkdir()
    assert answer(["try", str(proven), str(tmp_path / "birds"), str(tmp_path / "empty")]) == 3
    said = capsys.readouterr().err
    assert f"a folder; give the files in it, such as {tmp_path}/birds/*/*.wav." in said
    assert f"such as {tmp_path}/empty/*." in said
