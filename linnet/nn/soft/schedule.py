"""What changes while a network is tuned: masks that grow, temperatures that fall, prices that are paid in the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Scheduled(Protocol):
    """A module that hardens over a training. What `advance` sets lies in buffers, so that compiled steps stay valid."""

    def advance(self, share: float) -> None:
        """Take up the state for this share of the training, from 0 at its first step to 1 at its last."""
        ...

    @property
    def is_settled(self) -> bool:
        """Whether what is compressed is now as small as it will be, so that these weights may be kept."""
        ...


@runtime_checkable
class Priced(Protocol):
    """A module that adds to the loss."""

    def penalty(self) -> Tensor:
        """A scalar."""
        ...


def advance(module: nn.Module, share: float) -> None:
    """Advance every scheduled part of the module."""
    for part in _scheduled(module):
        part.advance(share)


def is_settled(module: nn.Module) -> bool:
    """Whether every scheduled part has settled; true without any."""
    return all(part.is_settled for part in _scheduled(module))


def penalty(module: nn.Module) -> Tensor | None:
    """The sum of all prices; None without any."""
    prices = [part.penalty() for part in module.modules() if isinstance(part, Priced)]
    return sum(prices[1:], prices[0]) if prices else None


def _scheduled(module: nn.Module) -> Iterator[Scheduled]:
    return (part for part in module.modules() if isinstance(part, Scheduled))
