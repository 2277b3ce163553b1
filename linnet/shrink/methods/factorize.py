"""factorize: a layer becomes a product of smaller ones, which multiply less."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch import nn

from linnet.errors import LinnetError
from linnet.nn import Model
from linnet.nn.rewrites import with_rewrite
from linnet.nn.soft import factors as parts
from linnet.nn.soft import ranks as sizes
from linnet.nn.soft.factors import Factors
from linnet.nn.soft.gates import Budget, Gates
from linnet.shrink.choosing import chosen
from linnet.shrink.method import Materials, Method, Settings

_BUDGET = "rank_budget"
"""Under this name the price of the ranks lies in the network while they are learned."""
Ranks = Mapping[str, tuple[int, ...]]


class Factorize(Settings):
    """`keep` is the share of the layers' multiplications that stays, or of each one's energy (`of`).

    `rank`: "fixed" before tuning, the same share of energy in each layer; or "learned" by gates under a price.
    """

    keep: float = Field(gt=0, lt=1)
    of: Literal["macs", "energy"] = "macs"
    rank: Literal["fixed", "learned"] = "fixed"
    layers: list[str] = Field(default=[])
    exclude: list[str] = Field(default=[])
    price: float = Field(default=1.0, gt=0)
    settles: float = Field(default=0.6, gt=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Factorize:
        if self.rank == "learned" and self.of != "macs":
            raise ValueError("ranks are learned under a budget of multiplications: of must be 'macs'")
        return self


def _prepare(model: Model, settings: Factorize, materials: Materials) -> Model:
    module = copy.deepcopy(model.module)
    layers = _factorizable(module, settings)
    places = _positions(replace(model, module=module), layers, materials)
    if settings.rank == "learned":
        return _with_budget(replace(model, module=module), layers, places, settings)
    ranks = _fixed(layers, places, settings)
    if not ranks:
        raise LinnetError(f"factorize changes nothing: at {settings.keep} of the {settings.of} no layer's factors "
                          "multiply less than the layer itself. Keep less.")
    for path, rank in ranks.items():
        parts.replace_layer(module, path, parts.factorize(layers[path], rank))
    return replace(model, module=module, spec=_spec(model.spec, ranks))


def _factorizable(module: nn.Module, settings: Factorize) -> dict[str, nn.Module]:
    layers = chosen(module, layers=settings.layers, exclude=settings.exclude)
    for path, layer in layers.items():
        refusal = sizes.reason_against(layer)
        if refusal and path in settings.layers:
            raise LinnetError(f"layer '{path}' cannot be factorized: {refusal}. Leave it out of layers.")
        if not torch.isfinite(layer.get_parameter("weight")).all():
            raise LinnetError(f"layer '{path}' has weights that are not finite (NaN or infinity), so it has no "
                              "factors. Train the model again, or leave the layer out (exclude).")
    found = {path: layer for path, layer in layers.items() if sizes.reason_against(layer) is None}
    if not found:
        reasons = "; ".join(f"{path}: {sizes.reason_against(layer)}" for path, layer in layers.items())
        raise LinnetError(f"factorize changes nothing: none of the layers can be factorized ({reasons}).")
    return found


def _fixed(layers: Mapping[str, nn.Module], places: Mapping[str, tuple[int, int]], settings: Factorize) -> Ranks:
    """Ranks by layer, of those whose factors multiply less than themselves."""
    found = {path: sizes.energies(layer) for path, layer in layers.items()}

    def at(energy: float) -> dict[str, tuple[int, ...]]:
        wanted = {path: sizes.ranks_for(squares, energy) for path, squares in found.items()}
        return {path: rank for path, rank in wanted.items()
                if sizes.multiplications(layers[path], rank, places[path])
                < sizes.multiplications(layers[path], None, places[path])}

    def share(ranks: Ranks) -> float:
        whole = {path: sizes.multiplications(layer, None, places[path]) for path, layer in layers.items()}
        left = {path: sizes.multiplications(layers[path], rank, places[path]) for path, rank in ranks.items()}
        return sum((whole | left).values()) / sum(whole.values())

    if settings.of == "energy":
        return at(settings.keep)
    low, high = 0.0, 1.0
    if share(at(low)) > settings.keep:
        raise LinnetError(f"factorize cannot keep so little: at rank 1 the layers still multiply {share(at(low)):.3f} "
                          f"of what they do now; keep more than that, got {settings.keep}.")
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if share(at(middle)) <= settings.keep else (low, middle)
    return at(low)


def _with_budget(model: Model, layers: Mapping[str, nn.Module], places: Mapping[str, tuple[int, int]],
                 settings: Factorize) -> Model:
    """Every layer as its full factors with gates, and what they may cost together."""
    gates: list[Gates] = []
    costs: dict[tuple[int, ...], float] = {}
    whole = 0
    for path, layer in layers.items():
        made = parts.gated(parts.factorize(layer, sizes.full_ranks(layer)))
        for at, cost in sizes.unit_costs(layer, places[path]).items():
            costs[tuple(place + len(gates) for place in at)] = cost
        gates += made.gates
        whole += sizes.multiplications(layer, None, places[path])
        parts.replace_layer(model.module, path, made)
    budget = Budget(gates, costs, settings.keep * whole, price=settings.price, settles=settings.settles)
    if budget.cost([1] * len(gates)) > budget.most:
        raise LinnetError(f"factorize cannot keep so little: at rank 1 the layers still multiply "
                          f"{budget.cost([1] * len(gates)) / whole:.3f} of what they do now; got {settings.keep}.")
    model.module.add_module(_BUDGET, budget)
    return model


def _finish(model: Model, settings: Factorize, materials: Materials) -> Model:
    """Closed gates go with their channels."""
    budget = getattr(model.module, _BUDGET, None)
    if budget is None:
        return model
    module = copy.deepcopy(model.module)
    module.get_submodule(_BUDGET).advance(1.0)  # type: ignore[operator]
    delattr(module, _BUDGET)
    ranks = {}
    for path, layer in list(module.named_modules()):
        if isinstance(layer, Factors) and layer.gates:
            made = parts.without_gates(layer)
            parts.replace_layer(module, path, made)
            ranks[path] = parts.ranks_of(made)
    return replace(model, module=module, spec=_spec(model.spec, ranks))


def _spec(spec: Mapping[str, Any], ranks: Ranks) -> dict[str, Any]:
    return with_rewrite(spec, "factorize", layers={path: list(rank) for path, rank in ranks.items()})


def _positions(model: Model, layers: Mapping[str, nn.Module], materials: Materials) -> dict[str, tuple[int, int]]:
    """By layer, at how many places of one sample it reads and answers."""
    seen: dict[str, tuple[int, int]] = {}

    def listen(path: str) -> Any:
        def hear(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            features, channels = layer.get_parameter("weight").shape[:2]
            seen[path] = (inputs[0].numel() // channels, output.numel() // features)
        return hear

    handles = [layer.register_forward_hook(listen(path)) for path, layer in layers.items()]
    try:
        model(materials.samples(1))
    finally:
        for handle in handles:
            handle.remove()
    return {path: seen.get(path, (1, 1)) for path in layers}


METHOD = Method(summary="makes a layer a product of smaller ones, which multiply less",
                settings=Factorize, prepare=_prepare, finish=_finish, needs_tuning=True)
