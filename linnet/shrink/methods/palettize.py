"""palettize: each layer's weights take few values, so that the file stores short indices into a palette.

Tuned, the palettes are learned with the weights (DKM: Cho et al. 2021, arXiv:2108.12659). Otherwise they are the
k-means of the weights as they are.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from linnet.errors import LinnetError
from linnet.nn import Model, soft
from linnet.nn.soft.palettes import Palette, palette_bits
from linnet.shrink.choosing import WEIGHTED, chosen
from linnet.shrink.evening import even_channels
from linnet.shrink.method import Materials, Method, Settings

_KINDS = (*WEIGHTED, nn.Embedding)
_MOST_BITS = 6
"""Of an index in a file."""
_LEAST = 4
"""A palette is worth it where at least so many weights share a value."""
_MANY_ZEROS = 0.05


class Palettize(Settings):
    """`bits` of an index; `own_bits` by layer where another number is better; `edges` for the first and the last layer.

    `even`: channels before a batch normalisation are scaled to one size first; the normalisation takes the scale up.
    `length` weights that follow each other share an index. Layers are named by their path in the module, or by what
    holds them; `layers` are the only ones to be changed, those in `exclude` are not.
    """

    bits: int = Field(default=4, ge=1, le=_MOST_BITS)
    tuned: bool = True
    length: int = Field(default=1, ge=1, le=16)
    layers: list[str] = Field(default=[])
    exclude: list[str] = Field(default=[])
    own_bits: dict[str, Annotated[int, Field(ge=1, le=_MOST_BITS)]] = Field(default={})
    even: bool = True
    edges: int | None = Field(default=6, ge=1, le=_MOST_BITS)
    temperature: tuple[float, float] = (2.0, 0.2)
    settles: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Palettize:
        if self.length << max(self.bits, *self.own_bits.values(), 1) > 1 << _MOST_BITS:
            raise ValueError(f"files store an index for each weight, of at most {_MOST_BITS} bits, so length * "
                             f"2 ** bits is at most {1 << _MOST_BITS}; take shorter vectors or fewer bits")
        return self


def _prepare(model: Model, settings: Palettize, materials: Materials) -> Model:
    return _with_palettes(model, settings, materials) if settings.tuned else model


def _finish(model: Model, settings: Palettize, materials: Materials) -> Model:
    """Every weight becomes its palette's nearest value; the encoding says how many bits an index has."""
    found = model if settings.tuned else _with_palettes(model, settings, materials)
    module, palettes = copy.deepcopy(found.module).eval(), dict(model.encoding.palettes)
    for path, layer in [*module.named_modules()]:
        if soft.piece_of(layer, Palette):
            soft.bake(layer, Palette)
            palettes[path] = palette_bits(_own(layer))
    return replace(model, module=module, encoding=replace(model.encoding, palettes=palettes))


def _with_palettes(model: Model, settings: Palettize, materials: Materials) -> Model:
    module = copy.deepcopy(model.module)
    layers = bits_of(module, settings)
    if settings.even:
        even_channels(module, layers)
    for path, bits in layers.items():
        layer = module.get_submodule(path)
        if not settings.tuned and is_parametrized(layer, "weight"):
            raise LinnetError(f"layer '{path}' is tuned by another method while palettize is not; set tuned to true.")
        register_parametrization(layer, "weight", _palette(path, layer, bits, settings, materials.seed))
    return replace(model, module=module)


def _palette(path: str, layer: nn.Module, bits: int, settings: Palettize, seed: int) -> Palette:
    """Zeros stay where there are many, or where something before it makes them."""
    weight = _own(layer)
    if not torch.isfinite(weight).all():
        raise LinnetError(f"layer '{path}' has weights that are not finite (NaN or infinity), and so no palette. Train "
                          "the model again, or leave the layer out (exclude).")
    zeros_stay = is_parametrized(layer, "weight") or bool((weight == 0).float().mean() > _MANY_ZEROS)
    length = settings.length if weight[0].numel() % settings.length == 0 else 1
    return Palette(weight, bits=bits, length=length, temperature=settings.temperature, settles=settings.settles,
                   zeros_stay=zeros_stay, seed=seed)


def bits_of(module: nn.Module, settings: Palettize) -> dict[str, int]:
    """By path of the layer, the bits of an index; layers with too few weights for a palette are left out.

    Raises LinnetError for a layer that is not there, and where no layer is left.
    """
    bits = dict.fromkeys(chosen(module, _KINDS, layers=settings.layers, exclude=settings.exclude), settings.bits)
    ends = [path for path, layer in chosen(module, _KINDS).items() if not isinstance(layer, nn.Embedding)]
    for path in {*ends[:1], *ends[-1:]} & bits.keys() if settings.edges else ():
        bits[path] = max(settings.bits, min(settings.edges or 1, _MOST_BITS - (settings.length - 1).bit_length()))
    for name, own in settings.own_bits.items():
        bits |= {path: own for path in chosen(module, _KINDS, layers=[name]) if path in bits}
    sizes = {path: _own(module.get_submodule(path)).numel() for path in bits}
    useful = {path: (sizes[path] // _LEAST).bit_length() - 1 for path in bits}
    large = {path: min(count, useful[path]) for path, count in bits.items() if useful[path] >= settings.bits}
    if not large:
        raise LinnetError(f"palettize changes nothing: no layer has the weights for a palette of {1 << settings.bits} "
                          "values. Take fewer bits.")
    return large


def _own(layer: nn.Module) -> Tensor:
    """The weight under what stands for it, without gradients."""
    found = layer.parametrizations.weight.original if is_parametrized(layer, "weight") else layer.weight  # type: ignore[union-attr]
    assert isinstance(found, Tensor)
    return found.detach()


METHOD = Method(summary="gives each layer's weights few values, so that the file stores short indices into a palette",
                settings=Palettize, prepare=_prepare, finish=_finish, needs_tuning=lambda settings: settings.tuned)
