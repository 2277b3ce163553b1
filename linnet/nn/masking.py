"""Padding in sequences: which positions are real, and averages and answers that do not see the others."""

from __future__ import annotations

import torch
from torch import Tensor

FAR = 1e9
"""Far below any logit or attention score; what is masked gets a probability of exactly zero."""


_CERTAIN = 1e4
"""So far below the blank that a softmax gives it all; near enough that a loss stays finite."""


def real_tokens(tokens: Tensor) -> Tensor:
    """1.0 where a token (batch, length) is none of padding, 0.0 where it is."""
    return (tokens != 0).to(torch.float32)


def real_frames(lengths: Tensor, frames: Tensor) -> Tensor:
    """1.0 for the first `lengths` (batch,) of the positions of `frames` (batch, positions, channels), else 0.0."""
    places = torch.arange(frames.shape[1], device=frames.device).unsqueeze(0)
    return (places < lengths.unsqueeze(1)).to(torch.float32)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of x (batch, positions, channels) over the real positions (batch, positions); zero where none is."""
    weights = mask.unsqueeze(2)
    return (x * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def blank_beyond(logits: Tensor, mask: Tensor) -> Tensor:
    """Logits (batch, frames, tokens) that answer index 0 with certainty wherever no frame is real."""
    silent = (1 - mask).unsqueeze(2)
    others = torch.arange(logits.shape[2], device=logits.device).clamp(max=1).to(logits.dtype)
    return logits * mask.unsqueeze(2) - _CERTAIN * silent * others
