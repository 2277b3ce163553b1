"""Blocks of several convolutions around which the signal also goes straight, and the stem for large images."""

from __future__ import annotations

from torch import Tensor, nn

from linnet.nn.layers import Convolution


class Stem(nn.Module):
    """The first layer for large images: a convolution of stride 2, then a maximum over 3 x 3 places of stride 2."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.convolution = Convolution(inputs, outputs, kernel, stride=2)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height / 4, width / 4), rounded up."""
        pooled: Tensor = self.pool(self.convolution(x))
        return pooled


class Residual(nn.Module):
    """Two convolutions, and the input added before the last ReLU (He et al. 2016, arXiv:1512.03385, figure 2).

    Where the size changes, the input passes a 1 x 1 convolution first (their option B, which engines have in 8 bits).
    `inner` channels lie between the two.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, inner: int, stride: int = 1,
                 causal: bool = False) -> None:
        super().__init__()
        self.first = Convolution(inputs, inner, kernel, stride=stride, causal=causal)
        self.second = Convolution(inner, outputs, kernel, activation="none", causal=causal)
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = nn.Identity() if same else Convolution(inputs, outputs, 1, stride=stride,
                                                                          activation="none")
        self.activation = nn.ReLU()
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        added: Tensor = self.activation(self.second(self.first(x)) + self.shortcut(x))
        return added


class Inverted(nn.Module):
    """To `inner` channels, a convolution within each, and back; the input is added where the size allows it.

    Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381, table 1. Without
    `inner`, the first convolution is left out, as in their first block.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, inner: int | None = None, stride: int = 1,
                 causal: bool = False) -> None:
        super().__init__()
        self.expand: nn.Module = Convolution(inputs, inner, 1, activation="relu6") if inner else nn.Identity()
        inner = inner or inputs
        self.filter = Convolution(inner, inner, kernel, stride=stride, groups=inner, activation="relu6", causal=causal)
        self.project = Convolution(inner, outputs, 1, activation="none")
        self.is_added = stride == 1 and inputs == outputs
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        y: Tensor = self.project(self.filter(self.expand(x)))
        return x + y if self.is_added else y


def _initialise(block: nn.Module) -> None:
    """Weights that keep the variance through ReLUs (He et al. 2015, arXiv:1502.01852)."""
    for unit in block.modules():
        if isinstance(unit, nn.Conv2d):
            nn.init.kaiming_normal_(unit.weight, mode="fan_out", nonlinearity="relu")
