"""qat: the network is tuned while its weights and activations are rounded, so that it learns to bear it.

Learned steps: Esser et al. 2020, arXiv:1902.08153; for activations with a learned zero Bhalgat et al. 2020,
arXiv:2004.09576. The file computes in true int8 with the very steps and ranges that were learned. Weights in fewer
bits lie on the int8 grid too: with 4 bits only 16 of its levels are used.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from linnet.nn import Model
from linnet.nn.soft.quantizing import quantize_layers, take_off, watch
from linnet.shrink.choosing import chosen
from linnet.shrink.method import Materials, Method, Settings

_SEEN_AT_ONCE = 64


class Qat(Settings):
    """`bits` of the weights (activations have 8); `own_bits` by layer where another number is better.

    `edges` are for the first and the last layer, which cost little and matter most. Layers are named by their path in
    the module, or by what holds them; `layers` are the only ones to be changed, those in `exclude` are not: both stay
    in float.
    """

    bits: int = Field(default=8, ge=2, le=8)
    own_bits: dict[str, Annotated[int, Field(ge=2, le=8)]] = Field(default={})
    edges: int = Field(default=8, ge=2, le=8)
    layers: list[str] = Field(default=[])
    exclude: list[str] = Field(default=[])
    how: Literal["lsq", "percentile"] = "lsq"
    percentile: float = Field(default=0.9999, gt=0.5, le=1)
    samples: int = Field(default=256, ge=1)


def _bits(module: nn.Module, order: Sequence[str], settings: Qat) -> dict[str, int]:
    """By layer the bits of its weights, for those that the plan chooses; `order` has all that are called."""
    kept = chosen(module, layers=settings.layers, exclude=settings.exclude)
    own = {path: bits for name, bits in settings.own_bits.items() for path in chosen(module, layers=[name])}
    ends = (*order[:1], *order[-1:])
    return {path: own.get(path, settings.edges if path in ends else settings.bits) for path in order if path in kept}


def _prepare(model: Model, settings: Qat, materials: Materials) -> Model:
    """Quantizers on every layer, with ranges seen on training samples."""
    wrapped = replace(model, module=copy.deepcopy(model.module))
    arrays = materials.samples(settings.samples)
    count = len(next(iter(arrays.values())))
    seen = watch(wrapped.module, lambda: [wrapped({name: values[start : start + _SEEN_AT_ONCE]
                                                   for name, values in arrays.items()})
                                          for start in range(0, count, _SEEN_AT_ONCE)])
    bits = _bits(wrapped.module, list(seen), settings)
    percentile = settings.percentile if settings.how == "percentile" else None
    quantize_layers(wrapped.module, bits, seen, percentile=percentile)
    left = [name for name in seen if name not in bits]
    return replace(wrapped, encoding=replace(model.encoding, exclude=(*model.encoding.exclude, *left)))


def _finish(model: Model, settings: Qat, materials: Materials) -> Model:
    """A plain module again, its weights on their grids; the encoding has the learned steps and ranges."""
    module = copy.deepcopy(model.module)
    scales, ranges = take_off(module)
    encoding = replace(model.encoding, bits=8, scales=scales, ranges=ranges)
    return replace(model, module=module, encoding=encoding, calibration=materials.samples(settings.samples))


METHOD = Method(summary="weights in 8 to 2 bits and activations in 8, tuned while they are rounded",
                settings=Qat, prepare=_prepare, finish=_finish, needs_tuning=True)
