"""AdaRound: each weight goes up or down to the step that keeps its layer's outputs, not to the nearest one.

Nagel, Amjad, van Baalen, Louizos and Blankevoort 2020, Up or Down? Adaptive Rounding for Post-Training Quantization,
arXiv:2004.10568, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper
from torch import Tensor
from torch.nn import functional

from linnet.export.ptq.grids import TOP, Weights

STEPS = 250
_BATCH = 8
_LEARNING_RATE = 0.01
_PRICE = 0.01
_STRETCH = (1.1, -0.1)
"""zeta and gamma of the rectified sigmoid, equation 23."""
_WARM_UP = 0.2
_BETA = (20.0, 2.0)

Pairs = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


def adaround(node: onnx.NodeProto, weights: NDArray[np.float32], bias: NDArray[np.float32] | None, nearest: Weights,
             pairs: Pairs, *, is_rectified: bool, steps: int = STEPS, seed: int = 0) -> Weights:
    """Whole numbers, each the step below or above its weight, for a Conv, Gemm or MatMul node.

    `pairs` are samples: what the layer reads once everything before it is rounded, and what it answered in float
    (with its bias, before a rectifier where it `is_rectified`). Where no better than `nearest` on all of them, that is
    given back.
    """
    layer = layer_in_torch(node, None if bias is None else torch.from_numpy(np.array(bias)))
    generator = torch.Generator().manual_seed(seed)
    scale = torch.from_numpy(nearest.steps.astype(np.float32))
    exact = torch.from_numpy(np.array(weights)) / scale
    below = exact.floor().clamp(-TOP, TOP)
    share = (exact - below).clamp(0.01, 0.99)
    variable = _inverse(share).requires_grad_()
    optimizer = torch.optim.Adam([variable], lr=_LEARNING_RATE)
    given = [(torch.from_numpy(np.array(x)), torch.from_numpy(np.array(y))) for x, y in pairs]
    for step in range(steps):
        softly = rectified_sigmoid(variable)
        values = (below + softly).clamp(-TOP, TOP) * scale
        chosen = torch.randint(len(given), (min(_BATCH, len(given)),), generator=generator).tolist()
        loss = torch.stack([_error(layer(given[place][0], values), given[place][1], is_rectified)
                            for place in chosen]).mean()
        if step >= _WARM_UP * steps:
            loss = loss + _PRICE * regulariser(softly, beta_at(step / steps))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        integers = (below + (rectified_sigmoid(variable) >= 0.5)).clamp(-TOP, TOP)
        own = sum(float(_error(layer(x, integers * scale), y, is_rectified)) for x, y in given)
        before = sum(float(_error(layer(x, torch.from_numpy(nearest.values)), y, is_rectified)) for x, y in given)
    return Weights(integers.numpy().astype(np.int8), nearest.scale, nearest.axis) if own < before else nearest


def rectified_sigmoid(variable: Tensor) -> Tensor:
    """Equation 23: between 0 and 1, and able to reach both."""
    zeta, gamma = _STRETCH
    return (torch.sigmoid(variable) * (zeta - gamma) + gamma).clamp(0, 1)


def regulariser(softly: Tensor, beta: float) -> Tensor:
    """Equation 24: nothing where each share is 0 or 1."""
    return (1 - (2 * softly - 1).abs().pow(beta)).sum()


def beta_at(share: float) -> float:
    """From 20 to 2 after the warm-up, along half a cosine."""
    done = max(0.0, (share - _WARM_UP) / (1 - _WARM_UP))
    start, end = _BETA
    return float(end + 0.5 * (start - end) * (1 + np.cos(done * np.pi)))


def _inverse(share: Tensor) -> Tensor:
    """The variable at which the rectified sigmoid is this share."""
    zeta, gamma = _STRETCH
    return -torch.log((zeta - gamma) / (share - gamma) - 1)


def _error(answer: Tensor, wanted: Tensor, is_rectified: bool) -> Tensor:
    """Equation 25: squared, summed over channels, averaged over the rest."""
    if is_rectified:
        answer, wanted = answer.relu(), wanted.relu()
    return (answer - wanted).square().mean() * (answer.shape[1] if answer.ndim == 4 else answer.shape[-1])


def layer_in_torch(node: onnx.NodeProto, bias: Tensor | None) -> Callable[[Tensor, Tensor], Tensor]:
    """What a Conv, Gemm or MatMul node computes from its input and its weights."""
    said: dict[str, Any] = {item.name: helper.get_attribute_value(item) for item in node.attribute}

    def multiply(x: Tensor, weights: Tensor) -> Tensor:
        answer = x @ (weights.T if said.get("transB") else weights)
        return answer if bias is None else answer + bias

    def convolve(x: Tensor, weights: Tensor) -> Tensor:
        strides, dilations = (said.get(name, [1] * (x.ndim - 2)) for name in ("strides", "dilations"))
        before, after = _padding(said, x.shape[2:], weights.shape[2:], strides, dilations)
        around = [size for sides in reversed(list(zip(before, after, strict=True))) for size in sides]
        function = functional.conv1d if x.ndim == 3 else functional.conv2d
        return function(functional.pad(x, around), weights, bias, strides, 0, dilations, said.get("group", 1))

    return convolve if node.op_type == "Conv" else multiply


def _padding(said: Mapping[str, Any], sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int],
             dilations: Sequence[int]) -> tuple[list[int], list[int]]:
    """Zeros before and after, along each axis."""
    how = said.get("auto_pad", b"NOTSET")
    if how not in (b"SAME_UPPER", b"SAME_LOWER"):
        pads = list(said.get("pads", [0] * (2 * len(sizes))))
        return pads[: len(sizes)], pads[len(sizes) :]
    total = [max(0, (-(-size // stride) - 1) * stride + (places - 1) * dilation + 1 - size)
             for size, places, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)]
    small, large = [count // 2 for count in total], [count - count // 2 for count in total]
    return (small, large) if how == b"SAME_UPPER" else (large, small)
