import pytest
import torch
from torch.optim.lr_scheduler import OneCycleLR

from linnet.train import SCHEDULES
from linnet.train.options import SCHEDULE_NAMES
from linnet.train.schedules import cosine, one_cycle


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_one_cycle_is_torchs(steps: int) -> None:
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = OneCycleLR(optimizer, 1.0, total_steps=steps + 1)
    for step in range(steps):
        share, momentum = one_cycle(step, steps)
        assert share == pytest.approx(theirs.get_last_lr()[0])
        assert momentum == pytest.approx(optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        theirs.step()


def test_cosine_warms_up_and_goes_down() -> None:
    shares = [cosine(step, 100)[0] for step in range(101)]
    assert shares[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert shares[5:] == sorted(shares[5:], reverse=True)
    assert shares[-1] == pytest.approx(0)


def test_every_schedule_can_be_asked_for() -> None:
    assert tuple(SCHEDULES) == SCHEDULE_NAMES
    for schedule in SCHEDULES.values():
        for steps in (1, 2, 3):
            assert all(0 <= schedule(step, steps)[0] <= 1 for step in range(steps + 1))
