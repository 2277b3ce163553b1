"""The conformer's block: attention for what is far, a convolution for what is near (Gulati et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet.nn.attention import Attention
from linnet.nn.layers import Convolution


class Near(nn.Module):
    """Normalise, gate, convolve within each channel along time, mix: (batch, frames, channels) to the same."""

    def __init__(self, channels: int, kernel: int, *, dropout: float, causal: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.gated = nn.Linear(channels, 2 * channels)
        self.depthwise = Convolution(channels, channels, (kernel, 1), groups=channels, activation="silu", causal=causal)
        self.mixed = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` (batch, frames) is 1.0 for real frames; the others are silent to their neighbours."""
        found, gate = self.gated(self.norm(x)).chunk(2, dim=2)
        x = found * torch.sigmoid(gate)
        if mask is not None:
            x = x * mask.unsqueeze(2)
        x = self.depthwise(x.permute(0, 2, 1).unsqueeze(3)).squeeze(3).permute(0, 2, 1)
        mixed: Tensor = self.dropout(self.mixed(x))
        return mixed


class Wide(nn.Module):
    """Normalise, four times as many channels, SiLU, and back: (batch, frames, channels) to the same."""

    def __init__(self, channels: int, *, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.wide, self.narrow = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, frames, channels) to the same."""
        wide = self.wide(self.norm(x))
        narrow: Tensor = self.dropout(self.narrow(self.dropout(wide * torch.sigmoid(wide))))
        return narrow


class ConformerBlock(nn.Module):
    """Half a step of Wide, attention, Near, half a step of Wide, each added to its input; then a normalisation.

    Gulati et al. 2020, Conformer: Convolution-augmented Transformer for Speech Recognition, arXiv:2005.08100; with
    rotary positions in place of relative ones. With `past` it is causal, and its attention reaches back so many frames.
    """

    def __init__(self, channels: int, heads: int, *, kernel: int, dropout: float, past: int | None) -> None:
        super().__init__()
        self.before, self.after = Wide(channels, dropout=dropout), Wide(channels, dropout=dropout)
        self.attention_norm, self.norm = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = Attention(channels, heads, dropout=dropout, past=past)
        self.near = Near(channels, kernel, dropout=dropout, causal=past is not None)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None, bias: Tensor | None, angles: tuple[Tensor, Tensor]) -> Tensor:
        """(batch, frames, channels) to the same; `bias` and `angles` as for Attention, `mask` as for Near."""
        x = x + 0.5 * self.before(x)
        x = x + self.dropout(self.attention(self.attention_norm(x), bias, angles))
        x = x + self.near(x, mask)
        normal: Tensor = self.norm(x + 0.5 * self.after(x))
        return normal
