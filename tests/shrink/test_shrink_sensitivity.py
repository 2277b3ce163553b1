import copy
import itertools
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from linnet import data, nn, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.introspect import Finding, Findings
from linnet.shrink.protect import bits_by_layer, exclusions, predicted, protect
from linnet.shrink.sensitivity import sensitivity


@pytest.fixture(scope="module")
def side(squares: data.Splits) -> tasks.Classify:
    return tasks.Classify(squares, input="image", target="side")


@pytest.fixture(scope="module")
def trained(side: tasks.Classify, squares: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.smallcnn(side, width=8, seed=0), side, squares, epochs=8,
                     options=train.Options(batch=16, device="cpu"))


@pytest.fixture(scope="module")
def found(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> Findings:
    return sensitivity(trained, side, squares.validation, bits=(2, 4, 8), samples=16)


def made_up(noises: Mapping[str, Mapping[int, float]], weights: int = 10) -> Findings:
    return Findings("sensitivity", tuple(
        Finding(layer, "", {"how": "round", "weights": weights,
                            "damage": {str(bits): {"noise": noise} for bits, noise in own.items()}})
        for layer, own in noises.items()))


def test_every_layer_is_judged_the_worst_first(found: Findings, trained: nn.Model) -> None:
    assert {item.subject for item in found} == set(nn.soft.quantizable(trained.module))
    noises = [item.evidence["damage"]["2"]["noise"] for item in found]
    assert noises == sorted(noises, reverse=True)
    for item in found:
        sizes = [item.evidence["damage"][bits]["sqnr_db"] for bits in ("2", "4", "8")]
        assert sizes == sorted(sizes)
        assert sizes[-1] > 20
        assert item.evidence["weights"] == trained.module.get_submodule(item.subject).weight.numel()
        assert "dB" in item.statement


def test_the_model_is_as_it_was(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    before = trained.identity
    sensitivity(trained, side, squares.validation, bits=(2,), samples=4)
    assert trained.identity == before
    assert not any(layer._forward_pre_hooks for layer in trained.module.modules())


def test_damage_is_what_that_layer_alone_does(
        found: Findings, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    rows = sorted(np.random.default_rng(0).permutation(len(squares.validation))[:16].tolist())
    part = squares.validation.take(rows)
    arrays = side.prepare(part.decode("image"))
    alone = replace(trained, module=copy.deepcopy(trained.module))
    weight = alone.module.layers["conv2"].conv.weight
    quantizer = nn.soft.WeightQuantizer(weight, 2)
    with torch.no_grad():
        weight.copy_(quantizer(weight))
    before, after = trained(arrays)["logits"], alone(arrays)["logits"]
    damage = found["layers.conv2.conv"].evidence["damage"]["2"]
    noise = np.square(after - before).sum() / np.square(before).sum()
    assert damage["noise"] == pytest.approx(noise, rel=0.1)  # its input was rounded to 8 bits as well
    assert damage["sqnr_db"] == pytest.approx(-10 * math.log10(damage["noise"]))
    changed = (after.argmax(1) != before.argmax(1)).mean()
    assert damage["answers_changed"] == pytest.approx(changed, abs=1.5 / 16)
    scores = [tasks.evaluate(model, side, part).mean for model in (trained, alone)]
    assert damage["score"] == pytest.approx(scores[0] - scores[1], abs=1.5 / 16)


def test_noises_of_single_layers_add_up(
        found: Findings, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    settings = {"bits": 8}
    method, materials = shrink.METHODS["qat"], shrink.Materials(side, squares, 0)
    rounded = method.prepare(trained, method.read("qat", settings), materials)
    arrays = side.prepare(squares.validation.decode("image"))
    before, after = trained(arrays)["logits"], rounded(arrays)["logits"]
    measured = -10 * math.log10(np.square(after - before).sum() / np.square(before).sum())
    assert predicted(found, {item.subject: 8 for item in found}) == pytest.approx(measured, abs=6)


def test_palettes_are_judged_too(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    seen = sensitivity(trained, side, squares.validation, bits=(1, 6), how="palettize", samples=8)
    assert all(item.evidence["damage"]["1"]["noise"] > item.evidence["damage"]["6"]["noise"] for item in seen
               if item.evidence["weights"] > 64)
    plan = protect(shrink.Plan().plus("palettize", bits=4), seen, sqnr_db=10)
    assert set(plan.methods["palettize"]["own_bits"].values()) <= {1, 6}
    shrink.check(plan)


def test_a_palette_is_the_best_of_its_size() -> None:
    values = torch.tensor([0.0, 0.1, 1.0, 1.1, 5.0, 5.2, -3.0, -3.1]).reshape(2, 4)
    from linnet.shrink.sensitivity import _palettized

    expected = torch.tensor([0.05, 0.05, 1.05, 1.05, 5.1, 5.1, -3.05, -3.05]).reshape(2, 4)
    torch.testing.assert_close(_palettized(values, 2), expected)
    assert torch.equal(_palettized(torch.zeros(3, 3), 4), torch.zeros(3, 3))


def test_the_fewest_layers_are_excluded() -> None:
    noises = {"a": 1e-2, "b": 2e-3, "c": 1e-3, "d": 1e-5}
    seen = made_up({layer: {8: noise} for layer, noise in noises.items()})
    assert exclusions(seen, sqnr_db=10) == []
    assert exclusions(seen, sqnr_db=25) == ["a"]
    assert exclusions(seen, sqnr_db=29) == ["a", "b"]
    assert exclusions(seen, sqnr_db=40) == ["a", "b", "c"]
    with pytest.raises(LinnetError, match=r"leaves 50\.0"):
        exclusions(seen, sqnr_db=60)


def test_bits_are_given_where_they_help_most() -> None:
    rng = np.random.default_rng(0)
    noises = {f"layer{number}": {bits: float(scale * 4.0**-bits) for bits in (2, 4, 8)}
              for number, scale in enumerate(rng.uniform(0.01, 1, 5))}
    seen = made_up(noises)
    chosen = bits_by_layer(seen, sqnr_db=20)
    assert predicted(seen, chosen) >= 20
    best = min(sum(choice) for choice in itertools.product((2, 4, 8), repeat=5)
               if predicted(seen, dict(zip(noises, choice, strict=True))) >= 20)
    assert sum(chosen.values()) <= best + 4
    order = sorted(noises, key=lambda layer: noises[layer][2])
    assert [chosen[layer] for layer in order] == sorted(chosen.values())
    with pytest.raises(LinnetError, match="cannot be kept"):
        bits_by_layer(seen, sqnr_db=90)


def test_a_plan_is_protected(found: Findings, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    budget = predicted(found, {item.subject: 8 for item in found}) + 2
    by_damage = sorted(found, key=lambda item: -item.evidence["damage"]["8"]["noise"])
    plan = protect(shrink.Plan().quantize(), found, sqnr_db=budget)
    assert plan.methods["int8"]["exclude"][0] == by_damage[0].subject
    small = shrink.apply(plan, trained, side, squares)
    assert small.encoding.exclude == tuple(plan.methods["int8"]["exclude"])
    plan = protect(shrink.Plan().plus("qat", own_bits={"head": 8}), found, sqnr_db=15)
    own = plan.methods["qat"]["own_bits"]
    assert own["head"] == 8
    assert {*own} == {item.subject for item in found}
    shrink.check(plan)


def test_what_cannot_be_protected_is_said(found: Findings) -> None:
    with pytest.raises(LinnetError, match="nothing to protect"):
        protect(shrink.Plan().plus("remove_channels", layers={"conv1": [0]}), found)
    with pytest.raises(LinnetError, match="needs findings of"):
        protect(shrink.Plan().quantize(), Findings("redundancy", ()))
    with pytest.raises(LinnetError, match="none with 3"):
        exclusions(found, bits=3)


@pytest.mark.parametrize(("asked", "said"), [
    ({"bits": ()}, "bits are numbers"), ({"bits": (1,)}, "from 2 to 8"), ({"bits": (8,), "how": "palettize"}, "1 to 6"),
    ({"how": "prune"}, "prune")])
def test_questions_that_make_no_sense(
        asked: dict[str, object], said: str, trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    with pytest.raises(LinnetError, match=said):
        sensitivity(trained, side, squares.validation, **asked)  # type: ignore[arg-type]


def test_a_broken_model_is_said(trained: nn.Model, side: tasks.Classify, squares: data.Splits) -> None:
    broken = replace(trained, module=copy.deepcopy(trained.module))
    with torch.no_grad():
        broken.module.head.weight[0, 0] = math.nan
    with pytest.raises(LinnetError, match="NaN"):
        sensitivity(broken, side, squares.validation, samples=4)


def test_findings_survive_json(found: Findings) -> None:
    assert Findings.from_json(found.to_json()) == found
