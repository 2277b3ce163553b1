"""DKM: soft k-means over a layer's weights, with its gradients, in the memory of the distinct weights.

The equations are those of Cho et al. 2021, DKM: Differentiable k-Means Clustering Layer for Neural Network Compression,
arXiv:2108.12659. The map of attention is computed once for each distinct value of the weights in bfloat16 (eDKM: Cho et
al. 2023, arXiv:2309.00964), and anew in the backward pass: what is kept between the two are the centroids.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from linnet.nn.soft.clustering import means, nearest
from linnet.nn.soft.distinct import Distinct, distinct

_NOTHING = 1e-12
"""A centroid that draws no more than this stays where it is."""


def attention(points: Tensor, centroids: Tensor, tau: Tensor | float) -> Tensor:
    """softmax(-|point - centroid|^2 / tau) over the centroids: (points, length), (count, length) to (points, count)."""
    if points.shape[1] == 1:
        return torch.softmax((points - centroids.T).square() / -tau, dim=1)
    # |point|^2 is the same for all centroids, so the softmax does not see it
    return torch.softmax((2 * points @ centroids.T - centroids.square().sum(1)) / tau, dim=1)


def soft_weights(weights: Tensor, centroids: Tensor, tau: Tensor | float, *, iterations: int = 3,
                 exact: bool = False, zeros_stay: bool = False) -> tuple[Tensor, Tensor]:
    """Weights (n, length) as attention @ centroids in the same shape, and the centroids (count, length) after so many
    iterations A = attention(weights, C), C = A^T weights / sum of A. Gradients go through all of them, to the weights.

    All but the weights and what comes back is computed in the precision of the centroids, which is single or double.
    Scalars are rounded to bfloat16 first, unless `exact`, or they are few, or double; vectors never are. With
    `zeros_stay`, weights that are 0 stay so and draw no centroid. `tau` 0 is the limit: every weight becomes its
    nearest centroid, without rounding; the gradient then goes straight through, as if nothing had been done.
    """
    tau = torch.as_tensor(tau, dtype=centroids.dtype, device=weights.device)
    soft, path = _soften(weights, centroids, tau, iterations, exact, zeros_stay)
    return soft, path[-1, :, :-1]


@torch.library.custom_op("linnet::soften", mutates_args=())
def _soften(weights: Tensor, centroids: Tensor, tau: Tensor, iterations: int, exact: bool,
            zeros_stay: bool) -> tuple[Tensor, Tensor]:
    """The soft weights, and the centroids before and after each iteration, beside each the attention that it drew:
    (iterations + 1, count, length + 1).
    """
    if not tau:
        return _harden(weights, centroids, iterations, zeros_stay)
    values = distinct(weights, centroids.dtype, exact=exact, zeros_stay=zeros_stay)
    path = [torch.cat([centroids, torch.zeros_like(centroids[:, :1])], 1)]
    with _as_it_is(weights):
        for _ in range(iterations):
            path.append(_moved(values, path[-1][:, :-1], tau))
        last, final = path[-2 if iterations else -1][:, :-1], path[-1][:, :-1]
        soft = torch.cat([attention(points, last, tau) @ final for points, _ in values.parts()])
    return values.spread(soft).to(weights.dtype), torch.stack(path)


def _harden(weights: Tensor, centroids: Tensor, iterations: int, zeros_stay: bool) -> tuple[Tensor, Tensor]:
    points, before = weights.to(centroids.dtype), centroids
    drawing = points[(points != 0).any(1)] if zeros_stay else points
    for _ in range(iterations):
        centroids = means(drawing, nearest(drawing, centroids), centroids)
    hard = centroids[nearest(points, centroids)].to(weights.dtype)
    path = torch.nn.functional.pad(torch.stack([before] * iterations + [centroids]), (0, 1))
    return torch.where(weights == 0, 0, hard) if zeros_stay else hard, path


def _moved(values: Distinct, centroids: Tensor, tau: Tensor) -> Tensor:
    """One iteration; a centroid that draws next to nothing stays."""
    drawn, mass = torch.zeros_like(centroids), torch.zeros_like(centroids[:, :1])
    for points, counts in values.parts():
        shares = attention(points, centroids, tau) * counts
        drawn += shares.T @ points
        mass += shares.sum(0)[:, None]
    return torch.cat([torch.where(mass > _NOTHING, drawn / mass.clamp(min=_NOTHING), centroids), mass], 1)


@_soften.register_fake
def _(weights: Tensor, centroids: Tensor, _tau: Tensor, iterations: int, _exact: bool,
      _zeros_stay: bool) -> tuple[Tensor, Tensor]:
    count, length = centroids.shape
    return torch.empty_like(weights), centroids.new_empty((iterations + 1, count, length + 1))


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    weights, _, tau, _, ctx.exact, ctx.zeros_stay = inputs
    ctx.save_for_backward(weights, tau, output[1])


def _backward(ctx: Any, gradient: Tensor, of_path: Tensor) -> tuple[Tensor | None, ...]:
    weights, tau, path = ctx.saved_tensors
    pulled = _pull(weights, tau, path, gradient.contiguous(), of_path, ctx.exact, ctx.zeros_stay)
    return pulled, None, None, None, None, None


_soften.register_autograd(_backward, setup_context=_remember)


@torch.library.custom_op("linnet::soften_backward", mutates_args=())
def _pull(weights: Tensor, tau: Tensor, path: Tensor, gradient: Tensor, of_path: Tensor, exact: bool,
          zeros_stay: bool) -> Tensor:
    """The gradient of the weights: through the last attention, and through the centroids of every iteration."""
    if not tau:
        return gradient.clone()
    values = distinct(weights, path.dtype, exact=exact, zeros_stay=zeros_stay)
    centroids, masses = path[..., :-1], path[..., -1:]
    with _as_it_is(weights):
        direct, of_before, of_centroids = _through_last(values, centroids, tau, gradient.to(path.dtype))
        of_centroids += of_path[-1, :, :-1]
        pulled = torch.zeros_like(values.points)
        for place in range(len(path) - 1, 0, -1):
            of_points, of_centroids = _through_iteration(values, centroids[place - 1], centroids[place], masses[place],
                                                         tau, of_centroids)
            pulled += of_points
            of_centroids += of_before if place == len(path) - 1 else 0
    own = values.spread(direct) * gradient if weights.shape[1] == 1 else values.spread(direct)
    return (own + values.spread(pulled)).to(weights.dtype)


@_pull.register_fake
def _(weights: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(weights)


def _through_last(values: Distinct, path: Tensor, tau: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Through soft = attention(points, before) @ after: what reaches the points, `before` and `after`.

    Equal scalars have one slope but each its own gradient, so for them it is the slope.
    """
    before, after = path[max(0, len(path) - 2)], path[-1]
    direct, of_before, of_after = [], torch.zeros_like(after), torch.zeros_like(after)
    for (points, counts), part in zip(values.parts(), values.gathered(gradient), strict=True):
        shares = attention(points, before, tau)
        is_scalar = points.shape[1] == 1
        of_shares, weight = (after.T.expand_as(shares), part) if is_scalar else (part @ after.T, (counts > 0).to(part))
        of_points, of_centroids = _through_attention(points, shares, before, tau, of_shares, weight)
        direct.append(of_points)
        of_before += of_centroids
        of_after += shares.T @ part
    return torch.cat(direct), of_before, of_after


def _through_iteration(values: Distinct, before: Tensor, after: Tensor, mass: Tensor, tau: Tensor,
                       of_after: Tensor) -> tuple[Tensor, Tensor]:
    """Through after = A^T points / mass, with A = attention(points, before): what reaches each point, and `before`."""
    moved = mass > _NOTHING
    of_drawn = torch.where(moved, of_after / mass.clamp(min=_NOTHING), 0)
    of_mass = -(of_drawn * after).sum(1)
    pulled, of_before = [], torch.where(moved, 0, of_after)
    for points, counts in values.parts():
        shares = attention(points, before, tau)
        of_points, of_centroids = _through_attention(points, shares, before, tau, points @ of_drawn.T + of_mass, counts)
        pulled.append((shares @ of_drawn + of_points) * (counts > 0))
        of_before = of_before + of_centroids
    return torch.cat(pulled), of_before


def _through_attention(points: Tensor, shares: Tensor, centroids: Tensor, tau: Tensor, of_shares: Tensor,
                       weights: Tensor) -> tuple[Tensor, Tensor]:
    """Through shares = attention(points, centroids): to each point, and to the centroids from so many of each point."""
    of_scores = shares * (of_shares - (shares * of_shares).sum(1, keepdim=True))
    counted = of_scores * weights
    return of_scores @ centroids * (2 / tau), (counted.T @ points - centroids * counted.sum(0)[:, None]) * (2 / tau)


def _as_it_is(weights: Tensor) -> torch.autocast:
    """Without automatic rounding to half the bits: scores are divided by a small tau."""
    return torch.autocast(weights.device.type, enabled=False)
