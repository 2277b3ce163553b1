"""Networks by family, one file a kind, each with one dial; they know tasks (shapes, labels), not training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from linnet.errors import unknown
from linnet.nn.model import Model
from linnet.nn.rewrites import rewrite
from linnet.nn.zoo.bag import Bag, bag
from linnet.nn.zoo.bcresnet import bcresnet
from linnet.nn.zoo.building import make
from linnet.nn.zoo.cnn import Cnn, dscnn, smallcnn
from linnet.nn.zoo.conformer import Conformer, conformer
from linnet.nn.zoo.crnn import Crnn, crnn
from linnet.nn.zoo.ecapa import Ecapa, ecapa
from linnet.nn.zoo.gru import Gru, gru, reader
from linnet.nn.zoo.mlp import Mlp, mlp
from linnet.nn.zoo.mobilenet import mobilenet
from linnet.nn.zoo.phonescorer import PhoneScorer, phonescorer
from linnet.nn.zoo.resnet import resnet
from linnet.nn.zoo.textcnn import TextCnn, textcnn
from linnet.nn.zoo.transformer import Transformer, transformer
from linnet.nn.zoo.vit import Vit, vit

FAMILIES: dict[str, Callable[..., Model]] = {
    "dscnn": dscnn, "smallcnn": smallcnn, "resnet": resnet, "mobilenet": mobilenet,
    "bcresnet": bcresnet,
    "mlp": mlp,
    "bag": bag, "textcnn": textcnn, "transformer": transformer, "gru": gru, "vit": vit,
    "reader": reader,
    "crnn": crnn, "conformer": conformer, "ecapa": ecapa,
    "phonescorer": phonescorer,
}
"""By name: a function of (task, *, <one dial>, seed) that makes a fresh model."""

MODULES: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "dscnn": Cnn, "smallcnn": Cnn, "resnet": Cnn, "mobilenet": Cnn, "bcresnet": Cnn,
    "mlp": Mlp,
    "bag": Bag, "textcnn": TextCnn, "transformer": Transformer, "gru": Gru, "vit": Vit,
    "reader": Gru,
    "crnn": Crnn, "conformer": Conformer, "ecapa": Ecapa,
    "phonescorer": PhoneScorer,
}
"""By name: what builds the network from its spec."""


REMOVABLE = ("bcresnet", "dscnn", "mobilenet", "resnet", "smallcnn")
"""The families with layers whose channels `remove_channels` takes."""


def build(spec: Mapping[str, Any], *, seed: int = 0) -> Model:
    """A model with fresh weights drawn from `seed`, as its spec says; torch's own random state stays as it was."""
    family = str(spec.get("family"))
    if family not in MODULES:
        raise unknown("family of networks", family, MODULES)
    model = make(MODULES[family], spec, seed=seed)
    rewrite(model.module, spec)
    return model


__all__ = ["FAMILIES", "MODULES", "REMOVABLE", "bag", "bcresnet", "build", "conformer", "crnn", "dscnn", "ecapa",
           "gru", "mlp", "mobilenet", "phonescorer", "reader", "resnet", "smallcnn", "textcnn", "transformer", "vit"]
