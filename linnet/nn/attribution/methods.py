"""The methods by name, each with its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from linnet.errors import unknown
from linnet.nn.attribution.coarse import grad_cam, occlusion
from linnet.nn.attribution.gradients import Found, integrated_gradients, saliency, smoothgrad


@dataclass(frozen=True)
class Method:
    """What computes a map: (route, batch, targets, rows, settings) to Found."""

    find: Callable[..., Found]
    takes_gradient: bool = True
    is_size: bool = False
    """Whether its values are sizes, of which the channels' largest is kept, and not their sum."""

    @property
    def settings(self) -> tuple[str, ...]:
        """What can be set."""
        return tuple(name for name in inspect.signature(self.find).parameters
                     if name not in ("route", "batch", "targets", "rows"))


METHODS: Mapping[str, Method] = {
    "grad_cam": Method(grad_cam),
    "integrated_gradients": Method(integrated_gradients),
    "occlusion": Method(occlusion, takes_gradient=False),
    "saliency": Method(saliency, is_size=True),
    "smoothgrad": Method(smoothgrad, is_size=True),
}
"""By name. All but occlusion need a network with gradients."""


def method_of(name: str, settings: Mapping[str, Any]) -> Method:
    """The method; LinnetError with the nearest name for one that is unknown, or a setting that is."""
    if name not in METHODS:
        raise unknown("method", name, METHODS)
    method = METHODS[name]
    for setting in settings:
        if setting not in method.settings:
            raise unknown(f"setting of {name}", setting, method.settings)
    return method
