"""qat: the network is tuned while its weights and activations are rounded, so that it learns to bear it.

Learned steps: Esser et al. 2020, arXiv:1902.08153; for activations with a learned zero Bhalgat et al. 2020,
arXiv:2004.09576. The file computes in true int8 with the very steps and ranges that were learned. Weights in fewer
bits lie on the int8 grid too: with 4 bits only 16 of its levels are used.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from pydantic import Field

from linnet.errors import LinnetError, unknown
from linnet.nn import Model
from linnet.nn.soft.quantizing import quantize_layers, take_off, watch
from linnet.shrink.method import Materials, Method, Settings

_SEEN_AT_ONCE = 64


class Qat(Settings):
    """`bits` of the weights (activations have 8); `layers` have bits of their own; those in `exclude` stay in float.

    A layer is named by its path in the module, or by that of what holds it ("layers.block1"). Below 8 bits the first
    and the last layer keep 8 unless `layers` names them: they cost most and weigh little.
    """

    bits: int = Field(default=8, ge=2, le=8)
    layers: dict[str, int] = Field(default={})
    exclude: list[str] = Field(default=[])
    how: Literal["lsq", "percentile"] = "lsq"
    percentile: float = Field(default=0.9999, gt=0.5, le=1)
    samples: int = Field(default=256, ge=1)


def bits_of(names: tuple[str, ...], settings: Qat) -> dict[str, int]:
    """By layer the bits of its weights, without what is excluded; LinnetError for a layer that is not there."""
    excluded = {name for wanted in settings.exclude for name in _under(wanted, names)}
    own = {name: bits for wanted, bits in settings.layers.items() for name in _under(wanted, names)}
    ends = {names[0], names[-1]} if names else set()
    return {name: own.get(name, 8 if name in ends else settings.bits) for name in names if name not in excluded}


def _under(wanted: str, names: Iterable[str]) -> list[str]:
    found = [name for name in names if name == wanted or name.startswith(f"{wanted}.")]
    if not found:
        raise unknown("layer", wanted, names)
    return found


def _prepare(model: Model, settings: Qat, materials: Materials) -> Model:
    """Quantizers on every layer, with ranges seen on training samples."""
    wrapped = replace(model, module=copy.deepcopy(model.module))
    arrays = materials.samples(settings.samples)
    count = len(next(iter(arrays.values())))
    seen = watch(wrapped.module, lambda: [wrapped({name: values[start : start + _SEEN_AT_ONCE]
                                                   for name, values in arrays.items()})
                                          for start in range(0, count, _SEEN_AT_ONCE)])
    bits = bits_of(tuple(seen), settings)
    if not bits:
        raise LinnetError(f"qat changes nothing in model '{model.name}': "
                          + ("every layer is excluded." if seen else "it has no convolution and no linear layer."))
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
