"""resize: slice a module's parameters and buffers in place, and tell its parts their new sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linnet.errors import LinnetError
from linnet.nn.rewrites import REWRITES

Attributes = Mapping[str, Mapping[str, int]]
"""By path of a module: its whole numbers that follow from sizes, such as how many heads it has."""


def slice_in_place(module: nn.Module, kept: Mapping[str, Sequence[NDArray[np.int64]]]) -> dict[str, list[int]]:
    """Keep these positions along each axis of these parameters and buffers; their new shapes, where they changed.

    A parameter with several names stays one.
    """
    made: dict[int, torch.Tensor] = {}
    shapes = {}
    for name, positions in kept.items():
        owner, leaf = _owner(module, name)
        old = getattr(owner, leaf)
        if [len(along) for along in positions] == list(old.shape):
            continue
        if id(old) not in made:
            made[id(old)] = _like(old, _sliced(old.detach(), positions))
        setattr(owner, leaf, made[id(old)])
        shapes[name] = [len(along) for along in positions]
    settle(module)
    return shapes


def resize(module: nn.Module, arguments: Mapping[str, Any]) -> None:
    """The rewrite: {"shapes": {parameter: shape}, "attributes": {path: {name: number}}}; the values come later."""
    made: dict[int, torch.Tensor] = {}
    for name, shape in arguments["shapes"].items():
        owner, leaf = _owner(module, name)
        old = getattr(owner, leaf, None)
        if not isinstance(old, torch.Tensor) or old.ndim != len(shape):
            raise LinnetError(f"the network has no parameter '{name}' of {len(shape)} axes to resize; it is not the "
                              "network whose channels were removed.")
        if id(old) not in made:
            made[id(old)] = _like(old, _sliced(old.detach(), [np.arange(size) for size in shape]))
        setattr(owner, leaf, made[id(old)])
    settle(module)
    tell(module, arguments.get("attributes", {}))


REWRITES["resize"] = resize


def with_resize(spec: Mapping[str, Any], shapes: Mapping[str, list[int]], attributes: Attributes) -> dict[str, Any]:
    """The spec with one more rewrite; two in a row become one, so that two steps are the same as one."""
    before = list(spec.get("rewrites", ()))
    last = before.pop() if before and before[-1]["kind"] == "resize" else {"shapes": {}, "attributes": {}}
    told = {path: dict(numbers) for path, numbers in last["attributes"].items()}
    for path, numbers in attributes.items():
        told[path] = {**told.get(path, {}), **numbers}
    entry = {"kind": "resize", "shapes": {**last["shapes"], **shapes}, "attributes": told}
    return {**spec, "rewrites": [*before, entry]}


def tell(module: nn.Module, attributes: Attributes) -> None:
    """Set whole numbers of parts of the module."""
    for path, numbers in attributes.items():
        part = module.get_submodule(path)
        for name, number in numbers.items():
            setattr(part, name, number)


def settle(module: nn.Module) -> None:
    """Tell torch's own layers the sizes that their weights have."""
    for part in module.modules():
        if isinstance(part, nn.modules.conv._ConvNd):
            _settle_convolution(part)
        elif isinstance(part, nn.Linear):
            part.out_features, part.in_features = part.weight.shape
        elif isinstance(part, nn.Embedding):
            part.num_embeddings, part.embedding_dim = part.weight.shape
        elif isinstance(part, nn.modules.batchnorm._NormBase) and part.running_mean is not None:
            part.num_features = len(part.running_mean)
        elif isinstance(part, nn.LayerNorm | nn.RMSNorm) and part.weight is not None:
            part.normalized_shape = tuple(part.weight.shape)
        elif isinstance(part, nn.GroupNorm) and part.weight is not None:
            part.num_groups = len(part.weight) if part.num_groups == part.num_channels else part.num_groups
            part.num_channels = len(part.weight)
        elif isinstance(part, nn.RNNBase):
            part.hidden_size = part.get_parameter("weight_hh_l0").shape[1]
            part.input_size = part.get_parameter("weight_ih_l0").shape[1]


def _settle_convolution(part: nn.modules.conv._ConvNd) -> None:
    first, second = part.weight.shape[:2]
    outputs, inputs = (second, first) if part.transposed else (first, second)
    if part.groups == part.in_channels and part.groups > 1 and inputs == 1:
        part.groups = outputs // (part.out_channels // part.groups)
    part.out_channels, part.in_channels = outputs, inputs * (1 if part.transposed else part.groups)


def _owner(module: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, leaf = name.rpartition(".")
    try:
        return module.get_submodule(path), leaf
    except AttributeError as error:
        raise LinnetError(f"the network has no '{path}' to resize; it is not the network whose channels were "
                          "removed.") from error


def _sliced(tensor: torch.Tensor, positions: Sequence[NDArray[np.int64]]) -> torch.Tensor:
    for axis, along in enumerate(positions):
        if len(along) != tensor.shape[axis]:
            tensor = tensor.index_select(axis, torch.from_numpy(along).to(tensor.device))
    return tensor.clone()


def _like(old: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return nn.Parameter(values, requires_grad=old.requires_grad) if isinstance(old, nn.Parameter) else values
