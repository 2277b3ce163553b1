import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.shrink.supernet import Part, Sharing, Supernet, best_parts, recalibrated, supernet

OPTIONS = train.Options(batch=16, device="cpu", keep="last")


@pytest.fixture(scope="module")
def start(tone_task: tasks.Classify) -> Supernet:
    model = nn.zoo.dscnn(tone_task, width=8, seed=0)
    rng = np.random.default_rng(0)
    sizes = {layer["name"]: layer["channels"] for layer in model.spec["layers"] if layer["name"] in model.removable}
    order = {name: rng.permutation(size).tolist() for name, size in sizes.items()}
    return Supernet(model, order, (0.5, 1.0), sampled=1)


def sounds(task: tasks.Classify, tones: data.Splits) -> torch.Tensor:
    return torch.from_numpy(task.prepare(tones.train.take(range(24)).decode("audio"))["audio"])


def test_a_part_answers_as_the_network_without_these_channels(
        start: Supernet, tone_task: tasks.Classify, tones: data.Splits) -> None:
    heard = sounds(tone_task, tones)
    torch.manual_seed(0)  # of dropout
    found = Part.of(start, start.smallest)(start.model.module, heard)
    torch.manual_seed(0)
    removed = copy.deepcopy(start.part(start.smallest).module).train()(heard)
    assert torch.allclose(found, removed, atol=1e-5)
    assert start.macs(start.smallest) < 0.6 * start.macs({})


def test_the_weights_of_a_part_are_those_of_the_largest(
        start: Supernet, tone_task: tasks.Classify, tones: data.Splits) -> None:
    largest = copy.deepcopy(start.model.module)
    Part.of(start, start.smallest)(largest, sounds(tone_task, tones)).square().sum().backward()
    touched = [(parameter.grad != 0).float().mean() for parameter in largest.parameters() if parameter.grad is not None]
    assert touched
    assert min(touched) < 0.6  # channels that the part lacks learn nothing from it


def test_the_largest_is_pulled_by_labels_and_the_parts_by_the_largest(
        start: Supernet, tone_task: tasks.Classify, tones: data.Splits) -> None:
    sharing = Sharing(start, tone_task.loss, 1.0, 1.0).train()
    sharing(sounds(tone_task, tones))
    assert float(sharing.penalty().detach()) > 0
    assert len(sharing.parts) >= 1
    with torch.no_grad():
        sharing.eval()
        before = float(sharing.penalty().detach())
        sharing(sounds(tone_task, tones))
    assert float(sharing.penalty().detach()) == before


def test_statistics_are_those_of_the_part(start: Supernet, tone_task: tasks.Classify, tones: data.Splits) -> None:
    small = start.part(start.smallest)
    again = recalibrated(small, tone_task, tones, rows=64)
    weights = {name: (value, again.module.state_dict()[name]) for name, value in small.module.state_dict().items()}
    changed = {name for name, (one, other) in weights.items() if not torch.equal(one, other)}
    assert changed
    assert all("running" in name or "batches" in name for name in changed)
    assert [norm.momentum for norm in again.module.modules() if hasattr(norm, "running_mean")] == [
        norm.momentum for norm in small.module.modules() if hasattr(norm, "running_mean")]


def test_blocks_may_be_left_out(tone_task: tasks.Classify, tones: data.Splits) -> None:
    model = nn.zoo.bcresnet(tone_task, width=2, seed=0)
    blocks = nn.removable_blocks(model)
    start = Supernet(model, {}, (1.0,), blocks=blocks)
    assert blocks
    assert set(start.smallest) == set(blocks)
    heard = sounds(tone_task, tones)
    part = Part.of(start, {blocks[0]: 0})
    torch.manual_seed(0)  # of dropout
    found = part(model.module, heard)
    torch.manual_seed(0)
    assert torch.allclose(found, nn.remove_blocks(model, blocks[:1]).module.train()(heard), atol=1e-5)
    assert start.macs(start.smallest) < start.macs({blocks[0]: 0}) < start.macs({})
    drawn = {frozenset(start.draw(np.random.default_rng(seed))) for seed in range(20)}
    assert len(drawn) > 1
    with pytest.raises(LinnetError, match="depth cannot vary"):
        supernet(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, depth=True)


@pytest.mark.slow
def test_a_supernet_has_good_small_parts(tone_task: tasks.Classify, tones: data.Splits) -> None:
    big = train.fit(nn.zoo.dscnn(tone_task, width=16, seed=0), tone_task, tones, epochs=10, options=OPTIONS)
    net = supernet(big, tone_task, tones, shares=(0.5, 1.0), sampled=1, epochs=8, options=OPTIONS)
    assert type(net.model.module) is type(big.module)
    assert set(net.model.module.state_dict()) == set(big.module.state_dict())
    found = best_parts(net, tone_task, tones, keep=0.7, tries=4)
    assert len(found) >= 2
    assert all(one.macs <= 0.7 * net.macs({}) for one in found)
    plain = recalibrated(replace(net, model=big).part(found[0].widths), tone_task, tones)
    assert found[0].score > tasks.evaluate(plain, tone_task, tones.validation).mean


def test_what_cannot_be_had_is_said(start: Supernet, tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="shares are parts"):
        supernet(start.model, tone_task, tones, shares=(0.5,))
    with pytest.raises(LinnetError, match="Train with smaller shares"):
        best_parts(start, tone_task, tones, keep=0.01)
    with pytest.raises(LinnetError, match="above 0 and below 1"):
        best_parts(start, tone_task, tones, keep=1.0)
