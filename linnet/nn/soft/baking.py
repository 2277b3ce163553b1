"""From a parametrized weight back to a plain one."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized, remove_parametrizations

from linnet.errors import LinnetError


def piece_of(layer: nn.Module, kind: type[nn.Module], name: str = "weight") -> nn.Module | None:
    """The parametrization of this kind on the layer's parameter `name`; None where it has none."""
    pieces = _pieces(layer, name)
    return next((piece for piece in pieces or () if isinstance(piece, kind)), None)


def bake(layer: nn.Module, kind: type[nn.Module], name: str = "weight") -> None:
    """The parameter takes the value that the first piece on it gives, and that piece goes; other pieces stay.

    Raises LinnetError where the first piece is of another kind: methods finish in the order in which they prepared.
    """
    pieces = _pieces(layer, name)
    if pieces is None or not isinstance(pieces[0], kind):
        found = "nothing" if pieces is None else type(pieces[0]).__name__
        raise LinnetError(f"'{name}' of a {type(layer).__name__} is to be freed of {kind.__name__}, but has {found} "
                          "on it first; methods finish in the order in which they were prepared.")
    if len(pieces) == 1:
        _own_class(layer)
        remove_parametrizations(layer, name, leave_parametrized=True)
        return
    with torch.no_grad():
        pieces.original.copy_(pieces[0](pieces.original))
    del pieces[0]


def _own_class(layer: nn.Module) -> None:
    """torch takes the property off the layer's class, which deep copies of the layer have in common."""
    shared = type(layer)
    layer.__class__ = type(shared.__name__, shared.__bases__, dict(vars(shared)))


def _have_own_class(layer: nn.Module) -> None:
    """torch takes the parameter's property from the class that it made for the layer, which copies of it share."""
    shared = type(layer)
    own = {name: value for name, value in vars(shared).items() if name not in ("__dict__", "__weakref__")}
    layer.__class__ = type(shared.__name__, shared.__bases__, own)


def _pieces(layer: nn.Module, name: str) -> ParametrizationList | None:
    if not is_parametrized(layer, name):
        return None
    found = layer.get_submodule(f"parametrizations.{name}")
    assert isinstance(found, ParametrizationList)
    return found
