"""Attribution by gradients: how the answer would change if a value at the place did."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from linnet.errors import LinnetError
from linnet.evidence.settings import check_between, check_seed
from linnet.nn.attribution.route import Batch, Route

_DECADES = 7
"""Of amplitude, from sound to silence."""
_FIRST, _MOST = 32, 2048
"""Nodes of the first rule and of all rules together, where their number is not given."""


Rule = tuple[tuple[float, ...], tuple[float, ...]]
"""Places between 0 and 1, and their weights."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found of a batch: one number for each value at the place, channels and all."""

    values: Tensor
    difference: Tensor | None = None
    """What the values should sum to: the answer less that of the baseline, (rows,)."""
    nodes: Tensor | None = None
    """How many gradients were taken for each row."""


@cache
def gauss_legendre(nodes: int) -> Rule:
    """Places in (0, 1) and their weights, which sum to one; exact for polynomials below degree 2 nodes.

    >>> gauss_legendre(2)
    ((0.21132486540518713, 0.7886751345948129), (0.5, 0.5))
    """
    places, weights = np.polynomial.legendre.leggauss(nodes)
    return tuple(((places + 1) / 2).tolist()), tuple((weights / 2).tolist())


@cache
def loudness_nodes(nodes: int) -> Rule:
    """Places between 0 and 1 and weights for the same integral, evenly spread in decibels, 140 of them.

    A picture that does not hear loudness changes only where a recording is all but silent; nodes that are spread
    evenly from silence to sound would miss that part of the way. What is below -140 dB is left out.
    """
    places, weights = (np.array(values) for values in gauss_legendre(nodes))
    quieter = np.exp(_DECADES * np.log(10) * (places - 1))
    return tuple(quieter.tolist()), tuple((weights * _DECADES * np.log(10) * quieter).tolist())


def saliency(route: Route, batch: Batch, targets: Tensor, *, rows: int) -> Found:
    """The size of the gradient (Simonyan et al. 2013, arXiv:1312.6034)."""
    del rows
    return Found(gradient(route, batch.values, batch.inputs, targets, torch.ones(len(targets))).abs())


def smoothgrad(route: Route, batch: Batch, targets: Tensor, *, rows: int, draws: int = 25, noise: float = 0.15,
               seed: int = 0) -> Found:
    """The mean gradient of noisy copies (Smilkov et al. 2017, arXiv:1706.03825), its size.

    `noise` is the standard deviation as a share of the sample's range, `draws` how many copies.
    """
    del rows
    if draws < 1 or not 0 < noise < 10:
        raise LinnetError(f"smoothgrad takes one draw or more, and noise above 0 as a share of the sample's range; "
                          f"got draws={draws}, noise={noise}.")
    check_seed(seed)
    random = torch.Generator(device="cpu").manual_seed(seed)
    x = batch.values
    flat = x.flatten(1)
    spread = noise * (flat.amax(1) - flat.amin(1)).view(-1, *[1] * (x.ndim - 1))
    total = torch.zeros_like(x)
    for _ in range(draws):
        moved = x + spread * torch.randn(x.shape, generator=random).to(x)
        total += gradient(route, moved, batch.inputs, targets, torch.ones(len(targets)))
    return Found((total / draws).abs())


def integrated_gradients(route: Route, batch: Batch, targets: Tensor, *, rows: int, nodes: int | None = None,
                         tolerance: float = 0.01) -> Found:
    """The gradient integrated along the line from the baseline (Sundararajan et al. 2017, arXiv:1703.01365).

    The values of a row sum to what the answer gained on the way, if the integral is right (completeness). `nodes`: so
    many of Gauss and Legendre's. Without it, rules of 32, 64, 128 nodes and so on are averaged by their nodes, for
    the rows whose sum is not yet within `tolerance` of what it should be, until 2016 are spent.
    """
    if nodes is not None and (isinstance(nodes, bool) or not isinstance(nodes, int) or nodes < 1):
        raise LinnetError(f"nodes is how many gradients are taken on the way, 1 or more; got {nodes!r}.")
    check_between("tolerance", tolerance)
    difference = gained(route, batch, targets)
    if nodes is not None:
        values = _integral(route, batch, targets, _rule(route, nodes), rows)
        return Found(values, difference, torch.full_like(targets, nodes))
    total, spent = torch.zeros_like(batch.values), torch.zeros_like(targets)
    left, rule = torch.arange(len(targets), device=targets.device), _FIRST
    while len(left) and int(spent.max()) + rule <= _MOST:
        part = _rows_of(batch, left)
        share = rule / (spent[left] + rule).view(-1, *[1] * (total.ndim - 1))
        found = _integral(route, part, targets[left], _rule(route, rule, is_graded=route.is_embedding), rows)
        total[left] += share * (found - total[left])
        spent[left] += rule
        missed = (total[left].flatten(1).sum(1) - difference[left]).abs()
        left, rule = left[missed > tolerance * difference[left].abs()], 2 * rule
    return Found(total, difference, spent)


def gained(route: Route, batch: Batch, targets: Tensor) -> Tensor:
    """The answer less that of the baseline: (rows,)."""
    with torch.no_grad():
        nothing = batch.baseline.expand(len(targets), *batch.values.shape[1:])
        chosen = [route.answers(values, batch.inputs).gather(1, targets[:, None])[:, 0]
                  for values in (batch.values, nothing)]
    if not bool(torch.isfinite(chosen[0]).all()):
        route.refuse_broken(batch.inputs)
    return chosen[0] - chosen[1]


def _rule(route: Route, nodes: int, *, is_graded: bool = False) -> Rule:
    """Places and weights; graded ones gather near the baseline, where a normalisation of tiny vectors turns fast."""
    if route.is_waveform:
        return loudness_nodes(nodes)
    places, weights = gauss_legendre(nodes)
    if not is_graded:
        return places, weights
    return tuple(place**3 for place in places), tuple(3 * p**2 * w for p, w in zip(places, weights, strict=True))


def _integral(route: Route, batch: Batch, targets: Tensor, rule: Rule, rows: int) -> Tensor:
    """Baseline to sample times the mean gradient between them; `rows` go through the network at once."""
    start, way = batch.baseline, batch.values - batch.baseline
    beyond = route.linear is not None
    if route.linear is not None:
        with torch.no_grad():
            start = route.linear(batch.baseline)
            moved = route.linear(batch.values) - start
    else:
        moved = way
    parts = [slice(first, first + rows) for first in range(0, len(targets), rows)]
    total = torch.cat([_along(route, start if len(start) == 1 else start[part], moved[part],
                              tuple(array[part] for array in batch.inputs), targets[part],
                              (rule, rows, beyond)) for part in parts])
    if route.linear is not None:
        with torch.enable_grad():
            leaf = batch.values.detach().requires_grad_()
            (total,) = torch.autograd.grad(route.linear(leaf), leaf, total)
    return total * way


def _along(route: Route, start: Tensor, moved: Tensor, inputs: tuple[Tensor, ...], targets: Tensor,
           how: tuple[Rule, int, bool]) -> Tensor:
    """The weighted sum of the gradients at the nodes, as many of them a pass as fit."""
    (places, weights), rows, beyond = how
    at_once = max(1, rows // len(targets))
    total = torch.zeros_like(moved)
    for first in range(0, len(places), at_once):
        share = moved.new_tensor(weights[first : first + at_once])
        points = torch.cat([torch.add(start, moved, alpha=place) for place in places[first : first + at_once]]) \
            if at_once > 1 else torch.add(start, moved, alpha=places[first])
        found = gradient(route, points, inputs, targets.repeat(len(share)), share.repeat_interleave(len(targets)),
                          beyond=beyond)
        total += found if at_once == 1 else found.view(len(share), len(targets), *found.shape[1:]).sum(0)
    return total


def gradient(route: Route, values: Tensor, inputs: tuple[Tensor, ...], targets: Tensor, weights: Tensor, *,
              beyond: bool = False) -> Tensor:
    """The gradient of each row's target, times its weight, by the values."""
    leaf = values.detach().requires_grad_()
    with torch.enable_grad():
        answers = route.answers(leaf, inputs, beyond=beyond)
        wanted = torch.zeros_like(answers).scatter_(1, targets[:, None], weights.to(answers)[:, None])
        (found,) = torch.autograd.grad(answers, leaf, wanted)
    if not bool(torch.isfinite(found).all()):
        route.refuse_broken(inputs)
    return found


def _rows_of(batch: Batch, rows: Tensor) -> Batch:
    baseline = batch.baseline if len(batch.baseline) == 1 else batch.baseline[rows]
    return Batch(batch.values[rows], baseline, tuple(array[rows] for array in batch.inputs))
