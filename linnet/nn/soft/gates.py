"""Gates over channels: each lets its channel through or not, learned under a price, then closed for good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError

_LOW, _HIGH = -0.1, 1.1
"""The sigmoid is stretched to this, so that a gate can be quite closed and quite open (Louizos et al. 2018)."""


_SPEED = 10.0
"""A score moves a gate so many times faster than a weight of its size would: scores learn at the weights' rate."""


class Gates(nn.Module):
    """Channels of x (axis `axis`) times gates in [0, 1]: clamp(1.2 sigmoid(10 score) - 0.1), one score a channel.

    The hard concrete gate (Louizos, Welling and Kingma 2018, arXiv:1712.01312, equations 10 and 11) without its noise.
    `importance` (channels,), larger is better, orders the gates at the start: all are open, the better ones further.
    From `harden` on, a gate is 0 or 1.
    """

    hard: Tensor
    kept: Tensor

    def __init__(self, channels: int, *, axis: int = 1, importance: Tensor | None = None, start: float = 0.3) -> None:
        super().__init__()
        if channels < 1:
            raise LinnetError(f"gates need at least one channel; got {channels}.")
        self.axis = axis
        order = torch.zeros(channels) if importance is None else importance.detach() / importance.max().clamp(min=1e-12)
        self.scores = nn.Parameter(start + order.float() / _SPEED)
        self.register_buffer("hard", torch.tensor(False))
        self.register_buffer("kept", torch.ones(channels, dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        """Of the shape of x."""
        shape = [1] * x.ndim
        shape[self.axis] = -1
        return x * self.values().reshape(shape).to(x.dtype)

    def values(self) -> Tensor:
        """The gates (channels,), from 0 to 1."""
        soft = torch.clamp((_HIGH - _LOW) * torch.sigmoid(_SPEED * self.scores) + _LOW, 0.0, 1.0)
        return torch.where(self.hard, self.kept.to(soft.dtype), soft)

    def openness(self) -> Tensor:
        """How open each gate is (channels,), in (0, 1) and nowhere flat: what a price is taken on."""
        return torch.sigmoid(_SPEED * self.scores)

    @torch.no_grad()
    def harden(self, kept: Tensor) -> None:
        """Open these (channels,) for good, and close the others."""
        self.kept.copy_(kept)
        self.hard.fill_(True)


class Budget(nn.Module):
    """The price of several `Gates`, and when they close: what stays costs at most `most`.

    `costs` says what is paid: by the places of gates in `gates`, the cost of one channel of each of them together, so
    that {(0,): 5, (0, 1): 9} is 5 n0 + 9 n0 n1 for n0 and n1 open channels. `penalty` is `price` times what the
    openness costs beyond `most`, as a share of it: the pull ends where the budget is met. From the share `settles` of
    the training on, the most open gates stay, as many as there is room for, at least one of each.
    """

    settled: Tensor
    done: Tensor

    def __init__(self, gates: Sequence[Gates], costs: Mapping[tuple[int, ...], float], most: float, *,
                 price: float = 1.0, ramp: float = 0.2, settles: float = 0.6) -> None:
        super().__init__()
        if not gates or {place for places in costs for place in places} != set(range(len(gates))):
            raise LinnetError(f"the costs must speak of each of the {len(gates)} gates by its place; got {costs}.")
        if not most > 0:
            raise LinnetError(f"most is what the open channels may cost together, above 0; got {most!r}.")
        self.gates = tuple(gates)  # they are modules of the layers they gate, not of this one
        self.costs, self.most, self.price, self.ramp, self.settles = dict(costs), most, price, ramp, settles
        self.register_buffer("settled", torch.tensor(False))
        self.register_buffer("done", torch.tensor(0.0))

    @property
    def is_settled(self) -> bool:
        """Whether every gate is open or closed for good."""
        return bool(self.settled)

    def cost(self, counts: Sequence[Tensor | int]) -> Any:
        """What so many open channels of each of the gates cost."""
        return sum(cost * math.prod(counts[place] for place in places)
                   for places, cost in self.costs.items())

    def penalty(self) -> Tensor:
        """A scalar; nothing after the gates are closed."""
        spent = self.cost([gates.openness().sum() for gates in self.gates]) / self.most
        pull: Tensor = self.price * self.done * torch.relu(spent - 1)
        return torch.where(self.settled, torch.zeros_like(pull), pull)

    @torch.no_grad()
    def advance(self, share: float) -> None:
        """The price rises to its height over `ramp`; at `settles` the gates close."""
        self.done.fill_(min(1.0, share / self.ramp) if self.ramp else 1.0)
        if share >= self.settles and not self.is_settled:
            for gates, kept in zip(self.gates, self._kept(), strict=True):
                gates.harden(kept)
            self.settled.fill_(True)

    def _kept(self) -> list[Tensor]:
        """The most open one of each of the gates, then the most open of all that there is room for."""
        kept = [torch.zeros_like(gates.kept) for gates in self.gates]
        for place, gates in enumerate(self.gates):
            kept[place][int(gates.scores.argmax())] = True
        counts = [1] * len(kept)
        for _, place, channel in sorted(((score, place, channel) for place, gates in enumerate(self.gates)
                                         for channel, score in enumerate(gates.scores.tolist())), reverse=True):
            more = [count + (place == other) for other, count in enumerate(counts)]
            if not kept[place][channel] and self.cost(more) <= self.most:
                kept[place][channel], counts = True, more
        return kept
