"""Half the bits where they suffice: autocast to bfloat16 around the network, but not around its front end."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn


def computing(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """The context in which the network answers."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def spare_front_ends(module: nn.Module, device: torch.device) -> None:
    """Keep each part named "front" in float32: the power of a spectrum needs more than eight bits."""
    for name, part in module.named_modules():
        if name.split(".")[-1] == "front":
            entered: list[AbstractContextManager[Any]] = []

            def enter(*_: Any, entered: list[AbstractContextManager[Any]] = entered) -> None:
                entered.append(torch.autocast(device.type, enabled=False))
                entered[-1].__enter__()

            def leave(*_: Any, entered: list[AbstractContextManager[Any]] = entered) -> None:
                entered.pop().__exit__(None, None, None)

            part.register_forward_pre_hook(enter)
            part.register_forward_hook(leave, always_call=True)
