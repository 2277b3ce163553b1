"""From token ids to vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Embedding(nn.Module):
    """Token ids (batch, length) int64 to (batch, length, channels); id 0, padding, is zero and stays it.

    In training whole tokens are left out (zero) with probability `token_dropout`, and single values with `dropout`.
    `deviation` is that of the fresh vectors.
    """

    def __init__(self, vocabulary: int, channels: int, *, deviation: float, token_dropout: float = 0.0,
                 dropout: float = 0.0) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, channels, padding_idx=0)
        with torch.no_grad():
            self.table.weight *= deviation
        self.token_dropout = token_dropout
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) to (batch, length, channels)."""
        x: Tensor = self.table(tokens)
        if self.training and self.token_dropout:
            x = x * (torch.rand(*tokens.shape, 1, device=x.device) >= self.token_dropout)
        dropped: Tensor = self.dropout(x)
        return dropped
