"""The methods, one a file, in the order in which they are carried out."""

from __future__ import annotations

from collections.abc import Mapping

from linnet.errors import LinnetError, unknown
from linnet.shrink.method import Method, Settings
from linnet.shrink.methods import factorize, int8, palettize, qat, remove_blocks, remove_channels, sparsify
from linnet.shrink.plan import Plan

METHODS: dict[str, Method] = {
    "remove_blocks": remove_blocks.METHOD,
    "remove_channels": remove_channels.METHOD,
    "factorize": factorize.METHOD,
    "sparsify": sparsify.METHOD,
    "palettize": palettize.METHOD,
    "qat": qat.METHOD,
    "int8": int8.METHOD,
}


def check(plan: Plan) -> Mapping[str, Settings]:
    """The settings of every method that the plan names, in the order of METHODS; LinnetError where one is wrong."""
    for name in plan.methods:
        if name not in METHODS:
            raise unknown("method", name, METHODS)
    if not plan.methods:
        raise LinnetError("the plan changes nothing: it names no method. Give keep below 1, or "
                          f"plan.plus(METHOD, ...) with one of {', '.join(METHODS)}.")
    return {name: method.read(name, plan.methods[name]) for name, method in METHODS.items() if name in plan.methods}
