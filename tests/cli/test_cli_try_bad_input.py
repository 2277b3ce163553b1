"""What people really put in: silence, noise, music, clipped and telephone sounds, 200 ms and 10 minutes, odd texts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper
from onnx_files import table_bytes, tones_bytes

from linnet import data, export, nn, runtime, tasks
from linnet.cli.app import answer
from linnet.runtime import ArraySpec, Card, with_metadata

RATE = 8000
HOP = 80


def loudness_file(path: Path, task: tasks.Transcribe) -> Path:
    """A frame each 10 ms says the first label where it is loud, else nothing; recordings of any length."""
    labels = 1 + len(task.labels)
    kernel = np.full((1, 1, HOP), 1 / HOP, np.float32)
    weights = np.zeros((1, labels), np.float32)
    weights[0, 1] = 20
    bias = np.full(labels, -20, np.float32)
    bias[:2] = 0, -1
    nodes = [helper.make_node("Abs", ["audio"], ["loud"]), helper.make_node("Unsqueeze", ["loud", "one"], ["channel"]),
             helper.make_node("Conv", ["channel", "kernel"], ["mean"], strides=[HOP], pads=[HOP, HOP]),
             helper.make_node("Transpose", ["mean"], ["frames"], perm=[0, 2, 1]),
             helper.make_node("MatMul", ["frames", "weights"], ["scores"]),
             helper.make_node("Add", ["scores", "bias"], ["logits"])]
    stored = {"kernel": kernel, "weights": weights, "bias": bias, "one": np.array([1])}
    graph = helper.make_graph(
        nodes, "loudness", [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", "samples"]),
                            helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "frames", labels])],
        [numpy_helper.from_array(values, name) for name, values in stored.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    card = Card(name="loudness", task=task.to_json(), parameters=2, linnet_version="0.1.0", labels=task.labels,
                input={name: ArraySpec(dtype=dtype, shape=shape) for name, (dtype, shape) in task.arrays.items()},
                output={"logits": ArraySpec(dtype="float32", shape=(None, labels))})
    path.write_bytes(with_metadata(model.SerializeToString(), {"linnet.card": card.to_json()}))
    return path


@pytest.fixture
def window(tmp_path: Path, tone_task: tasks.Classify) -> Path:
    """Names the pitch of the 0.3 s in the middle."""
    (tmp_path / "tones.onnx").write_bytes(tones_bytes(tone_task))
    return tmp_path / "tones.onnx"


@pytest.fixture
def whole(tmp_path: Path, tunes: data.Splits) -> Path:
    """Says "high" for each loud stretch of a recording of any length."""
    return loudness_file(tmp_path / "notes.onnx", tasks.Transcribe(tunes, input="audio", target="notes"))


def music(seconds: float, rate: int = RATE) -> np.ndarray:
    """A melody over a chord, three harmonics a note."""
    time = np.arange(round(seconds * rate)) / rate
    notes = [262, 330, 392, 523][: max(1, round(4 * min(1, seconds)))]
    melody = np.array(notes)[(4 * time).astype(int) % len(notes)]
    phase = 2 * np.pi * np.cumsum(melody) / rate
    wave = sum(np.sin(phase * harmonic) / harmonic for harmonic in (1, 2, 3)) + np.sin(2 * np.pi * 131 * time)
    return 0.2 * wave / np.abs(wave).max()


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, round(seconds * rate)).clip(-1, 1)


SOUNDS = {"silence": np.zeros(RATE), "noise": noise(1), "music": music(1), "200 ms": music(0.2),
          "clipped": (20 * music(1)).clip(-1, 1), "one sample": np.array([0.1])}


def shown(capsys: pytest.CaptureFixture[str], model: Path, *samples: str | Path) -> tuple[int, str, str]:
    code = answer(["try", str(model), *map(str, samples)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("file", ["window", "whole"])
def test_every_sound_gets_an_answer(sound: str, file: str, tmp_path: Path, request: pytest.FixtureRequest,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    model, path = request.getfixturevalue(file), tmp_path / "clip.wav"
    soundfile.write(path, SOUNDS[sound], RATE, subtype="PCM_16")
    code, out, said = shown(capsys, model, path)
    assert code == 0
    assert out.startswith(f"{path}: ")
    assert len(out.splitlines()) == 1
    assert ("is silent; the answer means nothing" in said) == (sound == "silence")
    assert ("is clipped" in said) == (sound == "clipped")
    if file == "whole":
        assert (": nothing" in out) == (sound in ("silence", "noise", "one sample"))


def test_ten_minutes_are_heard_to_their_end(whole: Path, window: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    path, wave = tmp_path / "long.wav", np.zeros(600 * RATE)
    wave[-RATE:] = music(1)
    soundfile.write(path, wave, RATE, subtype="PCM_16")
    assert shown(capsys, whole, path)[:2] == (0, f"{path}: high\n")
    code, _, said = shown(capsys, window, path)
    assert code == 0
    assert "lasts 600 s: only the 0.3 s in its middle were heard" in said


def test_a_recording_longer_than_the_task_takes_is_refused(tmp_path: Path, tunes: data.Splits,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    model = loudness_file(tmp_path / "n.onnx", tasks.Transcribe(tunes, input="audio", target="notes", seconds=2.0))
    soundfile.write(tmp_path / "long.wav", music(5), RATE)
    code, out, said = shown(capsys, model, tmp_path / "long.wav")
    assert (code, out) == (3, "")
    assert "lasts 5 s; this task takes up to 2 s. Cut it into pieces" in said


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "GSM610"])
def test_telephone_recordings(subtype: str, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, music(1), RATE, subtype=subtype)
    assert shown(capsys, whole, path) == (0, f"{path}: high\n", "")


def test_a_telephone_call_at_a_higher_rate_is_said(window: Path, tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    call = data.resample(data.Audio(noise(3).astype(np.float32), RATE), 16_000)
    path = tmp_path / "call.wav"
    soundfile.write(path, call.samples, 16_000, subtype="PCM_16")
    said = shown(capsys, window, path)[2]
    assert "call.wav holds nothing above 4." in said
    assert "as if it came over a telephone" in said
    assert "resampled from 16000 Hz to the 8000 Hz" in said
    soundfile.write(path, noise(3, 16_000), 16_000, subtype="PCM_16")
    assert "over a telephone" not in shown(capsys, window, path)[2]


def test_a_recording_cut_off_in_the_middle_is_refused(whole: Path, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, music(1), RATE, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:9000])
    code, out, said = shown(capsys, whole, path)
    assert (code, out) == (3, "")
    assert "is cut off" in said


TEXTS = {"empty": "", "spaces": " \t ", "another script": "कल बारिश होगी क्या", "right to left": "ما الطقس غدا",
         "pictures": "🎵🎵", "signs": "?!..."}


@pytest.mark.parametrize("kind", ["classify", "tag"])
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_gets_an_answer_and_what_is_not_known_is_said(text: str, kind: str, tmp_path: Path,
                                                                 sentences: data.Splits,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    target = {"classify": "intent", "tag": "slots"}[kind]
    task = tasks.TASKS[kind](sentences, input="text", target=target, tokenizer="word")
    path = tmp_path / "texts.onnx"
    path.write_bytes(table_bytes(task, np.zeros((task.tokenizer.size, task.output[1][-1]))))
    code, out, said = shown(capsys, path, TEXTS[text])
    assert code == 0
    assert out.count("\n") == TEXTS[text].count("\n") + 1
    assert "holds nothing that the model knows; the answer means nothing" in said


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, sentences: data.Splits) -> None:
    """A shell hands over what is no UTF-8 as lone surrogates."""
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word")
    path = tmp_path / "texts.onnx"
    path.write_bytes(table_bytes(task, np.zeros((task.tokenizer.size, 3))))  # type: ignore[union-attr]
    done = subprocess.run([sys.executable, "-m", "linnet", "try", path, b"caf\xe9"], capture_output=True, check=False)
    assert done.returncode == 3
    assert b"holds bytes that are no UTF-8" in done.stderr


def test_a_stream_says_the_same_of_a_recording(tmp_path: Path, tunes: data.Splits,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    model = export.write(nn.zoo.crnn(task, width=8, causal=True), task, tmp_path / "stream.onnx")
    for sound, rate, channels, said in (("silence", RATE, 1, "is silent"), ("clipped", RATE, 1, "is clipped"),
                                        ("music", 2 * RATE, 1, "was resampled from"),
                                        ("noise", RATE, 2, "has 2 channels, which were mixed")):
        wave = np.repeat(SOUNDS[sound][:, None], channels, axis=1)
        soundfile.write(tmp_path / "clip.wav", wave, rate, subtype="PCM_16")
        code, _, notes = shown(capsys, model, "--stream", tmp_path / "clip.wav")
        assert code == 0
        assert said in notes
        assert shown(capsys, model, tmp_path / "clip.wav")[2] == notes
    code, out, said = shown(capsys, model, "--stream", tmp_path)
    assert (code, out) == (3, "")
    assert "a folder; give the files in it" in said


def test_what_is_odd_about_a_sample_to_be_judged_is_said(recitals: data.Splits, tunes: data.Splits, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    ears = loudness_file(tmp_path / "ears.onnx", tasks.Transcribe(tunes, input="audio", target="notes"))
    task = tasks.Assess(recitals, acoustic=runtime.load(ears))
    scorer = export.write(nn.zoo.phonescorer(task, width=8), task, tmp_path / "scorer.onnx")
    monkeypatch.chdir(tmp_path)
    soundfile.write("clip.wav", np.repeat(music(1, 16000)[:, None], 2, axis=1), 16000)
    code, _, notes = shown(capsys, scorer, '{"audio": "clip.wav", "words": ["low"]}')
    assert (code, "was resampled" in notes, "2 channels" in notes) == (0, True, True)
    for audio, rest, said in (("5", '"words": ["low"]', '"audio" is the path of a recording; got 5'),
                              ("null", '"words": ["low"]', '"audio" is the path of a recording; got null'),
                              ('"clip.wav"', '"text": 5', "a text is"),
                              ('"clip.wav"', '"words": "low"', "words are a list"),
                              ('"."', '"words": ["low"]', "a folder"),
                              ('"gone.wav"', '"words": ["low"]', "cannot be opened")):
        code, _, notes = shown(capsys, scorer, f'{{"audio": {audio}, {rest}}}')
        assert code == 3
        assert said in notes


@pytest.mark.parametrize("tokenizer", ["character", "word"])
def test_a_text_of_spaces_is_said_to_hold_nothing(tokenizer: str, tmp_path: Path, sentences: data.Splits,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer=tokenizer)
    (tmp_path / "texts.onnx").write_bytes(table_bytes(task, np.zeros((task.tokenizer.size, len(task.labels)))))
    code, _, notes = shown(capsys, tmp_path / "texts.onnx", "   ")
    assert code == 0
    assert "'   ' holds nothing that the model knows; the answer means nothing" in notes
