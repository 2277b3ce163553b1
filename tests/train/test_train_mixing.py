import numpy as np
import pytest
import torch

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import Options, mixing


def test_mixup_is_a_weighted_mean_that_keeps_the_kind() -> None:
    arrays = {"features": torch.eye(4), "image": torch.arange(64, dtype=torch.uint8).reshape(4, 4, 4, 1)}
    mixed, others, share = mixing.mix(arrays, Options(mixup=1.0), np.random.default_rng(0))
    assert torch.allclose(mixed["features"], share * torch.eye(4) + (1 - share) * torch.eye(4)[others])
    wanted = share * arrays["image"].float() + (1 - share) * arrays["image"][others].float()
    assert mixed["image"].dtype == torch.uint8
    assert (mixed["image"].float() - wanted).abs().max() <= 0.5


def test_cutmix_puts_a_rectangle_in_and_counts_what_is_left() -> None:
    images = torch.arange(1, 9, dtype=torch.uint8).reshape(8, 1, 1, 1).expand(8, 10, 10, 3).contiguous()
    for seed in range(20):
        mixed, others, share = mixing.mix({"image": images}, Options(cutmix=1.0), np.random.default_rng(seed))
        for row in range(8):
            own = (mixed["image"][row, :, :, 0] == images[row, 0, 0, 0]).float().mean().item()
            foreign = (mixed["image"][row, :, :, 0] == images[others[row], 0, 0, 0]).float().mean().item()
            assert others[row] == row or (own, foreign) == pytest.approx((share, 1 - share))


def test_with_both_each_batch_has_one() -> None:
    images = torch.zeros(4, 8, 8, 1, dtype=torch.uint8)
    images[1] = 255
    kinds = set()
    for seed in range(20):
        mixed, _, _ = mixing.mix({"image": images}, Options(mixup=1.0, cutmix=1.0), np.random.default_rng(seed))
        kinds.add(bool(((mixed["image"] > 0) & (mixed["image"] < 255)).any()))
    assert kinds == {True, False}


def test_what_cannot_be_blended_is_refused_before_the_first_epoch(
        tone_task: tasks.Classify, tones: data.Splits) -> None:
    model = nn.zoo.dscnn(tone_task, width=8, seed=0)
    with pytest.raises(LinnetError, match="cutmix is for image of one size; the task's input is 'audio'"):
        train.fit(model, tone_task, tones, options=Options(cutmix=1.0, device="cpu"))


def test_a_loss_of_many_answers_cannot_be_blended() -> None:
    class Tags:
        loss, arrays = "token_cross_entropy", {"tokens": ("int64", (8,))}

    with pytest.raises(LinnetError, match=r"mixup .* loss of this task is 'token_cross_entropy'"):
        mixing.check(Tags(), Options(mixup=0.2))  # type: ignore[arg-type]
