"""sparsify: single weights become zero, so that they need not be stored."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import nn
from torch.nn.utils.parametrize import register_parametrization

from linnet.errors import LinnetError
from linnet.nn import Model, soft
from linnet.nn.soft.masks import Mask, fits, shares
from linnet.shrink.choosing import chosen
from linnet.shrink.method import Materials, Method, Settings


class Sparsify(Settings):
    """How many weights go, in which layers, how the mask grows, and when it is final."""

    share: float | None = Field(default=None, gt=0, lt=1)
    pattern: str = Field(default="unstructured", pattern=r"^(unstructured|[1-9]\d*:[1-9]\d*)$")
    how: Literal["pdp", "magnitude"] = "pdp"
    budget: Literal["lamp", "global", "uniform"] = "lamp"
    layers: list[str] = Field(default=[])
    exclude: list[str] = Field(default=[])
    temperature: float = Field(default=0.1, gt=0)
    ramp: float = Field(default=0.5, gt=0, le=1)
    settles: float = Field(default=0.75, gt=0, le=1)

    @property
    def groups(self) -> tuple[int, int] | None:
        """(n, m) of the pattern; None where weights go anywhere."""
        if self.pattern == "unstructured":
            return None
        kept, size = self.pattern.split(":")
        return int(kept), int(size)

    @model_validator(mode="after")
    def _fits(self) -> Sparsify:
        if self.groups is None and self.share is None:
            raise ValueError("say the share of the weights that go, or a pattern such as '2:4'")
        if self.groups is not None and self.share is not None:
            raise ValueError(f"the pattern {self.pattern} says what share of the weights goes; leave share out")
        if self.groups is not None and self.groups[0] >= self.groups[1]:
            raise ValueError(f"a pattern n:m keeps n of m weights, n below m; got {self.pattern}")
        if self.ramp > self.settles:
            raise ValueError(f"ramp and settles are shares of the training in this order; got {self.ramp} and "
                             f"{self.settles}")
        return self


def _prepare(model: Model, settings: Sparsify, materials: Materials) -> Model:
    """Put a mask on every layer's weight, which tuning fills."""
    module = copy.deepcopy(model.module)
    layers = {path: layer for path, layer in
              chosen(module, layers=settings.layers, exclude=settings.exclude).items()
              if fits(_weight(layer), settings.groups)}
    if not layers:
        raise LinnetError(f"sparsify changes nothing: no layer has whole groups of {settings.pattern} inputs.")
    for path, layer in layers.items():
        if not torch.isfinite(_weight(layer)).all():
            raise LinnetError(f"layer '{path}' has weights that are not finite (NaN or infinity); its small ones are "
                              "unknown. Train the model again, or leave the layer out (exclude).")
    given = _shares(settings, layers)
    for (path, layer), share in zip(layers.items(), given, strict=True):
        if share is None or round(share * _weight(layer).numel()):
            register_parametrization(layer, "weight", _mask(settings, layer, share))
        elif path in settings.layers:
            raise LinnetError(f"sparsify changes nothing in layer '{path}', which the plan names: {settings.share} of "
                              f"its {_weight(layer).numel()} weights is none. Take a larger share, or leave it out.")
    if not any(isinstance(part, Mask) for part in module.modules()):
        raise LinnetError(f"sparsify changes nothing: {settings.share} of the weights is none.")
    return replace(model, module=module)


def _shares(settings: Sparsify, layers: dict[str, nn.Module]) -> list[float | None]:
    if settings.share is None:
        return [None] * len(layers)
    return [*shares([_weight(layer) for layer in layers.values()], settings.share, settings.budget)]


def _mask(settings: Sparsify, layer: nn.Module, share: float | None) -> Mask:
    return Mask(layer.get_parameter("weight"), share=share, pattern=settings.groups, ramp=(0.0, settings.ramp),
                settles=settings.settles, temperature=settings.temperature if settings.how == "pdp" else None)


def _finish(model: Model, settings: Sparsify, materials: Materials) -> Model:
    """Make the zeros part of the weights, and say in which layers they are."""
    module = copy.deepcopy(model.module)
    masks = {path: piece for path, layer in module.named_modules()
             if isinstance(piece := soft.piece_of(layer, Mask), Mask)}
    for path, piece in masks.items():
        piece.advance(1.0)
        soft.bake(module.get_submodule(path), Mask)
    sparse = tuple(dict.fromkeys((*model.encoding.sparse, *masks)))
    return replace(model, module=module, encoding=replace(model.encoding, sparse=sparse))


def _weight(layer: nn.Module) -> torch.Tensor:
    found: torch.Tensor = layer.get_parameter("weight").detach()
    return found


METHOD = Method(summary="makes single weights zero, so that they need not be stored",
                settings=Sparsify, prepare=_prepare, finish=_finish, needs_tuning=True)
