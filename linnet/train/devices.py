"""Where training runs."""

from __future__ import annotations

import torch

from linnet.errors import LinnetError


def pick(name: str = "auto") -> torch.device:
    """The named device ("cpu", "cuda", "mps"), or with "auto" the fastest that is there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, is_there in there.items() if is_there))
    kind, colon, number = name.partition(":")
    if not there.get(kind, False) or (colon and not number.isdecimal()):
        known = ", ".join(device for device, is_there in there.items() if is_there)
        raise LinnetError(f"device '{name}' is not there; this machine has: {known}.")
    return torch.device(name)
