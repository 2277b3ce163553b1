"""int8: weights and activations in 8 bits after training, ranges read from training samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from linnet.nn import Model
from linnet.shrink.method import Materials, Method, Settings, unchanged


class Int8(Settings):
    """How ranges are read, what is done to the weights, and which layers stay in float."""

    calibration: Literal["minmax", "percentile", "mse", "entropy"] = "minmax"
    repairs: list[Literal["equalize", "adaround", "bias_correction"]] = Field(default=[])
    exclude: list[str] = Field(default=[])
    samples: int = Field(default=256, ge=1)


def _calibrate(model: Model, settings: Int8, materials: Materials) -> Model:
    """Attach training samples from which the writer reads the ranges of the activations."""
    encoding = replace(model.encoding, bits=8, calibration=settings.calibration, repairs=tuple(settings.repairs),
                       exclude=tuple(settings.exclude))
    return replace(model, encoding=encoding, calibration=materials.samples(settings.samples))


METHOD = Method(summary="weights and activations in 8 bits, ranges calibrated on training samples",
                settings=Int8, prepare=unchanged, finish=_calibrate, needs_tuning=False)
