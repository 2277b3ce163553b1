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
    difference = gained(route, batch, targets, rows)
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


def gained(route: Route, batch: Batch, targets: Tensor, rows: int) -> Tensor:
    """The answer less that of the baseline: (samples,); `rows` go through the network at once."""
    nothing = batch.baseline.expand(len(targets), *batch.values.shape[1:])
    found = torch.cat([_chosen(route, batch.values, batch.inputs, targets, part)
                       - _chosen(route, nothing, batch.inputs, targets, part) for part in _parts(len(targets), rows)])
    if not bool(torch.isfinite(found).all()):
        route.refuse_broken(batch.inputs)
    return found


def _chosen(route: Route, values: Tensor, inputs: tuple[Tensor, ...], targets: Tensor, part: slice) -> Tensor:
    with torch.no_grad():
        answers = route.answers(values[part], tuple(array[part] for array in inputs))
    return answers.gather(1, targets[part, None])[:, 0]


def _parts(count: int, rows: int) -> list[slice]:
    return [slice(first, min(first + rows, count)) for first in range(0, count, rows)]


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
    return torch.cat([_integral_of(route, _rows_of(batch, part), targets[part], rule, rows)
                      for part in _parts(len(targets), rows)])


def _integral_of(route: Route, batch: Batch, targets: Tensor, rule: Rule, rows: int) -> Tensor:
    way, linear = batch.values - batch.baseline, route.linear
    if linear is None:
        total = _along(route, batch.baseline, way, (batch.inputs, targets), rule, rows)
    else:
        with torch.no_grad():
            start = linear(batch.baseline)
            moved = linear(batch.values).sub_(start)
        total = _along(route, start, moved, (batch.inputs, targets), rule, rows)
        with torch.enable_grad():
            leaf = batch.values.detach().requires_grad_()
            (total,) = torch.autograd.grad(linear(leaf), leaf, total)
    if not bool(torch.isfinite(total).all()):
        route.refuse_broken(batch.inputs)
    return total * way


def _along(route: Route, start: Tensor, moved: Tensor, asked: tuple[tuple[Tensor, ...], Tensor], rule: Rule,
           rows: int) -> Tensor:
    """The weighted sum of the gradients at the nodes, as many of them a pass as fit in `rows`."""
    (inputs, targets), (places, weights), count = asked, rule, len(moved)
    at_once = min(len(places), max(1, rows // count))
    points = moved.repeat(at_once, *[1] * (moved.ndim - 1)).contiguous(memory_format=_format(moved))
    total = torch.zeros_like(moved)
    for first in range(0, len(places), at_once):
        share = moved.new_tensor(weights[first : first + at_once])
        for copy, place in enumerate(places[first : first + at_once]):
            torch.add(start, moved, alpha=place, out=points[copy * count : (copy + 1) * count])
        found = _gradient(route, points[: len(share) * count], inputs, targets.repeat(len(share)),
                          share.repeat_interleave(count), beyond=route.linear is not None)
        for part in torch.split(found, count):
            total += part
    return total


def _format(values: Tensor) -> torch.memory_format:
    is_last = values.ndim == 4 and values.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if is_last else torch.contiguous_format


def gradient(route: Route, values: Tensor, inputs: tuple[Tensor, ...], targets: Tensor, weights: Tensor) -> Tensor:
    """The gradient of each row's target, times its weight, by the values; refuses what is not a number."""
    found = _gradient(route, values, inputs, targets, weights)
    if not bool(torch.isfinite(found).all()):
        route.refuse_broken(inputs)
    return found


def _gradient(route: Route, values: Tensor, inputs: tuple[Tensor, ...], targets: Tensor, weights: Tensor, *,
              beyond: bool = False) -> Tensor:
    leaf = values.detach().requires_grad_()
    with torch.enable_grad():
        answers = route.answers(leaf, inputs, beyond=beyond)
        wanted = torch.zeros_like(answers).scatter_(1, targets[:, None], weights.to(answers)[:, None])
        (found,) = torch.autograd.grad(answers, leaf, wanted)
    return found


def _rows_of(batch: Batch, rows: Tensor | slice) -> Batch:
    baseline = batch.baseline if len(batch.baseline) == 1 else batch.baseline[rows]
    return Batch(batch.values[rows], baseline, tuple(array[rows] for array in batch.inputs))
