"""k-means: where palettes begin, and where those that are not tuned end."""

from __future__ import annotations

import torch
from torch import Tensor

from linnet.errors import LinnetError

_ROUNDS = 300
_CHUNK = 1 << 16


def kmeans(points: Tensor, count: int, *, seed: int = 0) -> Tensor:
    """`count` centroids, (count, length), of points (points, length): a local minimum of the mean squared distance.

    Scalars start at the levels that are best for many of them (as dense as the cube root of the points: Panter and
    Dite 1951), without chance; vectors by k-means++ (Arthur and Vassilvitskii 2007), drawn by `seed`. Both go on by
    Lloyd's rounds (1982) until nothing moves. Where points have fewer distinct values, some centroids have none.
    Raises LinnetError for points that are not finite.

    >>> kmeans(torch.tensor([[0.0], [0.1], [4.0], [4.1]]), 2)
    tensor([[0.0500],
            [4.0500]])
    """
    if not torch.isfinite(points).all():
        raise LinnetError("weights that are not finite (NaN or infinity) have no palette; train the network again.")
    return _scalars(points[:, 0], count)[:, None] if points.shape[1] == 1 else _vectors(points, count, seed)


def nearest(points: Tensor, centroids: Tensor) -> Tensor:
    """For every point (points, length) the place of the centroid (count, length) that is closest, int64."""
    if points.shape[1] == 1:
        levels, order = centroids[:, 0].sort()
        return order[torch.bucketize(points[:, 0].contiguous(), (levels[1:] + levels[:-1]) / 2)]
    half = centroids.square().sum(1) / 2
    return torch.cat([(part @ centroids.T - half).argmax(1) for part in torch.split(points, _CHUNK)])


def means(points: Tensor, places: Tensor, centroids: Tensor) -> Tensor:
    """The mean of the points at each place; a centroid without points stays where it is."""
    counts = torch.bincount(places, minlength=len(centroids)).to(points.dtype)[:, None]
    sums = torch.zeros_like(centroids).index_add_(0, places, points)
    return torch.where(counts > 0, sums / counts.clamp(min=1), centroids)


def _scalars(points: Tensor, count: int) -> Tensor:
    values = points.double().sort().values
    sums = torch.cat([values.new_zeros(1), values.cumsum(0)])
    levels = _dense(values, count)
    for _ in range(_ROUNDS):
        ends = torch.searchsorted(values, (levels[1:] + levels[:-1]) / 2)
        ends = torch.cat([ends.new_zeros(1), ends, ends.new_tensor([len(values)])])
        sizes = ends.diff()
        moved = torch.where(sizes > 0, sums[ends].diff() / sizes.clamp(min=1), levels)
        if torch.equal(moved, levels):
            break
        levels = moved
    return levels.to(points.dtype)


def _dense(values: Tensor, count: int) -> Tensor:
    """Levels whose density follows the cube root of that of the sorted values."""
    steps = 16 * count
    ends = values[torch.linspace(0, len(values) - 1, steps + 1, device=values.device).round().long()]
    # between two of these quantiles the density is 1 / (steps * width), so its cube root weighs width ** (2 / 3)
    weights = ends.diff().pow(2 / 3).cumsum(0)
    if not weights[-1] > 0:
        return values[:1].expand(count).clone()
    wanted = (torch.arange(count, device=values.device, dtype=values.dtype) + 0.5) / count * weights[-1]
    place = torch.searchsorted(weights, wanted).clamp(max=steps - 1)
    return (ends[place] + ends[place + 1]) / 2


def _vectors(points: Tensor, count: int, seed: int) -> Tensor:
    # drawn on the CPU, so that the same seed gives the same palette on every device
    generator = torch.Generator().manual_seed(seed)
    centroids = points[torch.randint(len(points), (1,), generator=generator).to(points.device)]
    distances = (points - centroids).square().sum(1)
    for _ in range(count - 1):
        far = distances.cumsum(0)
        drawn = torch.rand(1, generator=generator, dtype=torch.float64).to(far) * far[-1]
        chosen = points[torch.searchsorted(far, drawn).clamp(max=len(points) - 1)]
        centroids = torch.cat([centroids, chosen])
        distances = torch.minimum(distances, (points - chosen).square().sum(1))
    for _ in range(_ROUNDS):
        moved = means(points, nearest(points, centroids), centroids)
        if torch.allclose(moved, centroids, rtol=1e-5, atol=0):
            break
        centroids = moved
    return centroids
