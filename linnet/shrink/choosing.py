"""Which layers a method works on: those of its kinds, less those that the plan leaves out."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from linnet.errors import LinnetError, unknown
from linnet.nn.soft import Factors
from linnet.nn.soft.quantizing import WEIGHTED

__all__ = ["WEIGHTED", "chosen"]
_FRONT = "front"


def chosen(module: nn.Module, kinds: tuple[type[nn.Module], ...] = WEIGHTED, *, layers: Iterable[str] = (),
           exclude: Iterable[str] = ()) -> dict[str, nn.Module]:
    """By path, the layers of these kinds, in the order of the module: those named, or without any all of them.

    A name stands for the layer and for all inside it ("layers.stage1_1"). The front end has none. Raises LinnetError
    for a name under which there is none.
    """
    found = {path: layer for path, layer in module.named_modules()
             if isinstance(layer, kinds) and path.split(".")[0] != _FRONT}
    for name in (*layers, *exclude):
        if not any(_lies_in(path, name) for path in found):
            raise unknown("layer", name, found)
    wanted = {path: layer for path, layer in found.items()
              if any(_lies_in(path, name) for name in layers) or not tuple(layers)}
    kept = {path: layer for path, layer in wanted.items() if not any(_lies_in(path, name) for name in exclude)}
    if not kept:
        raise LinnetError("the plan changes nothing: none of the network's layers is left to work on. It has "
                          f"{', '.join(found) or 'none of the kinds that this method knows'}.")
    _check_ranks(module, kept)
    return kept


def _check_ranks(module: nn.Module, kept: Iterable[str]) -> None:
    learned = [path for path, layer in module.named_modules() if isinstance(layer, Factors) and layer.gates]
    for name in learned:
        if any(_lies_in(path, name) for path in kept):
            raise LinnetError(f"the ranks of '{name}' are still to be learned, so its weights have no final shape yet. "
                              "Apply factorize in a plan of its own and this method after it, or take rank: fixed.")


def _lies_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")
