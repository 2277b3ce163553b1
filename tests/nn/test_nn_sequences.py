"""Families over sequences, images in patches and tables: every answer, no padding, no future, the same seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stand_in import RATE, StandIn, answers, batch_of, pictures, recordings, rows, texts, windows

from linnet import nn, tasks
from linnet.errors import LinnetError

READING, LISTENING = ("gru", "textcnn", "transformer"), ("conformer", "crnn")
EVERY: list[tuple[str, StandIn]] = [
    *((family, texts(output)) for family in READING for output in answers(20)),
    *((family, recordings(output)) for family in LISTENING for output in answers(None)),
    *((family, windows(output)) for family in LISTENING for output in answers(None)),
    *(("mlp", rows(output)) for output in answers()), *(("vit", pictures(output)) for output in answers())]


def model_of(family: str, task: StandIn, **options: Any) -> nn.Model:
    return nn.FAMILIES[family](task, width=8, **options)


@pytest.mark.parametrize(("family", "task"), EVERY)
def test_every_answer_has_its_shape_and_the_spec_builds_it_again(family: str, task: StandIn) -> None:
    model = model_of(family, task, seed=3)
    name, shape = task.output
    answer = model(batch_of(task))[name]
    assert answer.shape[0] == 3
    assert all(wanted in (None, size) for wanted, size in zip(shape, answer.shape[1:], strict=True))
    assert np.isfinite(answer).all()
    assert nn.build(json.loads(json.dumps(model.spec)), seed=3).identity == model.identity
    assert nn.build(model.spec, seed=4).identity != model.identity


@pytest.mark.parametrize(("family", "task"), [("gru", texts()), ("crnn", recordings()), ("vit", pictures())])
def test_what_is_saved_is_loaded(family: str, task: StandIn, tmp_path: Path) -> None:
    model = model_of(family, task)
    nn.save(model, tmp_path)
    np.testing.assert_array_equal(nn.load(tmp_path)(batch_of(task))["logits"], model(batch_of(task))["logits"])


@pytest.mark.parametrize("family", READING)
@pytest.mark.parametrize("output", answers(20))
def test_more_padding_behind_a_text_changes_nothing(family: str, output: tuple[str, tuple[int | None, ...]]) -> None:
    model, arrays = model_of(family, texts(output)), batch_of(texts(output))
    longer = nn.build(json.loads(json.dumps(model.spec).replace("[20", "[27")), seed=0)
    answer, again = (found(values)[output[0]] for found, values in (
        (model, arrays), (longer, {"tokens": np.pad(arrays["tokens"], ((0, 0), (0, 7)))})))
    if answer.ndim == 3:
        real = arrays["tokens"] != 0
        np.testing.assert_allclose(again[:, :20][real], answer[real], atol=1e-5)
    else:
        np.testing.assert_allclose(again, answer, atol=1e-5)


def test_a_text_that_fills_its_room_hears_of_padding_too() -> None:
    model = model_of("textcnn", texts())
    with torch.no_grad():  # what a group of nothing but padding says is then the loudest
        for layer in ("groups1", "groups4"):
            model.module.get_parameter(f"layers.{layer}.conv.weight").abs_().mul_(-1)
            model.module.get_parameter(f"layers.{layer}.conv.bias").fill_(1)
        model.module.get_parameter("layers.embedding.table.weight").abs_()
    longer = nn.build(json.loads(json.dumps(model.spec).replace("[20", "[27")))
    longer.module.load_state_dict(model.module.state_dict())
    full = np.random.default_rng(0).integers(1, 50, (2, 20))
    np.testing.assert_allclose(longer({"tokens": np.pad(full, ((0, 0), (0, 7)))})["logits"],
                               model({"tokens": full})["logits"], atol=1e-5)


@pytest.mark.parametrize("family", LISTENING)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("output", answers(None))
def test_more_padding_behind_a_recording_changes_nothing(
        family: str, causal: bool, output: tuple[str, tuple[int | None, ...]]) -> None:
    task = recordings(output)
    model, arrays = model_of(family, task, causal=causal), batch_of(task)
    longer = {**arrays, "audio": np.pad(arrays["audio"], ((0, 0), (0, 1777)))}
    answer, again = model(arrays)[output[0]], model(longer)[output[0]]
    if answer.ndim == 3:
        np.testing.assert_allclose(again[:, : answer.shape[1]], answer, atol=1e-5)
        assert set(again[:, answer.shape[1]:].argmax(axis=2).flat) == {0}
    else:
        np.testing.assert_allclose(again, answer, atol=1e-5)
    alone = model({"audio": arrays["audio"][2:, : arrays["lengths"][2]], "lengths": arrays["lengths"][2:]})[output[0]]
    np.testing.assert_allclose(alone[0], answer[2][: len(alone[0])], atol=1e-5)


@pytest.mark.parametrize("family", LISTENING)
def test_beyond_a_recording_nothing_is_said_for_certain(family: str) -> None:
    logits = model_of(family, recordings(("logits", (None, 5))))(batch_of(recordings()))["logits"]
    probabilities = torch.from_numpy(logits[2, -1]).softmax(dim=0)
    assert probabilities.tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("family", LISTENING)
def test_no_frame_of_a_causal_network_hears_a_later_one(family: str) -> None:
    task, samples = recordings(("logits", (None, 5))), 4000
    arrays = {"audio": batch_of(task)["audio"], "lengths": np.full(3, 8000)}
    other = {**arrays, "audio": np.concatenate([arrays["audio"][:, :samples], arrays["audio"][:, samples:] * -3], 1)}
    changed = {causal: np.abs(model(arrays)["logits"] - model(other)["logits"]).max(axis=(0, 2))
               for causal in (False, True) for model in [model_of(family, task, causal=causal)]}
    frame = samples // 320 - 1
    assert changed[True][:frame].max() <= 1e-6 < 1e-5 < changed[True][frame:].max()
    assert changed[False][:frame].max() > 1e-5


def test_an_empty_text_gets_an_answer() -> None:
    for family in READING:
        assert np.isfinite(model_of(family, texts())({"tokens": np.zeros((1, 20), np.int64)})["logits"]).all()


@pytest.mark.parametrize("family", LISTENING)
@pytest.mark.parametrize("samples", [1, 79, 300])
def test_a_sound_shorter_than_a_frame_says_nothing(family: str, samples: int) -> None:
    model = model_of(family, recordings(("logits", (None, 5))))
    logits = model({"audio": np.zeros((1, samples), np.float32), "lengths": np.array([samples])})["logits"]
    assert logits.shape[1] == 1
    if samples < RATE // 100:
        assert logits.argmax(axis=2).tolist() == [[0]]


def test_tokens_become_unknown_in_training_only_and_padding_never() -> None:
    spec = {**model_of("textcnn", texts()).spec, "embedding_dropout": 0.0}
    embedding = nn.build(spec).module.get_submodule("layers.embedding")
    tokens = torch.full((4, 200), 7)
    tokens[:, 150:] = 0
    unknown, known = embedding.get_parameter("table.weight")[[1, 7]]
    torch.manual_seed(0)
    seen = embedding.train()(tokens)
    hidden = (seen[:, :150] == unknown).all(dim=2)
    assert 0.05 < hidden.double().mean() < 0.15
    assert ((seen[:, :150] == known).all(dim=2) | hidden).all()
    assert not seen[:, 150:].any()
    assert (embedding.eval()(tokens)[:, :150] == known).all()


@pytest.mark.parametrize(("family", "task", "options", "message"), [
    ("transformer", texts(), {"width": 12}, "width of a transformer is a multiple of 8"),
    ("transformer", rows(), {}, "transformer reads texts; the task's input is features"),
    ("textcnn", StandIn({"tokens": ("int64", (20,))}), {}, "gives token ids but has no tokenizer"),
    ("mlp", texts(), {}, "mlp takes rows of numbers; the task's input is tokens"),
    ("crnn", texts(), {}, "input is tokens. Use nn.zoo.textcnn, transformer or gru."),
    ("dscnn", texts(), {}, "Use nn.zoo.textcnn, transformer or gru."),
    ("dscnn", rows(), {}, "Use nn.zoo.mlp."),
    ("resnet", rows(), {}, "Use nn.zoo.mlp."),
    ("gru", pictures(), {}, "Use nn.zoo.resnet, smallcnn, mobilenet or vit."),
    ("gru", recordings(), {}, "input is audio, lengths. Use nn.zoo.dscnn, bcresnet, crnn or conformer."),
    ("gru", StandIn({"text": ("string", ())}), {}, "input is text. Give the task a tokenizer"),
    ("vit", pictures(size=4), {}, "at least 8 x 8"),
    ("conformer", pictures(), {}, "conformer listens to recordings"),
    ("gru", texts(), {"width": 0}, "width is the number of channels, 2 or more"),
])
def test_what_a_family_cannot_do_is_refused(family: str, task: StandIn, options: dict[str, int], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        nn.FAMILIES[family](task, **options)


def test_responses_have_a_value_a_channel(sentences: Any) -> None:
    task = tasks.Classify(sentences, input="text", target="intent")
    for family in READING:
        model = nn.FAMILIES[family](task, width=8)
        responses = model.responses(task, sentences.validation)
        assert {name: values.shape[1] for name, values in responses.items()} == {
            layer["name"]: layer["channels"] for layer in model.spec["layers"]}
