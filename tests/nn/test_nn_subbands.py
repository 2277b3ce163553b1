"""Each group of bands has its own normalisation, and folds into what eight bits can hold."""

from __future__ import annotations

import pytest
import torch

from linnet.nn.subbands import SubSpectral, fold


def test_each_channel_of_each_group_of_bands_has_no_mean_and_unit_variance() -> None:
    x = torch.randn(8, 3, 30, 10, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 11) + 5
    groups = SubSpectral(3, 10).train()(x).reshape(8, 3, 30, 5, 2)
    torch.testing.assert_close(groups.mean(dim=(0, 2, 4)), torch.zeros(3, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(groups.var(dim=(0, 2, 4), correction=0), torch.ones(3, 5), atol=1e-3, rtol=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_folding_keeps_the_answers_and_the_factors_within_one(sign: int) -> None:
    conv, norm = torch.nn.Conv2d(3, 3, (1, 3), padding=(0, 1), groups=3, bias=False), SubSpectral(3, 10).eval()
    torch.manual_seed(0)
    torch.nn.init.uniform_(norm.norm.weight, 0.1, 9)
    norm.norm.weight.data *= sign
    torch.nn.init.uniform_(norm.norm.bias)
    torch.nn.init.uniform_(norm.norm.running_mean)
    torch.nn.init.uniform_(norm.norm.running_var, 0.1, 4)
    x = torch.randn(2, 3, 7, 10)
    folded, affine = fold(conv, norm)
    assert affine.scale.abs().amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])
    with torch.no_grad():
        torch.testing.assert_close(affine(folded(x)), norm(conv(x)), atol=1e-5, rtol=1e-5)


def test_a_channel_that_is_switched_off_stays_finite() -> None:
    conv, norm = torch.nn.Conv2d(1, 1, (1, 3), padding=(0, 1), bias=False), SubSpectral(1, 5).eval()
    torch.nn.init.zeros_(norm.norm.weight)
    folded, affine = fold(conv, norm)
    assert torch.isfinite(affine(folded(torch.ones(1, 1, 2, 5)))).all()
