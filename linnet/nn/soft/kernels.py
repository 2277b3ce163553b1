"""Triton kernels behind `fused`; imported only where they run. Untyped, since Triton reads them as its own language."""
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _clamped(values, lowest, highest):
    """Comparisons, and not minimum and maximum, so that NaN stays NaN."""
    return tl.where(values < lowest, lowest, tl.where(values > highest, highest, values))


@triton.jit
def _rounded(values):
    """To even at a half, up to 2 ** 22: 1.5 * 2 ** 23 leaves float32 no fractions."""
    return (values + 12582912.0) - 12582912.0


@triton.jit
def quantize(x, step, step_stride, zero, zero_stride, out, columns, lowest, highest, block: tl.constexpr):
    """One block of one row: rounded to its grid."""
    row, at = tl.program_id(0), tl.program_id(1) * block + tl.arange(0, block)
    here = row.to(tl.int64) * columns + at
    size, middle = tl.load(step + row * step_stride), tl.load(zero + row * zero_stride)
    values = tl.load(x + here, mask=at < columns, other=0.0).to(tl.float32)
    whole = _rounded(_clamped(tl.div_rn(values, size), lowest - middle, highest - middle))
    tl.store(out + here, whole * size, mask=at < columns)


@triton.jit
def quantize_backward(by_out, x, step, step_stride, zero, zero_stride, by_x, by_step, by_zero, columns, lowest, highest,
                      block: tl.constexpr):
    """One block of one row: the gradient of x, and this block's part of those of the step and of the zero."""
    row, part = tl.program_id(0), tl.program_id(1)
    at = part * block + tl.arange(0, block)
    here = row.to(tl.int64) * columns + at
    size, middle = tl.load(step + row * step_stride), tl.load(zero + row * zero_stride)
    values = tl.load(x + here, mask=at < columns, other=0.0).to(tl.float32)
    gradient = tl.load(by_out + here, mask=at < columns, other=0.0).to(tl.float32)
    places = tl.div_rn(values, size) + middle
    inside = (places > lowest) & (places < highest)
    cut = _clamped(places, lowest, highest)
    slope = tl.where(inside, _rounded(cut) - places, cut - middle)
    tl.store(by_x + here, tl.where(inside, gradient, 0.0), mask=at < columns)
    parts = tl.num_programs(1)
    tl.store(by_step + row * parts + part, tl.sum(gradient * slope, 0))
    tl.store(by_zero + row * parts + part, -tl.sum(tl.where(inside, 0.0, gradient), 0) * size)


@triton.jit
def lookup_product(x, indices, palette, out, rows, outputs, inputs, rows_together: tl.constexpr,
                   outputs_together: tl.constexpr, inputs_together: tl.constexpr):
    """One tile of x @ palette[indices].T; sums in float32."""
    row = tl.program_id(0) * rows_together + tl.arange(0, rows_together)
    output = tl.program_id(1) * outputs_together + tl.arange(0, outputs_together)
    total = tl.zeros((rows_together, outputs_together), tl.float32)
    for first in range(0, inputs, inputs_together):
        place = first + tl.arange(0, inputs_together)
        given = tl.load(x + row[:, None].to(tl.int64) * inputs + place[None, :],
                        mask=(row[:, None] < rows) & (place[None, :] < inputs), other=0.0)
        held = (place[:, None] < inputs) & (output[None, :] < outputs)
        index = tl.load(indices + output[None, :].to(tl.int64) * inputs + place[:, None], mask=held, other=0)
        weight = tl.where(held, tl.load(palette + index.to(tl.int32)), 0.0)
        total += tl.dot(given, weight.to(given.dtype), input_precision="ieee")
    tl.store(out + row[:, None].to(tl.int64) * outputs + output[None, :], total.to(out.dtype.element_ty),
             mask=(row[:, None] < rows) & (output[None, :] < outputs))
