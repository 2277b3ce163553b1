"""torch.compile, and what to do where it cannot work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError

_COMPILER = ("torch._dynamo", "torch._inductor", "triton")


def compiled(module: nn.Module) -> Callable[..., Tensor]:
    """The module's forward, compiled at its first call. Raises LinnetError there where torch finds no compiler."""
    fast: Callable[..., Tensor] = torch.compile(module)

    def forward(*inputs: Tensor) -> Tensor:
        try:
            return fast(*inputs)
        except Exception as error:
            if not type(error).__module__.startswith(_COMPILER):
                raise
            raise LinnetError(f"torch.compile does not work here ({_first_line(error)}). It needs a C++ compiler "
                              "(g++ or clang++), on an accelerator also triton; or leave compile out.") from error

    return forward


def _first_line(error: Any) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
