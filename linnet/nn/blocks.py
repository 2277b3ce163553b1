"""Blocks of several convolutions around which the signal also goes straight: residual networks."""

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
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, kernel, stride=stride)
        self.second = Convolution(outputs, outputs, kernel, activation="none")
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module = nn.Identity() if same else Convolution(inputs, outputs, 1, stride=stride,
                                                                          activation="none")
        self.activation = nn.ReLU()
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        added: Tensor = self.activation(self.second(self.first(x)) + self.shortcut(x))
        return added


def _initialise(block: nn.Module) -> None:
    """Weights that keep the variance through ReLUs (He et al. 2015, arXiv:1502.01852)."""
    for unit in block.modules():
        if isinstance(unit, nn.Conv2d):
            nn.init.kaiming_normal_(unit.weight, mode="fan_out", nonlinearity="relu")
