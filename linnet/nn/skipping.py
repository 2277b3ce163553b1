"""Take whole blocks away: those around which the signal also goes straight, so that the rest can do without them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from linnet.errors import LinnetError, unknown
from linnet.nn.channels import dependencies_of
from linnet.nn.model import Model
from linnet.nn.zoo import MODULES, build


def removable_blocks(model: Model) -> tuple[str, ...]:
    """The layers that add what they find to what they took: residual blocks of one size, transformers' blocks."""
    if model.spec["family"] not in MODULES:
        return ()
    found = dependencies_of(model)
    return tuple(entry["name"] for entry in model.spec["layers"]
                 if "inside" not in entry and found.is_skippable(f"layers.{entry['name']}"))


def remove_blocks(model: Model, blocks: Iterable[str]) -> Model:
    """The model without these blocks; all other weights stay as they are.

    Latency falls by what a block took, whatever the engine's favourite widths. Raises LinnetError for a layer that is
    no such block, and for a model whose blocks were rewritten otherwise than resized (factorized).
    """
    if model.spec["family"] not in MODULES:
        raise LinnetError(f"model '{model.name}' is around a module of your own, whose code runs all of its blocks; "
                          "make the module with fewer blocks and wrap that. Channels and heads can go.")
    going, known = list(dict.fromkeys(blocks)), removable_blocks(model)
    for name in going:
        if name not in known:
            raise unknown("removable block", name, known) if known else LinnetError(
                f"model '{model.name}' has no blocks around which the signal also goes straight; '{name}' stays.")
    others = [entry["kind"] for entry in model.spec.get("rewrites", ()) if entry["kind"] != "resize"]
    if others:
        raise LinnetError(f"model '{model.name}' was rewritten ({', '.join(others)}); remove blocks before that.")
    spec = _without(model.spec, going)
    smaller = build(spec)
    state = model.module.state_dict()
    smaller.module.load_state_dict({name: state[name] for name in smaller.module.state_dict()})
    smaller.module.to(next(iter(state.values())).device).train(model.module.training)
    return replace(model, module=smaller.module, spec=spec)


def _without(spec: Any, going: list[str]) -> dict[str, Any]:
    """The spec without these layers, what is counted inside of them, and what was resized there."""
    places = tuple(f"layers.{name}." for name in going)
    layers = [entry for entry in spec["layers"] if entry["name"] not in going and entry.get("inside") not in going]
    made = {**spec, "layers": layers}
    if spec.get("rewrites"):
        made["rewrites"] = [{**entry, **{part: _elsewhere(entry[part], places) for part in ("shapes", "attributes")}}
                            for entry in spec["rewrites"]]
    return made


def _elsewhere(named: dict[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if not f"{name}.".startswith(places)}
