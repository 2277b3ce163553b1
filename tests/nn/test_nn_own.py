"""Any module becomes a Model: it runs, says what cannot go, is pruned, saved, and loaded into its own code again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stand_in import StandIn, batch_of, recordings, rows, texts
from torch import Tensor

from linnet import nn
from linnet.errors import LinnetError


class Mine(torch.nn.Module):
    """A user's: sizes written into its code, and a layer used twice."""

    def __init__(self, fixed: int = -1) -> None:
        super().__init__()
        self.first, self.twice, self.last = torch.nn.Linear(3, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 3)
        self.fixed = fixed

    def forward(self, x: Tensor) -> tuple[Tensor, str]:
        x = self.twice(self.twice(self.first(x).relu()))
        if float(x.detach().sum()) > 1e9:
            x = -x
        return self.last(x.reshape(len(x), self.fixed) if self.fixed > 0 else x), "beside"


def test_a_users_module_is_seen_pruned_saved_and_loaded_into_its_code(tmp_path: Path) -> None:
    task, module = rows(), Mine()
    model = nn.own(module, task, name="mine")
    assert model.removable == ("network.first",)
    answer = model(batch_of(task))["logits"]
    np.testing.assert_allclose(answer, module(torch.from_numpy(batch_of(task)["features"]))[0].detach(), atol=1e-6)
    smaller = nn.remove_channels(model, {"network.first": [1, 5]})
    assert [smaller.module.get_parameter(f"layers.network.{name}.weight").shape for name in ("first", "twice", "last")
            ] == [(6, 3), (6, 6), (3, 6)]
    assert module.first.out_features == 8
    nn.save(smaller, tmp_path)
    loaded = nn.load(tmp_path, into=Mine())
    np.testing.assert_array_equal(loaded(batch_of(task))["logits"], smaller(batch_of(task))["logits"])
    with pytest.raises(LinnetError, match=r"nn.load\(folder, into=Mine\(...\)\)"):
        nn.load(tmp_path)
    with pytest.raises(LinnetError, match="not the network whose channels were removed"):
        nn.load(tmp_path, into=torch.nn.Linear(3, 3))


def test_what_cannot_be_done_is_listed_by_layer() -> None:
    said = nn.limits(nn.own(Mine(), rows()))
    assert said["last"] == "its outputs stay: it is part of the answer"
    assert said["twice"].startswith("it is used 2 times")
    assert "takes a value into Python" in said["layers.network"] or "takes a value into Python" in said["network"]


class Tied(torch.nn.Module):
    """Its embedding is its last layer too."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.decoder = torch.nn.Embedding(50, 6), torch.nn.Linear(6, 50, bias=False)
        self.decoder.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.decoder(self.table(tokens)).mean(dim=1)


def test_tied_embeddings_are_said_and_stay_tied(tmp_path: Path) -> None:
    task = texts(("logits", (50,)))
    model = nn.own(Tied(), task)
    assert "its weights are those of table too" in nn.limits(model)["decoder"]
    smaller = nn.remove_channels(model, {"network.table": [2]})
    network = smaller.module.get_submodule("layers.network")
    assert network.decoder.weight is network.table.weight
    nn.save(smaller, tmp_path)
    assert nn.load(tmp_path, into=Tied()).identity == smaller.identity


def test_sizes_in_code_that_do_not_follow_are_refused() -> None:
    model = nn.own(Mine(fixed=8), rows())
    with pytest.raises(LinnetError, match="sizes written into its code"):
        nn.remove_channels(model, {"network.first": [0]})


def test_blocks_of_a_users_module_stay() -> None:
    with pytest.raises(LinnetError, match="whose code runs all of its blocks"):
        nn.remove_blocks(nn.own(Mine(), rows()), ["network.twice"])


def _ill() -> torch.nn.Module:
    module = Mine()
    with torch.no_grad():
        module.twice.weight[0, 0] = float("nan")
    return module


@pytest.mark.parametrize(("module", "message"), [
    (torch.nn.Linear(3, 4), r"answers with shape \(2, 4\); the task asks for \(batch, 3\)"),
    (torch.nn.Linear(5, 3), "does not run on inputs of float32"),
    (_ill(), "'twice.weight' holds values that are not numbers"),
])
def test_a_module_that_does_not_fit_is_refused(module: torch.nn.Module, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        nn.own(module, rows())


PICTURES = StandIn({"image": ("uint8", (32, 32, 3))})
SPEECH = recordings(("logits", (None, 5)))
HIDDEN = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
TRANSFORMERS = {
    "MobileNetV2ForImageClassification": (PICTURES, {
        "num_channels": 3, "image_size": 32, "depth_multiplier": 0.25, "num_labels": 3}),
    "ResNetForImageClassification": (PICTURES, {
        "num_channels": 3, "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2], "layer_type": "basic",
        "num_labels": 3}),
    "BertForSequenceClassification": (texts(), {**HIDDEN, "vocab_size": 50, "max_position_embeddings": 64,
                                                "num_labels": 3}),
    "Wav2Vec2ForCTC": (SPEECH, {**HIDDEN, "vocab_size": 5, "conv_dim": (16, 16), "conv_stride": (5, 16),
                                "conv_kernel": (10, 16), "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16,
                                "num_conv_pos_embedding_groups": 4}),
}
"""By class: the task, and its configuration."""


def from_transformers(name: str) -> torch.nn.Module:
    """A small one with random weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    made: torch.nn.Module = getattr(transformers, name)(
        getattr(transformers, name.partition("For")[0] + "Config")(**TRANSFORMERS[name][1]))
    return made


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_networks_of_transformers_are_traced_and_pruned(name: str, tmp_path: Path) -> None:
    task = TRANSFORMERS[name][0]
    model = nn.own(from_transformers(name), task, name=name)
    found = nn.dependencies_of(model)
    heads = [group for group in found.groups if group.name.endswith(("query", "q_proj"))]
    assert len(heads) == (2 if "hidden_size" in TRANSFORMERS[name][1] else 0)
    assert all(len(group) == 4 for group in heads)
    smaller = nn.remove_channels(model, {group.name: group.outputs[0].tolist() for group in found.groups})
    assert nn.dependencies_of(smaller).macs() == found.macs({group.sets[0] for group in found.groups}) < found.macs()
    batch = batch_of(task) if task is not PICTURES else {
        "image": np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)}
    assert np.isfinite(smaller(batch)["logits"]).all()
    nn.save(smaller, tmp_path)
    loaded = nn.load(tmp_path, into=from_transformers(name))
    np.testing.assert_array_equal(loaded(batch)["logits"], smaller(batch)["logits"])
