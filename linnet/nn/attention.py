"""Self-attention from plain matrix products and a softmax, and the transformer's block around it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.carrying import Carrying
from linnet.nn.masking import FAR

_BASE = 10_000.0
"""Of the wavelengths of the rotary positions (Su et al. 2021)."""


def heads_of(family: str, width: int) -> int:
    """A head for each 32 channels, or as near to it as divides them; LinnetError for a width that none divides."""
    if width % 8:
        raise LinnetError(f"width of a {family} is a multiple of 8, so that heads divide it; got {width}.")
    return next(heads for heads in range(max(1, width // 32), 0, -1) if width % (2 * heads) == 0)


def attention_bias(mask: Tensor, *, past: int | None = None) -> Tensor:
    """What is added to the scores (batch, heads, queries, keys): far below zero for what a position may not see.

    `mask` (batch, keys) is 1.0 for real positions; the bias is (batch, 1, 1, keys) and hides the padding. With `past`
    it is (batch, 1, keys - past, keys): the first `past` keys come before the first query, and a position sees itself
    and so many before it.
    """
    bias = ((mask - 1) * FAR)[:, None, None, :]
    if past is None:
        return bias
    places = torch.arange(mask.shape[1], device=mask.device)
    ahead = places.unsqueeze(0) - places[: mask.shape[1] - past].unsqueeze(1)
    hidden = ((ahead < 0) | (ahead > past)).to(mask.dtype)
    return torch.minimum(bias, hidden * -FAR)


def rotary(mask: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine (positions, 1, channels) for as many positions as `mask` (batch, positions) has.

    Su et al. 2021, RoFormer, arXiv:2104.09864: what attention sees of two positions is their distance.
    """
    rates = torch.exp(torch.arange(channels // 2, device=mask.device) * (-2 * math.log(_BASE) / channels))
    angles = torch.arange(mask.shape[1], device=mask.device).unsqueeze(1) * rates
    angles = torch.cat([angles, angles], dim=1).unsqueeze(1)
    return torch.cos(angles), torch.sin(angles)


def turn(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Each pair of channels of x (batch, positions, heads, channels) turned by its position's angle."""
    first, second = x.chunk(2, dim=3)
    return x * angles[0] + torch.cat([-second, first], dim=3) * angles[1]


class Attention(Carrying):
    """Every position becomes a mixture of all that it may see (Vaswani et al. 2017): (batch, positions, channels).

    With `past` it sees itself and so many positions before it, whose keys and values it carries from chunk to chunk.
    """

    def __init__(self, channels: int, heads: int, *, dropout: float = 0.0, past: int | None = None) -> None:
        super().__init__()
        self.heads, self.past = heads, past
        self.mixed = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None, angles: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """`bias` is added to the scores; `angles` are those of `rotary`, None where positions do not matter.

        With `past` both are for so many positions more, which come first.
        """
        mixed = self.mixed(x)
        size, channels = mixed.shape[0], mixed.shape[2] // 3
        queries, keys, values = self._apart(mixed, angles) if self.past is None else self._carried(mixed, angles)
        scores = queries.permute(0, 2, 1, 3) @ keys.permute(0, 2, 3, 1) * (channels // self.heads) ** -0.5
        if bias is not None:
            scores = scores + bias
        weights = self.dropout(scores.softmax(dim=3))
        mixture = (weights @ values.permute(0, 2, 1, 3)).permute(0, 2, 1, 3)
        answer: Tensor = self.output(mixture.reshape(size, -1, channels))
        return answer

    def _apart(self, mixed: Any, angles: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (batch, positions, heads, channels of a head)."""
        size, channels = mixed.shape[0], mixed.shape[2] // 3
        both, values = mixed.split([2 * channels, channels], dim=2)
        both = both.reshape(size, -1, 2 * self.heads, channels // self.heads)
        queries, keys = (both if angles is None else turn(both, angles)).chunk(2, dim=2)
        return queries, keys, values.reshape(size, -1, self.heads, channels // self.heads)

    def _carried(self, mixed: Any, angles: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
        """The same with keys and values of the past before them. Only distances count, so positions begin anew."""
        assert self.past is not None
        size, channels = mixed.shape[0], mixed.shape[2] // 3
        queries, both = mixed.split([channels, 2 * channels], dim=2)
        both = self.behind(both, self.past, 1).reshape(size, -1, 2 * self.heads, channels // self.heads)
        queries = queries.reshape(size, -1, self.heads, channels // self.heads)
        keys, values = both.chunk(2, dim=2)
        if angles is None:
            return queries, keys, values
        cosine, sine = angles
        return turn(queries, (cosine[self.past :], sine[self.past :])), turn(keys, angles), values


class Block(nn.Module):
    """Attention, then two linear layers with a rectifier; each normalises what it reads and adds what it finds.

    The normalisation comes first (Xiong et al. 2020, arXiv:2002.04745), so that no warm-up is needed.
    """

    def __init__(self, channels: int, heads: int, *, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm, self.linear_norm = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, dropout=dropout)
        self.wide, self.narrow = nn.Linear(channels, expansion * channels), nn.Linear(expansion * channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor | None = None, angles: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """(batch, positions, channels) to the same; `bias` and `angles` as for Attention."""
        x = x + self.dropout(self.attention(self.attention_norm(x), bias, angles))
        found = self.narrow(self.dropout(self.wide(self.linear_norm(x)).relu()))
        answer: Tensor = x + self.dropout(found)
        return answer
