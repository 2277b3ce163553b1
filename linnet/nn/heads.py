"""The last layer: one linear map, on every position or on what a pool makes of all of them, as the answer asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn


def make_head(spec: Mapping[str, Any], channels: int) -> nn.Linear:
    """From `channels` to as many numbers as one answer of the spec's output has."""
    return nn.Linear(channels, spec["output"]["shape"][-1])


def is_pooled(spec: Mapping[str, Any]) -> bool:
    """One answer a sample, (classes,) or (values,); otherwise one a position, (positions, tags)."""
    return len(spec["output"]["shape"]) == 1
