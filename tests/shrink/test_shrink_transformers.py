"""Networks of transformers, small and with random weights, from torch to the file: pruned, in 8 bits, with parity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from linnet import data, export, nn, runtime, shrink, tasks, train

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
              pytest.mark.slow]
HIDDEN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}


def made(name: str, **settings: Any) -> torch.nn.Module:
    """A network of this class with this configuration and random weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    network: torch.nn.Module = getattr(transformers, name)(
        getattr(transformers, name.partition("For")[0] + "Config")(**settings))
    return network


def shipped(model: nn.Model, task: tasks.Task, splits: data.Splits, folder: Path) -> None:
    """Pruned by importance, written in float and in 8 bits, each with parity."""
    plan = shrink.plan_by_importance(model, task, splits, keep=0.7, multiple=4, samples=32)
    small = shrink.apply(plan, model, task, splits, epochs=1, options=train.Options(batch=32, device="cpu"))
    assert nn.dependencies_of(small).macs() <= 0.7 * nn.dependencies_of(model).macs()
    file = runtime.load(export.write(small, task, folder / "float.onnx", samples=splits.validation))
    assert file.card.parity is not None
    assert file.card.parity.compared_with == "torch"
    eight = shrink.apply(shrink.Plan().quantize(), small, task, splits)
    quantized = runtime.load(export.write(eight, task, folder / "int8.onnx", samples=splits.validation))
    assert quantized.card.realised.int8
    assert quantized.card.parity is not None
    assert np.isfinite(tasks.evaluate(quantized, task, splits.test).mean)


def test_mobilenet_v2(squares: data.Splits, tmp_path: Path) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    network = made("MobileNetV2ForImageClassification", num_channels=1, image_size=8, depth_multiplier=0.25,
                   num_labels=2)
    shipped(nn.own(network, task, name="mobilenet"), task, squares, tmp_path)


def test_resnet(squares: data.Splits, tmp_path: Path) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    network = made("ResNetForImageClassification", num_channels=1, embedding_size=8, hidden_sizes=[8, 16],
                   depths=[1, 2], layer_type="basic", num_labels=2)
    shipped(nn.own(network, task, name="resnet"), task, squares, tmp_path)


def test_bert(sentences: data.Splits, tmp_path: Path) -> None:
    task = tasks.Classify(sentences, input="text", target="intent")
    network = made("BertForSequenceClassification", **HIDDEN, vocab_size=task.tokenizer.size,
                   max_position_embeddings=64, num_labels=3)
    shipped(nn.own(network, task, name="bert"), task, sentences, tmp_path)


@pytest.mark.parametrize("norm", ["group", "layer"])
def test_wav2vec2(norm: str, tunes: data.Splits, tmp_path: Path) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    network = made("Wav2Vec2ForCTC", **HIDDEN, vocab_size=4, conv_dim=(16, 16), conv_stride=(5, 16),
                   conv_kernel=(10, 16), num_feat_extract_layers=2, num_conv_pos_embeddings=16,
                   num_conv_pos_embedding_groups=4, feat_extract_norm=norm, apply_spec_augment=False)
    model = nn.own(network, task, name="wav2vec2")
    shipped(model, task, tunes, tmp_path)
    _padding_is_not_heard(model, task, tunes, tmp_path / "float.onnx")


def _padding_is_not_heard(model: nn.Model, task: tasks.Task, splits: data.Splits, path: Path) -> None:
    """Every recording alone, without padding, is answered as in a batch: by torch and by the file."""
    batch = dict(task.prepare(task.read(splits.test.take(range(4)))))
    assert len(set(batch["lengths"].tolist())) > 1
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for run in (lambda given: model(given)["logits"], lambda given: session.run(None, given)[0]):
        together = run(batch)
        for row, length in enumerate(batch["lengths"]):
            alone = run({"audio": batch["audio"][row : row + 1, :length], "lengths": batch["lengths"][row : row + 1]})
            np.testing.assert_allclose(together[row, : alone.shape[1]], alone[0], atol=1e-4)
            assert (together[row, alone.shape[1] :].argmax(axis=1) == 0).all()
