"""Every family builds from its task with one dial, and refuses tasks that it cannot do."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
import torch
from stand_in import pictures, rows, texts, windows

from linnet import nn, tasks
from linnet.errors import LinnetError
from linnet.nn.layers import POOLS, Convolution


def task(takes: dict[str, object]) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": ["a", "b", "c"],
                            "choice": "one", "takes": {"column": "x", **takes}})


def sounds(rate_hz: int) -> tasks.Task:
    return task({"kind": "audio_window", "sample_rate_hz": rate_hz, "samples": 4000})


def images(*shape: int) -> tasks.Task:
    return task({"kind": "images", "shape": list(shape)})


@pytest.mark.parametrize(("family", "made_for"), [
    ("dscnn", sounds(8000)), ("dscnn", sounds(16000)),
    ("smallcnn", images(8, 8, 1)), ("smallcnn", images(28, 32, 3)),
])
@pytest.mark.parametrize("width", [2, 6])
def test_a_family_builds_answers_and_builds_again_from_its_spec(family: str, made_for: tasks.Task, width: int) -> None:
    model = nn.FAMILIES[family](made_for, width=width, seed=0)
    ((name, (dtype, shape)),) = made_for.arrays.items()
    batch = {name: np.random.default_rng(0).integers(0, 200, (3, *shape)).astype(dtype)}
    assert model(batch)["logits"].shape == (3, 3)
    again = nn.build(json.loads(json.dumps(model.spec)), seed=0)
    assert again.identity == model.identity


def test_the_default_widths_are_small() -> None:
    assert 20_000 < nn.zoo.dscnn(sounds(8000)).parameters_count < 30_000
    assert 20_000 < nn.zoo.smallcnn(images(28, 28, 1)).parameters_count < 35_000


@pytest.mark.parametrize(("family", "made_for", "options", "message"), [
    ("dscnn", images(8, 8, 1), {}, "dscnn listens to recordings; the task's input is image"),
    ("dscnn", sounds(8000), {"width": 1}, "width is the number of channels, 2 or more; got 1"),
    ("dscnn", sounds(8000), {"width": 8.5}, "width is the number of channels, 2 or more; got 8.5"),
    ("smallcnn", images(8, 8, 1), {"width": "x"}, "width is the number of channels, 2 or more; got 'x'"),
    ("smallcnn", sounds(8000), {}, "smallcnn looks at images; the task's input is audio"),
    ("smallcnn", images(3, 28, 1), {}, "at least 4 x 4"),
])
def test_what_a_family_cannot_do_is_refused(family: str, made_for: tasks.Task, options: dict[str, int],
                                            message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        nn.FAMILIES[family](made_for, **options)


@pytest.mark.parametrize("change", [{"front": {"kind": "mfcc"}}, {"pool": "none"}, {"layers": [{"name": "x"}]},
                                    {"layers": None}])
def test_a_spec_of_another_version_is_refused(change: dict[str, object]) -> None:
    spec = {**nn.zoo.smallcnn(images(8, 8, 1), width=2).spec, **change}
    with pytest.raises(LinnetError, match="this version cannot build a network from this description"):
        nn.build(spec)


@pytest.mark.parametrize("pool", POOLS)
def test_a_pool_gives_one_value_a_channel(pool: str) -> None:
    picture = torch.zeros(2, 5, 7, 4)
    picture[0, 3, 6, 1] = 4
    pooled = POOLS[pool](picture)
    assert pooled.shape == (2, 5)
    assert (pooled[0] > 0).tolist() == [False, False, False, True, False]


def test_folding_keeps_the_answers_and_leaves_the_network(tone_task: tasks.Classify) -> None:
    model = nn.zoo.dscnn(tone_task, width=4)
    sounds = torch.randn(8, 2400, generator=torch.Generator().manual_seed(0))
    model.module.train()(sounds)  # moves the running statistics away from 0 and 1
    folded = nn.fold_normalisation(model.module)
    assert not any(isinstance(unit, torch.nn.BatchNorm2d) for unit in folded.modules())
    assert isinstance(model.module.get_submodule("layers.stem.norm"), torch.nn.BatchNorm2d)
    with torch.no_grad():
        torch.testing.assert_close(folded(sounds), model.module.eval()(sounds), atol=1e-5, rtol=0)


def test_a_unit_keeps_the_size_at_stride_one() -> None:
    assert Convolution(2, 3, 5)(torch.zeros(1, 2, 9, 7)).shape == (1, 3, 9, 7)


@pytest.mark.parametrize("family", nn.FAMILIES)
def test_the_families_with_removable_layers_are_known(family: str) -> None:
    fitting = []
    for made_for in (windows(), pictures(), texts(), rows()):
        with suppress(LinnetError):
            fitting.append(nn.FAMILIES[family](made_for))
    assert fitting or family == "phonescorer"  # which takes what another network heard
    assert {bool(model.removable) for model in fitting} <= {family in nn.zoo.REMOVABLE}
