"""What a person is shown: maps without channels, and what they lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from linnet.nn.attribution.coarse import enlarged
from linnet.nn.attribution.gradients import Found
from linnet.nn.attribution.look import Look
from linnet.nn.attribution.route import Asked, Batch
from linnet.nn.frontend import LogMel
from linnet.tasks import Arrays, Task

WINDOW_S = 0.010
"""Of what is shown of a waveform."""
_SPACES = {"audio": "time", "image": "pixels", "tokens": "tokens", "features": "columns"}


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of `Attributions`, as arrays by name."""

    places: NDArray[np.intp]
    arrays: Mapping[str, NDArray[Any]]


def space_of(look: Look, layer: str | None, arrays: Arrays) -> str:
    """What the maps lie on; see `Attributions`."""
    first = next(iter(arrays))
    is_input = isinstance(look.route, Asked) or look.route.name is None
    if layer is not None and not is_input:
        return "layer"
    return "time_frequency" if first == "audio" and not is_input else _SPACES.get(first, "columns")


def rows_of(look: Look, space: str, arrays: Arrays, found: tuple[Batch, NDArray[np.int64], Found],
            window: int) -> dict[str, NDArray[Any]]:
    """Everything that is kept of a batch; `window` samples of a waveform become one number."""
    batch, targets, values = found
    kept: dict[str, NDArray[Any]] = {"targets": targets, "seen": _seen(look, space, arrays, batch)}
    shown = _merged(look, values.values)
    if space in ("pixels", "time_frequency") and look.name == "grad_cam":
        high, wide = kept["seen"].shape[1:3]
        shown = enlarged(shown[:, None], (high, wide))[:, 0]
    if space == "time":
        shown = _windows(shown, window, is_size=look.method.is_size)
    kept["values"] = shown.float().cpu().numpy()
    if values.difference is not None and values.nodes is not None:
        kept["sums"] = values.values.flatten(1).double().sum(1).cpu().numpy()
        kept["difference"] = values.difference.double().cpu().numpy()
        kept["nodes"] = values.nodes.cpu().numpy()
    return kept


def gathered(parts: Sequence[Rows], count: int) -> dict[str, NDArray[Any]]:
    """The rows of all parts in their order; what is shorter than the longest is followed by zeros."""
    made: dict[str, NDArray[Any]] = {}
    for name, first in parts[0].arrays.items():
        sizes = [max(part.arrays[name].shape[axis] for part in parts) for axis in range(1, first.ndim)]
        whole = np.zeros((count, *sizes), first.dtype)
        for part in parts:
            values = part.arrays[name]
            where: tuple[Any, ...] = (part.places, *(slice(0, size) for size in values.shape[1:]))
            whole[where] = values
        made[name] = whole
    return made


def axes_of(look: Look, space: str, task: Task) -> dict[str, Any]:
    """Seconds a step of recordings, and the middles of the bands in Hz."""
    rate = getattr(task, "sample_rate_hz", None)
    if space == "time" and rate is not None:
        return {"step_s": window_of(task) / rate}
    front = None if isinstance(look.route, Asked) else getattr(look.route.network, "front", None)
    if space == "time_frequency" and isinstance(front, LogMel):
        return {"step_s": front.hop / front.sample_rate_hz, "window_s": front.window / front.sample_rate_hz,
                "bands_hz": [round(float(edge), 1) for edge in front.edges_hz[1:-1]]}
    return {}


def window_of(task: Task) -> int:
    """Samples of a waveform that become one number."""
    rate = getattr(task, "sample_rate_hz", None) or 1
    return max(1, round(rate * WINDOW_S))


def _seen(look: Look, space: str, arrays: Arrays, batch: Batch) -> NDArray[Any]:
    if space == "time_frequency" and not isinstance(look.route, Asked):
        front = look.route.network.get_submodule("front")
        with torch.no_grad():
            picture: Tensor = batch.values if look.route.name == "front" else front(batch.inputs[0])
        return np.asarray(picture[:, 0].cpu().numpy())
    if space == "layer":
        return np.asarray(_merged(look, batch.values, is_mean=True).cpu().numpy())
    return next(iter(arrays.values()))


def _merged(look: Look, values: Tensor, *, is_mean: bool = False) -> Tensor:
    """Without channels: their sum, or the largest of sizes."""
    if values.ndim < 3:
        return values
    axis = -1 if isinstance(look.route, Asked) else 1 if values.ndim == 4 else _axis(look)
    if is_mean:
        return values.mean(axis)
    return values.amax(axis) if look.method.is_size else values.sum(axis)


def _axis(look: Look) -> int:
    """Where a layer of (batch, positions, channels) has its channels, as the model's spec says."""
    assert not isinstance(look.route, Asked)
    name = (look.route.name or "").removeprefix("layers.")
    entries = {entry["name"]: entry.get("axis", 1) for entry in look.route.model.spec["layers"]}
    return int(entries.get(name, -1))


def _windows(values: Tensor, window: int, *, is_size: bool) -> Tensor:
    apart = pad(values, (0, -values.shape[1] % window)).reshape(len(values), -1, window)
    return apart.amax(2) if is_size else apart.sum(2)
