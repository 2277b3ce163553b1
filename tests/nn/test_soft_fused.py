"""Kernels against the plain path: in Triton's interpreter where there is no accelerator, on one where there is."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch

from linnet.nn.soft import fused, lookup_product
from linnet.nn.soft.rounding import fake_quantize

CASES = {"one step": ((5, 700), (1,), (1,)), "a step a row": ((6, 3, 3, 40), (6, 1, 1, 1), (6, 1, 1, 1)),
         "a step a row, one zero": ((3, 1100), (3, 1), (1,)), "a vector": ((7,), (1,), (1,))}
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def answers(x, step, zero, gradient, lowest, highest):
    x, step, zero = (given.clone().requires_grad_() for given in (x, step, zero))
    out = fake_quantize(x, step, zero, lowest, highest)
    out.backward(gradient.to(out.dtype))
    return out.detach(), x.grad, step.grad, zero.grad


def compare(device):
    """Every case, with the kernels and without; the sums of a step's gradient may be added in another order."""
    torch.manual_seed(0)
    for name, (shape, steps, zeros) in CASES.items():
        for precision in PRECISIONS.values():
            x = (3 * torch.randn(shape)).to(device, precision)
            x.view(-1)[:3] = torch.tensor([0.0, 1e6, float("nan")])
            step = torch.rand(steps, device=device) + 0.05
            zero = torch.randint(0, 9, zeros, device=device).float()
            gradient = torch.randn(shape, device=device)
            assert fused.takes(x, step, zero), (name, precision)
            with_kernels = answers(x, step, zero, gradient, 0, 15)
            takes, fused.takes = fused.takes, lambda *_: False
            plain = answers(x, step, zero, gradient, 0, 15)
            fused.takes = takes
            for ours, theirs in zip(with_kernels[:2], plain[:2], strict=True):
                assert torch.equal(torch.nan_to_num(ours, 9e9), torch.nan_to_num(theirs, 9e9)), (name, precision)
                assert ours.dtype == theirs.dtype
            for ours, theirs in zip(with_kernels[2:], plain[2:], strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4, equal_nan=True)
    for rows, outputs, inputs in ((1, 1, 1), (33, 50, 70), (4, 128, 96)):
        x = torch.randn(rows, inputs, device=device)
        indices = torch.randint(0, 16, (outputs, inputs), dtype=torch.uint8, device=device)
        palette = torch.randn(16, device=device)
        torch.testing.assert_close(fused._looked_up(x, indices, palette), x @ palette[indices.long()].T,
                                   rtol=1e-4, atol=1e-4)


def test_plain_torch_does_it_where_no_kernel_runs():
    x, one = torch.ones(3), torch.ones(1)
    assert not fused.takes(x.double(), one, one)
    assert not fused.takes(torch.ones(4, 3), torch.ones(1, 3), one)  # a step a column: no kernel for it


def test_lookup_product_is_the_product_with_the_weight_that_the_palette_gives():
    torch.manual_seed(0)
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    palette = torch.randn(4, dtype=torch.float64, requires_grad=True)
    indices = torch.randint(0, 4, (6, 5), dtype=torch.uint8)
    assert torch.autograd.gradcheck(lambda x, palette: lookup_product(x, indices, palette), (x, palette))
    weight = torch.stack([torch.stack([palette[int(place)] for place in row]) for row in indices])
    torch.testing.assert_close(lookup_product(x, indices, palette), x @ weight.T)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("triton") is None, reason="needs triton (pip install triton), but no accelerator")
def test_kernels_equal_the_plain_path_in_the_interpreter():
    found = subprocess.run([sys.executable, "-c", f"import runpy; runpy.run_path({__file__!r})['compare']('cpu')"],
                           env={**os.environ, "TRITON_INTERPRET": "1"}, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no accelerator here")
def test_kernels_equal_the_plain_path_on_an_accelerator():
    compare("cuda")
