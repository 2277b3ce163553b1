"""sparsify: the asked share is zero, where it was asked; the rest is tuned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from linnet import data, nn, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.nn.soft.masks import Mask
from linnet.shrink.choosing import chosen

OPTIONS = train.Options(batch=16, device="cpu")


@pytest.fixture(scope="module")
def big(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, epochs=4, options=OPTIONS)


def sparse(big: nn.Model, task: tasks.Classify, tones: data.Splits, **settings: Any) -> nn.Model:
    return shrink.apply(shrink.Plan().plus("sparsify", **settings), big, task, tones, epochs=2, options=OPTIONS)


def zeros(model: nn.Model, path: str) -> np.ndarray:
    return (model.module.get_submodule(path).weight.detach() == 0).numpy()


@pytest.mark.parametrize("how", ["pdp", "magnitude"])
def test_the_asked_share_of_all_weights_is_zero(
        how: str, big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    small = sparse(big, tone_task, tones, share=0.6, how=how)
    layers = chosen(small.module)
    assert small.encoding.sparse == tuple(layers)
    gone = np.concatenate([zeros(small, path).ravel() for path in layers])
    assert gone.mean() == pytest.approx(0.6, abs=0.005)
    assert not any(is_parametrized(part) or isinstance(part, Mask) for part in small.module.modules())
    kept = ~zeros(small, "head")
    assert (small.module.get_parameter("head.weight") != big.module.get_parameter("head.weight")).numpy()[kept].all()


def test_two_of_four(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    small = sparse(big, tone_task, tones, pattern="2:4", exclude=["head"])
    assert small.encoding.sparse == tuple(f"layers.block{number}.pointwise.conv" for number in range(1, 6))
    assert (zeros(small, small.encoding.sparse[0]).reshape(-1, 4).sum(axis=1) == 2).all()
    assert not zeros(small, "layers.stem.conv").any()


def test_only_the_named_layers(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    small = sparse(big, tone_task, tones, share=0.5, layers=["layers.block1"], budget="uniform")
    assert small.encoding.sparse == ("layers.block1.depthwise.conv", "layers.block1.pointwise.conv")
    assert all(zeros(small, path).mean() == pytest.approx(0.5, abs=0.01) for path in small.encoding.sparse)


def test_a_training_that_was_stopped_early_is_finished_hard(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    method, materials = shrink.METHODS["sparsify"], shrink.Materials(tone_task, tones, 0)
    settings = method.read("sparsify", {"share": 0.5})
    prepared = method.prepare(big, settings, materials)
    small = method.finish(prepared, settings, materials)
    gone = np.concatenate([zeros(small, path).ravel() for path in small.encoding.sparse])
    assert gone.mean() == pytest.approx(0.5, abs=0.005)


def test_a_second_time_adds_to_the_first(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    first = replace(big, encoding=nn.Encoding(sparse=("head",)))
    small = sparse(first, tone_task, tones, share=0.5, layers=["layers.stem"])
    assert small.encoding.sparse == ("head", "layers.stem.conv")


@pytest.mark.parametrize(("settings", "message"), [
    ({}, "say the share"), ({"share": 0.5, "pattern": "2:4"}, "leave share out"), ({"pattern": "4:4"}, "n below m"),
    ({"share": 1.0}, "less than 1"), ({"pattern": "half"}, "pattern"), ({"share": 0.5, "layer": ["head"]}, "layer"),
    ({"share": 0.5, "ramp": 0.9}, "in this order"), ({"share": 0.5, "layers": ["nowhere"]}, "nowhere"),
    ({"share": 1e-5}, "changes nothing"), ({"pattern": "1:3"}, "no layer has whole groups"),
    ({"share": 0.5, "layers": ["head"], "exclude": ["head"]}, "changes nothing"),
    ({"share": 1e-3, "layers": ["head"], "budget": "uniform"}, "changes nothing"),
])
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], message: str, big: nn.Model,
                                        tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match=message):
        sparse(big, tone_task, tones, **settings)


def test_weights_that_are_not_numbers_are_refused_by_name(
        tone_task: tasks.Classify, tones: data.Splits) -> None:
    broken = nn.zoo.dscnn(tone_task, width=8, seed=0)
    with torch.no_grad():
        broken.module.get_parameter("head.weight")[0, 0] = float("nan")
    with pytest.raises(LinnetError, match="layer 'head' has weights that are not finite"):
        sparse(broken, tone_task, tones, share=0.5)
