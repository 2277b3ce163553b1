"""From a picture of sound to a sequence of vectors, four times fewer frames; how many of them are real is told here."""

from __future__ import annotations

from typing import TypeVar

from torch import Tensor, nn
from torch.nn.functional import pad

from linnet.nn.frontend import LogMel
from linnet.nn.layers import Convolution
from linnet.nn.masking import real_frames

_STRIDE = 2
STRIDE = 4
"""So many frames of the picture make one vector."""


class Subsampling(nn.Module):
    """Two convolutions of stride 2, then one vector a frame: (batch, 1, frames, bands) to (batch, frames', channels).

    A frame is real where half of what it was made of is. What is not real is zero before each convolution, so that
    the answers do not depend on how much padding follows. A causal one makes a vector of every four frames.
    """

    def __init__(self, bands: int, channels: int, *, inner: int, causal: bool = False) -> None:
        super().__init__()
        self.first = Convolution(1, inner, 3, stride=_STRIDE, causal=causal)
        self.second = Convolution(inner, inner, 3, stride=_STRIDE, causal=causal)
        self.linear = nn.Linear(inner * _halved(_halved(bands)), channels)

    def forward(self, picture: Tensor, counts: Tensor | None = None) -> Tensor:
        """`counts` (batch,): how many frames of the picture are real; all, without them."""
        x = self.first(_silenced(picture, counts))
        x = self.second(_silenced(x, None if counts is None else _halved(counts)))
        x = x.permute(0, 2, 1, 3).flatten(2)
        vectors: Tensor = self.linear(x)
        return vectors

    def counts(self, counts: Tensor) -> Tensor:
        """How many of the vectors are real, (batch,), given how many frames of the picture are."""
        return _halved(_halved(counts))


def hear(front: nn.Module, stem: nn.Module, audio: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The vectors that a stem makes of recordings (batch, samples), and how many are real; None where all of them are.

    `front` is a LogMel, `stem` a Subsampling.
    """
    assert isinstance(front, LogMel)
    assert isinstance(stem, Subsampling)
    if lengths is not None and front.step is None:  # what is shorter than a hop is heard as a frame of padding
        audio = pad(audio, (0, front.hop))
    frames = None if lengths is None else front.counts(lengths)
    return stem(front(audio), frames), None if frames is None else stem.counts(frames)


def _silenced(x: Tensor, counts: Tensor | None) -> Tensor:
    """(batch, channels, frames, bands), zero where no frame is real."""
    return x if counts is None else x * real_frames(counts, x[:, 0])[:, None, :, None]


Count = TypeVar("Count", int, Tensor)


def _halved(count: Count) -> Count:
    """What a stride of 2 leaves of so many positions."""
    return (count + 1) // 2
