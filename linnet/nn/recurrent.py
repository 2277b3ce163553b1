"""Gated recurrent units over padded sequences, in torch to learn and as the one ONNX operator in a file."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from linnet.nn.carrying import Carrying

_OPSET = 20
_ORDER = (1, 0, 2)
"""ONNX wants the update gate before the reset gate, torch has them the other way round."""

_STORED = ("weights", "recurrent", "biases")


class Recurrent(Carrying):
    """A GRU (Cho et al. 2014, arXiv:1406.1078), both ways unless `causal`: (batch, positions, inputs) to
    (batch, positions, units a direction, times the directions).

    The way back starts at each sequence's own end; what lies behind it is answered with zeros, but in a causal one,
    where nothing before it hears of it.
    """

    def __init__(self, inputs: int, units: int, *, causal: bool = False) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, units, batch_first=True, bidirectional=not causal)

    def forward(self, x: Tensor, counts: Tensor | None = None) -> Tensor:
        """`counts` (batch,): how many positions are real, at least one; all, without them."""
        if not self.gru.bidirectional:
            return self._onward(x)
        if torch.compiler.is_exporting():
            return self._exported(x, counts)
        if counts is None:
            found: Tensor = self.gru(x)[0]
            return found
        packed = pack_padded_sequence(x, counts.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        found, _ = pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=x.shape[1])
        return found

    def _onward(self, x: Tensor) -> Tensor:
        """What was answered last is all that the next chunk needs."""
        start = self.recall(x.new_zeros(x.shape[0], self.gru.hidden_size))
        found: Tensor = self._exported(x, None, start) if torch.compiler.is_exporting() else self.gru(
            x, start.unsqueeze(0))[0]
        self.keep(found[:, -1])
        return found

    def _exported(self, x: Tensor, counts: Tensor | None, start: Tensor | None = None) -> Tensor:
        """https://onnx.ai/onnx/operators/onnx__GRU.html; a trace of torch's own would go step by step."""
        gru, directions = self.gru, 2 if self.gru.bidirectional else 1
        inputs: list[Tensor | None] = [x.permute(1, 0, 2), *(self.get_buffer(name) for name in _STORED)]
        if counts is not None or start is not None:
            inputs.append(None if counts is None else counts.clamp(min=1).to(torch.int32))
        if start is not None:
            inputs.append(start.unsqueeze(0))
        found = torch.onnx.ops.symbolic(
            "GRU", inputs, dtype=x.dtype, shape=(x.shape[1], directions, x.shape[0], gru.hidden_size), version=_OPSET,
            attrs={"hidden_size": gru.hidden_size, "linear_before_reset": 1,
                   "direction": "bidirectional" if gru.bidirectional else "forward"})
        return found.permute(2, 0, 1, 3).flatten(2)

    def store(self) -> None:
        """Keep the weights a second time as ONNX wants them: (directions, gates, inputs), the gates in its order."""
        for kinds, name in zip((("weight_ih",), ("weight_hh",), ("bias_ih", "bias_hh")), _STORED, strict=True):
            self.register_buffer(name, torch.stack([
                torch.cat([self._gates(f"{kind}_l0{suffix}") for kind in kinds])
                for suffix in ("", "_reverse")[: 2 if self.gru.bidirectional else 1]]))

    def _gates(self, name: str) -> Tensor:
        parts = self.gru.get_parameter(name).detach().chunk(3)
        return torch.cat([parts[place] for place in _ORDER])


def in_onnx_order(module: nn.Module) -> nn.Module:
    """The module itself, ready to be exported: each recurrent layer has its weights in the order of ONNX."""
    for unit in module.modules():
        if isinstance(unit, Recurrent):
            unit.store()
    return module
