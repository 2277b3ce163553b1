"""Encoding: how a file is to store and compute a model; shrink decides it, export carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from linnet.errors import LinnetError, unknown

CALIBRATIONS = ("minmax", "percentile", "mse", "entropy")
"""How the range of an activation is taken from the calibration samples."""
REPAIRS = ("equalize", "adaround", "bias_correction")
"""What post-training quantization may do to the weights; it is done in this order."""


@dataclass(frozen=True)
class Encoding:
    """Layers are named by their path in the module ("layers.stem.conv"); a float file has the empty encoding.

    The module's own weights already have their final values (on the grid of `scales`, of few distinct values, with
    zeros): an encoding stores them, it changes none, but for those that post-training quantization rounds.
    """

    bits: int | None = None
    """8: weights and activations of the layers that the engine has in int8; None: float."""
    calibration: str = "minmax"
    """How ranges that were not learned are read from the model's calibration samples."""
    repairs: tuple[str, ...] = ()
    """Of `REPAIRS`."""
    exclude: tuple[str, ...] = ()
    """Layers that stay in float: named by hand, or by sensitivity."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By layer: the learned range (lowest, highest) of its input."""
    scales: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By layer: the learned step between two weights, one for the layer or one an output channel."""
    palettes: Mapping[str, int] = field(default_factory=dict)
    """By layer: bits of the index into its palette; its weights have at most 2 ** bits distinct values."""
    sparse: tuple[str, ...] = ()
    """Layers whose zeros are not stored."""

    def __post_init__(self) -> None:
        if self.bits not in (None, 8):
            raise LinnetError(f"bits must be 8 (or left out for float); got {self.bits!r}.")
        if self.calibration not in CALIBRATIONS:
            raise unknown("calibration", self.calibration, CALIBRATIONS)
        for repair in self.repairs:
            if repair not in REPAIRS:
                raise unknown("repair", repair, REPAIRS)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, only what differs from a float file; `from_json` reads it back."""
        plain = Encoding()
        return {name: value for name, value in asdict(self).items() if value != getattr(plain, name)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Encoding:
        """Read what `to_json` wrote."""
        known = {item.name for item in fields(cls)}
        for name in value:
            if name not in known:
                raise unknown("field of an encoding", name, known)
        lists = {name: tuple(value[name]) for name in ("repairs", "exclude", "sparse") if name in value}
        rows = {name: {layer: tuple(numbers) for layer, numbers in value[name].items()}
                for name in ("ranges", "scales") if name in value}
        return cls(**{**value, **lists, **rows})
