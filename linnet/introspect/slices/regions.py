"""Candidates from features: clusters of the discovery rows, and balls around those that were answered wrongly.

Both are made on the discovery rows alone. Every other row then belongs to the nearest centre, or to the ball, or not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_numbers
from linnet.introspect.slices.candidates import Candidate, Mask

Floats = NDArray[np.float64]

_CLUSTERS = (8, 16, 32, 64)
_DIRECTIONS = 32
"""Of the features, so many principal directions are kept."""
_ITERATIONS = 15
_CENTRES = 200
"""At most so many wrong answers serve as centres of balls."""
_SHARES = (0.01, 0.02, 0.04, 0.08)
"""Sizes of the balls, as shares of the discovery rows."""


def from_features(features: ArrayLike, wrong: Floats, discovery: Mask, *, minimum: int, seed: int
                  ) -> tuple[list[Candidate], int]:
    """The candidates, and how many constant columns were left out. `features` is (rows, columns)."""
    points, constant = _prepared(features, len(wrong), discovery)
    if not points.shape[1]:
        return [], constant
    rng = np.random.default_rng(seed)
    found = [*_clusters(points, discovery, rng), *_balls(points, wrong, discovery, minimum, rng)]
    return [one for one in found if minimum <= one.mask.sum() <= len(wrong) - minimum], constant


def _prepared(features: ArrayLike, rows: int, discovery: Mask) -> tuple[Floats, int]:
    """Standardised by the discovery rows, in their principal directions."""
    values = check_numbers("features", features)
    if values.ndim != 2 or len(values) != rows:
        raise LinnetError(f"features have shape {values.shape}; expected ({rows}, columns), one row a sample in the "
                          "order of the scores.")
    broken = int((~np.isfinite(values).all(axis=1)).sum())
    if broken:
        raise LinnetError(f"features of {broken} of {rows} samples hold NaN or infinity; expected finite numbers. "
                          "Leave those samples out, or look at what made the features.")
    known = values[discovery]
    spread = known.std(axis=0)
    kept = spread > 1e-12 * np.maximum(np.abs(known).max(axis=0), 1e-300)
    scaled = (values[:, kept] - known[:, kept].mean(axis=0)) / spread[kept]
    if kept.sum() > _DIRECTIONS:
        inside = scaled[discovery]
        _, vectors = np.linalg.eigh(inside.T @ inside)
        scaled = scaled @ vectors[:, -_DIRECTIONS:]
    return scaled, int((~kept).sum())


def _clusters(points: Floats, discovery: Mask, rng: np.random.Generator) -> list[Candidate]:
    found = []
    for count in _CLUSTERS:
        if discovery.sum() >= 10 * count:
            nearest = _distances(points, _centres(points[discovery], count, rng)).argmin(axis=1)
            found += [Candidate(f"cluster {place + 1} of {count}", "cluster", (), nearest == place)
                      for place in range(count)]
    return found


def _centres(points: Floats, count: int, rng: np.random.Generator) -> Floats:
    """k-means (Lloyd 1982) from spread starts (Arthur and Vassilvitskii 2007)."""
    centres = points[rng.integers(len(points))][None]
    nearest = _distances(points, centres)[:, 0]
    for _ in range(count - 1):
        total = nearest.sum()
        chosen = rng.choice(len(points), p=nearest / total) if total > 0 else rng.integers(len(points))
        centres = np.concatenate([centres, points[chosen][None]])
        nearest = np.minimum(nearest, _distances(points, points[chosen][None])[:, 0])
    for _ in range(_ITERATIONS):
        owner = _distances(points, centres).argmin(axis=1)
        sizes = np.bincount(owner, minlength=count)
        sums = np.stack([np.bincount(owner, column, count) for column in points.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    return np.asarray(centres)


def _balls(points: Floats, wrong: Floats, discovery: Mask, minimum: int, rng: np.random.Generator) -> list[Candidate]:
    """Around each of some wrong answers of the discovery rows, balls that hold stated shares of those rows."""
    centres = np.flatnonzero(discovery & (wrong > 0))
    centres = np.sort(rng.permutation(centres)[:_CENTRES])
    count = int(discovery.sum())
    ranks = sorted({max(minimum, round(share * count)) for share in _SHARES if max(minimum, share * count) < count / 2})
    found = []
    for centre in centres.tolist():
        far = _distances(points, points[centre][None])[:, 0]
        ends = np.sort(far[discovery])
        # the centre itself is wrong by choice: it does not count
        far[centre] = np.inf
        found += [Candidate(f"around sample {centre}, nearest {rank}", "region", (str(centre),), far <= ends[rank])
                  for rank in ranks]
    return found


def _distances(points: Floats, centres: Floats) -> Floats:
    """Squared, (points, centres)."""
    squares = np.square(points).sum(axis=1)[:, None] + np.square(centres).sum(axis=1) - 2 * points @ centres.T
    return np.asarray(np.maximum(squares, 0))
