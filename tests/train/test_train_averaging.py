import torch
from torch import nn

from linnet.train.averaging import Average


def test_the_mean_follows_slowly_and_forgets_the_start() -> None:
    module = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    nn.init.zeros_(module[0].weight)  # type: ignore[arg-type]
    average = Average(module, 0.9)
    nn.init.ones_(module[0].weight)  # type: ignore[arg-type]
    average.update(module, 0)
    assert torch.allclose(average.module.state_dict()["0.weight"], torch.tensor(0.9))
    for step in range(1, 500):
        average.update(module, step)
    assert torch.allclose(average.module.state_dict()["0.weight"], torch.tensor(1.0))
    nn.init.zeros_(module[0].weight)  # type: ignore[arg-type]
    average.update(module, 500)
    assert torch.allclose(average.module.state_dict()["0.weight"], torch.tensor(0.9))


def test_counters_are_those_of_the_network() -> None:
    module = nn.BatchNorm1d(2)
    average = Average(module, 0.9)
    module(torch.randn(4, 2))
    average.update(module, 0)
    assert average.module.num_batches_tracked.item() == 1  # type: ignore[operator, union-attr]
