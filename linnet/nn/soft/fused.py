"""The same sums in one kernel: fake quantization and its gradients, where Triton can run; else `takes` says no.

Plain torch reads and writes the tensor five times forward and nine times backward; here it is read once. Triton comes
with torch's builds for CUDA. On a CPU it runs in its interpreter, TRITON_INTERPRET=1, slowly: for tests.
"""

from __future__ import annotations

import functools
import os
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

_PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)
_BLOCK = 1024


def takes(x: Tensor, step: Tensor, zero: Tensor) -> bool:
    """Whether the kernels run here, on this tensor: steps are one, or one for each place of the first axis.

    Not inside of torch.compile, which fuses the plain path by itself.
    """
    if torch.compiler.is_compiling() or x.dtype not in _PRECISIONS or step.dtype != torch.float32 or not x.numel():
        return False
    return runs_on(x) and all(_is_one(given) or _is_by_row(given, x) for given in (step, zero))


def runs_on(x: Tensor) -> bool:
    """Whether Triton is here and can reach this tensor."""
    return (x.is_cuda or os.environ.get("TRITON_INTERPRET") == "1") and _is_installed()


def quantized(x: Tensor, step: Tensor, zero: Tensor, lowest: int, highest: int) -> Tensor:
    """`rounding.fake_quantize` of x, without gradients."""
    import triton

    from linnet.nn.soft import kernels

    given, rows, columns = _as_rows(x, step, zero)
    out = torch.empty(x.shape, dtype=torch.result_type(x, step), device=x.device)
    kernels.quantize[(rows, triton.cdiv(columns, _BLOCK))](
        given, *_steps(step, zero, x), out, columns, lowest, highest, block=_BLOCK)
    return out


def gradients(by_out: Tensor, x: Tensor, step: Tensor, zero: Tensor, lowest: int,
              highest: int) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of x, of the steps and of the zeros, in their shapes."""
    import triton

    from linnet.nn.soft import kernels

    given, rows, columns = _as_rows(x, step, zero)
    blocks = triton.cdiv(columns, _BLOCK)
    by_x = torch.empty(x.shape, dtype=by_out.dtype, device=x.device)
    by_step, by_zero = (torch.empty(rows, blocks, dtype=torch.float32, device=x.device) for _ in range(2))
    kernels.quantize_backward[(rows, blocks)](
        by_out.contiguous(), given, *_steps(step, zero, x), by_x, by_step, by_zero, columns, lowest, highest,
        block=_BLOCK)
    return by_x, _summed(by_step, step), _summed(by_zero, zero)


def _as_rows(x: Tensor, step: Tensor, zero: Tensor) -> tuple[Tensor, int, int]:
    """x in one piece, with as many rows as there are steps."""
    rows = 1 if _is_one(step) and _is_one(zero) else len(x)
    return x.contiguous(), rows, x.numel() // rows


def _steps(step: Tensor, zero: Tensor, x: Tensor) -> tuple[Tensor, int, Tensor, int]:
    """Steps and zeros, each with how far the next row's lies: 0 where all share one."""
    return (step.contiguous(), 0 if _is_one(step) else 1,
            zero.to(device=x.device, dtype=torch.float32).contiguous(), 0 if _is_one(zero) else 1)


def _summed(parts: Tensor, like: Tensor) -> Tensor:
    total = parts.sum() if _is_one(like) else parts.sum(1)
    return total.reshape(like.shape).to(like.dtype)


def _is_one(given: Tensor) -> bool:
    return given.numel() == 1


def _is_by_row(given: Tensor, x: Tensor) -> bool:
    return given.ndim == x.ndim and given.shape[0] == len(x) == given.numel()


@functools.cache
def _is_installed() -> bool:
    return find_spec("triton") is not None


def lookup_product(x: Tensor, indices: Tensor, palette: Tensor) -> Tensor:
    """x (rows, inputs) times the weight whose values are palette[indices]: (rows, outputs).

    `indices` (outputs, inputs) are uint8, `palette` (values,) has the precision of x. Where Triton runs, the weight is
    looked up in the tile that multiplies and never written out; elsewhere it is. Gradients go to x and to the palette.

    >>> lookup_product(torch.ones(1, 3), torch.tensor([[0, 1, 1]], dtype=torch.uint8), torch.tensor([0.5, 2.0]))
    tensor([[4.5000]])
    """
    product: Tensor = _LookupProduct.apply(x, indices, palette)  # type: ignore[no-untyped-call]
    return product


class _LookupProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, palette: Tensor) -> Tensor:
        ctx.save_for_backward(x, indices, palette)
        if torch.compiler.is_compiling() or x.dtype not in _PRECISIONS or not runs_on(x):
            return x @ palette[indices.long()].T
        return _looked_up(x.contiguous(), indices.contiguous(), palette.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        (gradient,), (x, indices, palette) = gradients, ctx.saved_tensors
        places = indices.long()
        by_x = gradient @ palette[places] if ctx.needs_input_grad[0] else None
        by_palette = None
        if ctx.needs_input_grad[2]:
            by_weight = (gradient.T @ x).flatten().to(palette.dtype)
            by_palette = torch.zeros_like(palette).index_add_(0, places.flatten(), by_weight)
        return by_x, None, by_palette


def _looked_up(x: Tensor, indices: Tensor, palette: Tensor) -> Tensor:
    import triton

    from linnet.nn.soft import kernels

    (rows, inputs), outputs = x.shape, len(indices)
    out = torch.empty(rows, outputs, dtype=x.dtype, device=x.device)
    tile = {"rows_together": 32, "outputs_together": 32, "inputs_together": 32}
    grid = triton.cdiv(rows, tile["rows_together"]), triton.cdiv(outputs, tile["outputs_together"])
    kernels.lookup_product[grid](x, indices, palette, out, rows, outputs, inputs, **tile)
    return out
