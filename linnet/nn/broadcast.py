"""Broadcasted residual learning: convolutions over time see the mean of all bands, and every band hears the answer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from linnet.nn.carrying import Carrying
from linnet.nn.layers import Convolution
from linnet.nn.subbands import SubSpectral

_DROPOUT = 0.1


class Broadcast(nn.Module):
    """A convolution over bands, and one over time on the mean of the bands, added to every band.

    Kim et al. 2021, Broadcasted Residual Learning for Efficient Keyword Spotting, arXiv:2106.04140, figure 2. The
    input is added where its size stays. `bands` come out; `stride` is that over bands, `dilation` that over time.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bands: int, stride: int = 1, dilation: int = 1,
                 causal: bool = False) -> None:
        super().__init__()
        self.is_added = stride == 1 and inputs == outputs
        self.change: nn.Module = nn.Identity() if self.is_added else Convolution(inputs, outputs, 1)
        self.across_bands = Convolution(outputs, outputs, (1, kernel), stride=(1, stride), groups=outputs,
                                        activation="none")
        self.across_bands.norm = SubSpectral(outputs, bands)
        self.across_time = Convolution(outputs, outputs, (kernel, 1), dilation=(dilation, 1), groups=outputs,
                                       activation="silu", causal=causal)
        self.mix = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.dropout = nn.Dropout2d(_DROPOUT)
        self.activation = nn.ReLU()
        self.bands = bands

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, frames, bands x stride) to (batch, outputs, frames, bands)."""
        y = self.across_bands(self.change(x))
        time = self.dropout(self.mix(self.across_time(avg_pool2d(y, (1, self.bands)))))
        added: Tensor = self.activation((x + y if self.is_added else y) + time)
        return added


class Gather(Carrying):
    """A convolution within each channel over all bands that are left, then one across channels."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, causal: bool = False) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, kernel, padding=(0 if causal else kernel // 2, 0), groups=inputs,
                                   bias=False)
        self.pointwise = Convolution(inputs, outputs, 1)
        self.before = kernel - 1 if causal else 0

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, frames, kernel) to (batch, outputs, frames, 1)."""
        if self.before:
            x = self.behind(x, self.before, 2)
        gathered: Tensor = self.pointwise(self.depthwise(x))
        return gathered
