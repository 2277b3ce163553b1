"""From token ids to vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_UNKNOWN = 1
"""The id of what the tokenizer does not know; 0 is padding."""


class Embedding(nn.Module):
    """Token ids (batch, length) int64 to (batch, length, channels); id 0, padding, is zero and stays it.

    In training each token becomes the unknown one with probability `token_dropout`, so that this one is learnt, and
    single values are left out with `dropout`. `deviation` is that of the fresh vectors.
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
        if self.training and self.token_dropout:
            hidden = (torch.rand(tokens.shape, device=tokens.device) < self.token_dropout) & (tokens != 0)
            tokens = torch.where(hidden, _UNKNOWN, tokens)
        dropped: Tensor = self.dropout(self.table(tokens))
        return dropped
