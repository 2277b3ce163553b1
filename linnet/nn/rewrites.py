"""Rewrites: changes to a network's structure, as data; `build` repeats them, so that weights find their places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from linnet.errors import unknown

REWRITES: dict[str, Callable[[nn.Module, Mapping[str, Any]], None]] = {}
"""By name: a function that changes the module in place as its arguments (plain JSON) say."""


def rewrite(module: nn.Module, spec: Mapping[str, Any]) -> None:
    """Repeat in place what spec["rewrites"] lists: [{"kind": a name of REWRITES, ...}, ...]."""
    for entry in spec.get("rewrites", ()):
        kind = entry["kind"]
        if kind not in REWRITES:
            raise unknown("rewrite of networks", kind, REWRITES)
        REWRITES[kind](module, {name: value for name, value in entry.items() if name != "kind"})


def with_rewrite(spec: Mapping[str, Any], kind: str, **arguments: Any) -> dict[str, Any]:
    """The spec with one more rewrite at its end."""
    return {**spec, "rewrites": [*spec.get("rewrites", ()), {"kind": kind, **arguments}]}
