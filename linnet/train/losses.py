"""Losses by name: a Task says which, this file says how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn import functional

Inputs = Mapping[str, torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor, float, Inputs], torch.Tensor]
"""Of outputs, targets, label smoothing, and the input arrays by name (a loss may need their lengths)."""


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, smoothing: float, inputs: Inputs) -> torch.Tensor:
    """Mean cross entropy of (batch, classes) logits against (batch,) indices, with label smoothing."""
    del inputs
    return functional.cross_entropy(logits, targets, label_smoothing=smoothing)


def distillation(logits: torch.Tensor, teacher_logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Divergence of the softened answers, times the temperature squared (Hinton et al. 2015, section 2)."""
    student = functional.log_softmax(logits / temperature, dim=1)
    teacher = functional.log_softmax(teacher_logits / temperature, dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean", log_target=True) * temperature**2


LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy}
