"""A stream answers as the whole recording does, whatever the chunks: every causal family, in float and in 8 bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from linnet import export, nn, runtime, tasks
from linnet.cli.app import answer
from linnet.errors import LinnetError
from linnet.export.samples import made_up
from linnet.nn import zoo
from linnet.nn.carrying import Carrying

RATE, SECONDS = 8000, 1.3
FAMILIES: dict[str, Callable[..., nn.Model]] = {
    "crnn": partial(zoo.crnn, width=8), "conformer": partial(zoo.conformer, width=8),
    "dscnn": partial(zoo.dscnn, width=8), "resnet": partial(zoo.resnet, depth=8),
    "mobilenet": partial(zoo.mobilenet, width=0.1), "bcresnet": zoo.bcresnet,
}
WHOLE, WINDOW = "transcribe", "classify"
CASES = [(family, kind, bits) for family in FAMILIES for bits in (None, 8)
         for kind in ((WHOLE, WINDOW) if family in ("crnn", "conformer") else (WINDOW,))]


def task_of(kind: str) -> tasks.Task:
    if kind == WHOLE:
        return tasks.from_json({
            "kind": "transcribe", "target": "said", "groups": [], "labels": list("abcd"), "is_text": True,
            "takes": {"kind": "audio_sequence", "column": "audio", "sample_rate_hz": RATE, "seconds": None}})
    return tasks.from_json({
        "kind": "classify", "target": "said", "groups": [], "labels": list("abc"), "choice": "one",
        "takes": {"kind": "audio_window", "column": "audio", "sample_rate_hz": RATE, "samples": RATE // 2}})


def exported(folder: Path, family: str, kind: str, bits: int | None) -> runtime.Shipped:
    model = FAMILIES[family](task_of(kind), causal=True, seed=1)
    if bits is not None:
        model = replace(model, encoding=nn.Encoding(bits=bits), calibration=made_up(model.spec))
    return runtime.load(export.write(model, task_of(kind), folder / "stream.onnx"))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> runtime.Shipped:
    return exported(tmp_path_factory.mktemp("stream"), "crnn", WHOLE, None)


def sound(seconds: float = SECONDS) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE))
    return (np.random.default_rng(3).normal(0, 0.2, len(time)) * np.sin(time / 2000) ** 2).astype(np.float32)


def whole(shipped: runtime.Shipped, samples: NDArray[np.float32]) -> NDArray[Any]:
    lengths = {"lengths": np.array([len(samples)])} if "lengths" in shipped.card.input else {}
    return shipped({"audio": samples[np.newaxis], **lengths})["logits"]


def streamed(stream: runtime.Stream, samples: NDArray[np.float32], sizes: Callable[[], int]) -> NDArray[Any]:
    """Every answer, those of the chunks and that of the end."""
    given, start = [], 0
    while start < len(samples):
        size = sizes()
        given.append(stream.update(samples[start : start + size]))
        start += size
    given.append(stream.finish())
    return np.concatenate([answer["logits"] for answer in given if answer is not None],
                          axis=0 if stream.is_pooled else 1)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "kind", "bits"), CASES)
def test_every_causal_family_streams_as_it_hears_the_whole(family: str, kind: str, bits: int | None,
                                                          tmp_path: Path) -> None:
    shipped = exported(tmp_path, family, kind, bits)
    samples = sound() if kind == WHOLE else sound()[: RATE // 2]
    expected = whole(shipped, samples)
    real = np.abs(expected) < 1e3  # beyond the end the blank is certain
    first = streamed(runtime.Stream(shipped), samples, lambda: 1111)
    again = streamed(runtime.Stream(shipped), samples, lambda: 97)
    np.testing.assert_array_equal(again, first)
    got = first[-1:] if kind == WINDOW else first
    assert got.shape == expected.shape
    largest = np.abs(expected[real]).max()
    assert np.abs(got - expected)[real].max() <= (1e-6 * max(1, largest) if bits is None else 0.05 * largest)


@pytest.mark.parametrize("steps", [1, 5])
def test_any_chunks_give_the_answers_of_the_whole(shipped: runtime.Shipped, steps: int) -> None:
    samples = sound()
    expected = whole(shipped, samples)
    stream, rng = runtime.Stream(shipped, steps), np.random.default_rng(0)
    answers = [streamed(stream, samples, sizes) for sizes in (
        lambda: 1, lambda: 320, lambda: len(samples), lambda: int(rng.integers(1, 3000)))]
    for given in answers:
        np.testing.assert_array_equal(given, answers[0])
    assert answers[0].shape == expected.shape == (1, 33, 5)
    np.testing.assert_allclose(answers[0], expected, atol=1e-6)


def test_answers_come_when_they_are_due_and_a_reset_forgets(shipped: runtime.Shipped) -> None:
    stream, samples = runtime.Stream(shipped), sound()
    assert (stream.step_samples, stream.sample_rate_hz, stream.update(samples[:319])) == (320, RATE, None)
    first = stream.update(samples[319:320])
    assert first is not None
    assert first["logits"].shape == (1, 1, 5)
    assert (stream.heard, stream.update(samples[320:330])) == (320, None)
    stream.reset()
    again = stream.update(samples[:320])
    assert again is not None
    np.testing.assert_array_equal(again["logits"], first["logits"])
    more = stream.update(samples[:320])
    assert more is not None
    assert np.abs(more["logits"] - first["logits"]).max() > 1e-6
    assert stream.finish() is None
    assert stream.heard == 0


def test_one_buffer_serves_the_whole_stream(shipped: runtime.Shipped) -> None:
    stream = runtime.Stream(shipped)
    block = stream._block
    streamed(stream, sound(), lambda: 123)
    assert stream._block is block
    assert stream._inputs["audio"] is block


@pytest.mark.parametrize(("samples", "message"), [
    (np.zeros((1, 320), np.float32), r"\(n,\) float32; received \(1, 320\)"),
    (np.zeros(320, np.int16), "int16. Divide 16-bit samples by 32768"),
    (np.full(320, np.nan, np.float32), "NaN or infinite"),
])
def test_what_cannot_be_heard_is_refused_and_harms_nothing(shipped: runtime.Shipped, samples: NDArray[Any],
                                                           message: str) -> None:
    stream = runtime.Stream(shipped)
    stream.update(sound()[:320])
    with pytest.raises(LinnetError, match=message):
        stream.update(samples)
    after = stream.update(sound()[320:640])
    assert after is not None
    np.testing.assert_allclose(after["logits"], whole(shipped, sound()[:640])[:, 1:], atol=1e-6)


def test_a_file_whose_card_speaks_of_no_state_takes_no_stream(shipped: runtime.Shipped) -> None:
    said = json.loads(shipped.card.to_json())
    del said["state"], said["step_samples"]
    before = replace(shipped, card=runtime.Card.model_validate(said))
    assert (before.card.state, before.card.step_samples) == ({}, None)
    with pytest.raises(LinnetError, match=r"takes no stream: its network hears the future.*causal: true"):
        runtime.Stream(before)


def test_streams_of_a_file_share_a_session_in_which_every_size_is_known(shipped: runtime.Shipped) -> None:
    first, second = runtime.Stream(shipped), runtime.Stream(shipped)
    assert first._session is second._session
    assert {name: port.shape for name, port in first._session.inputs.items()} == {
        "audio": (1, 320), **{f"state.{name}": (1, *spec.shape) for name, spec in shipped.card.state.items()}}
    assert runtime.Stream(shipped, steps=3)._session.inputs["audio"].shape == (1, 960)
    arrays = {name: np.zeros((1, *shape), dtype) for name, (dtype, shape) in {
        "audio": ("float32", (320,)), **{name: (port.dtype, port.shape[1:]) for name, port in
                                         first._session.inputs.items() if name != "audio"}}.items()}
    whole = shipped.session.operators({**arrays, "lengths": np.array([320])})
    counts = [sum(map(sum, (kinds.values() for kinds in found.values())))
              for found in (first._session.operators(arrays), whole)]
    assert counts[0] < counts[1] / 2


def test_what_a_file_computes_in_eight_bits_a_stream_does_too(tmp_path: Path) -> None:
    file = exported(tmp_path, "conformer", WHOLE, 8)
    stream = runtime.Stream(file)
    arrays = {name: np.zeros(tuple(map(int, port.shape)), port.dtype)  # type: ignore[arg-type]
              for name, port in stream._session.inputs.items()}
    whole = file.session.operators({**arrays, "lengths": np.array([stream.block_samples])})["int8"]
    products = {name: count for name, count in whole.items() if "MatMul" in name or "Conv" in name or "Gemm" in name}
    assert products
    assert products == {name: stream._session.operators(arrays)["int8"].get(name) for name in products}


def test_steps_are_at_least_one(shipped: runtime.Shipped) -> None:
    with pytest.raises(LinnetError, match="steps is how many steps are heard at a time, 1 or more; got 0"):
        runtime.Stream(shipped, 0)


def test_the_card_says_what_is_kept_and_how_many_samples_a_step_has(shipped: runtime.Shipped) -> None:
    assert shipped.card.step_samples == 320
    assert {name: spec.shape for name, spec in shipped.card.state.items()} == {
        "front": (160,), "front.normalisation": (1,), "stem.first": (1, 1, 40), "stem.second": (4, 1, 20),
        "gru1": (8,), "gru2": (8,)}
    assert {f"state.{name}" for name in shipped.card.state} < set(shipped.session.inputs)
    assert {f"next.{name}" for name in shipped.card.state} < set(shipped.session.outputs)


def test_try_plays_a_recording_into_the_stream_and_answers_as_they_come(
        shipped: runtime.Shipped, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, samples = tmp_path / "clip.wav", np.concatenate([sound(), np.zeros(RATE // 2, np.float32), sound()])
    soundfile.write(clip, samples, RATE, subtype="FLOAT")
    assert answer(["try", str(shipped.path), "--stream", str(clip), str(tmp_path / "gone.wav")]) == 3
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    seconds = [float(line.removeprefix(f"{clip}: ").split(" s: ")[0]) for line in lines]
    assert seconds == sorted(set(seconds))
    assert 0 < seconds[0] <= 0.2
    assert "gone.wav" in shown.err
    assert answer(["try", str(shipped.path), str(clip)]) == 0
    assert lines[-1].split(" s: ")[1] == capsys.readouterr().out.strip().removeprefix(f"{clip}: ")


def test_try_tells_events_while_they_last_as_of_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = tasks.from_json({
        "kind": "detect", "target": "said", "groups": [], "labels": ["loud"], "frame_ms": 40.0, "delay_ms": 80.0,
        "takes": {"kind": "audio_sequence", "column": "audio", "sample_rate_hz": RATE, "seconds": None},
        "rule": {"threshold": 0.5, "hysteresis": 0.0, "smooth_ms": 0.0, "least_ms": 0.0, "gap_ms": 0.0}})
    model = zoo.crnn(task, width=8, causal=True, seed=1)
    clip, samples = tmp_path / "clip.wav", np.concatenate([sound(), np.zeros(RATE // 2, np.float32), sound()])
    soundfile.write(clip, samples, RATE, subtype="FLOAT")
    logits = model({"audio": samples[None], "lengths": np.array([len(samples)])})["logits"][0]
    middle = float(np.median(logits[:, 1] - logits[:, 0]))
    bias = model.module.get_parameter("head.bias")  # half of the frames are now above the threshold
    with torch.no_grad():
        bias.add_(torch.tensor([middle, 0.0]))
    path = export.write(model, task, tmp_path / "loud.onnx")
    assert answer(["try", str(path), "--stream", str(clip)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert answer(["try", str(path), str(clip)]) == 0
    whole = capsys.readouterr().out.strip().removeprefix(f"{clip}: ")
    assert "loud (" in whole
    assert len(lines) > 2
    assert lines[-1].split(" s: ")[1] == whole


def test_a_network_that_forgets_between_chunks_does_not_ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Carrying.keep
    monkeypatch.setattr(Carrying, "keep", lambda self, value, part="": keep(self, 0.5 * value, part))
    with pytest.raises(LinnetError, match=r"given chunk by chunk does: .*Nothing was written"):
        exported(tmp_path, "crnn", WHOLE, None)
    assert not list(tmp_path.iterdir())
