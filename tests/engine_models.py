"""Models that engines of recognition really load, made by construction: nothing is trained, so they hear nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SYMBOLS = ("<unk>", "\u2581go", "ing", "<blk>")


def ctc_folder(folder: Path) -> Path:
    """A model for sherpa-onnx (NeMo's form): "go" where it is loud, "ing" where it is very loud, else nothing."""
    weights = np.zeros((80, len(SYMBOLS)), np.float32)
    weights[:, 1], weights[:, 2] = 1 / 80, 3 / 80
    bias = np.array([-100, 8, 4, 0], np.float32)
    nodes = [helper.make_node("Transpose", ["audio_signal"], ["frames"], perm=[0, 2, 1]),
             helper.make_node("MatMul", ["frames", "weights"], ["loudness"]),
             helper.make_node("Add", ["loudness", "bias"], ["scores"]),
             helper.make_node("LogSoftmax", ["scores"], ["logprobs"], axis=2)]
    graph = helper.make_graph(
        nodes, "ctc", [helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["n", 80, "frames"]),
                       helper.make_tensor_value_info("length", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["n", "frames", len(SYMBOLS)])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"vocab_size": str(len(SYMBOLS) - 1), "subsampling_factor": "1", "normalize_type": "",
                                   "model_type": "EncDecCTCModelBPE"})
    onnx.save(model, folder / "model.onnx")
    lines = [f"{symbol} {number}\n" for number, symbol in enumerate(SYMBOLS)]
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")
    return folder


def whisper_folder(folder: Path) -> Path:
    """A Whisper of one layer with random weights, in the form of CTranslate2, with a tokenizer of bytes."""
    from ctranslate2.specs import WhisperSpec

    names = _bytes_tokenizer(folder / "tokenizer.json")
    spec = WhisperSpec(1, 2, 1, 2)
    _fill(spec.encoder, np.random.default_rng(0), mels=80)
    _fill(spec.decoder, np.random.default_rng(1), names=len(names))
    spec.register_vocabulary(names)
    spec.config.suppress_ids = spec.config.suppress_ids_begin = spec.config.lang_ids = []
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
    return folder


def _bytes_tokenizer(path: Path) -> list[str]:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={sign: number for number, sign in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["endoftext", "startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech",
               "notimestamps", *(f"{number * 0.02:.2f}" for number in range(1501))]
    made.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in special])
    made.save(str(path))
    return sorted(made.get_vocab(), key=made.token_to_id)


def _fill(side: Any, rng: np.random.Generator, *, mels: int = 0, names: int = 0, width: int = 16) -> None:
    """Random weights for an encoder (mels) or a decoder (names) of one layer."""

    def values(*sizes: int) -> np.ndarray:
        return (0.1 * rng.standard_normal(sizes)).astype(np.float32)

    def linear(layer: Any, out: int, into: int) -> None:
        layer.weight, layer.bias = values(out, into), values(out)

    def normal(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(width, np.float32), np.zeros(width, np.float32)

    if mels:
        side.conv1.weight, side.conv1.bias = values(width, mels, 3), values(width)
        side.conv2.weight, side.conv2.bias = values(width, width, 3), values(width)
    else:
        side.embeddings.weight, side.projection.weight = values(names, width), values(names, width)
    side.position_encodings.encodings = values(1500 if mels else 448, width)
    normal(side.layer_norm)
    (layer,) = side.layer
    attentions = [(layer.self_attention, (3, 1))] + ([] if mels else [(layer.attention, (1, 2, 1))])
    for attention, sizes in attentions:
        normal(attention.layer_norm)
        for part, size in zip(attention.linear, sizes, strict=True):
            linear(part, size * width, width)
    normal(layer.ffn.layer_norm)
    linear(layer.ffn.linear_0, 4 * width, width)
    linear(layer.ffn.linear_1, width, 4 * width)
