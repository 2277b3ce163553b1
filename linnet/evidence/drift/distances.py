"""Distances between embeddings, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_count, check_finite

Floats = NDArray[np.float64]

_BLOCK_NUMBERS = 4_000_000
_LARGEST = 1e153  # its square, four times over, is still a float


def distance_to_nearest(embeddings: ArrayLike, reference: ArrayLike, *, neighbours: int = 10) -> Floats:
    """How far each row of `embeddings` lies from its nearest rows of `reference`, a mean over `neighbours`; (rows,).

    It makes one score a sample out of embeddings (rows, dimensions), for `ConformalDetector`: split what is known in
    two, measure the distance to the one half, and take the other half's distances as the reference scores.

    Assumes: nothing of the data. As scores of `ConformalDetector` the rows measured must not be among `reference`.
    Source: Ramaswamy, Rastogi and Shim, Efficient algorithms for mining outliers from large data sets, SIGMOD 2000.
    Not for: embeddings whose dimensions have different units: scale them first. Other shares of the same classes:
        `label_shift`.

    >>> distance_to_nearest([[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]], neighbours=1).round(2)
    array([0.  , 4.24])
    """
    new, known = check_embeddings(embeddings, reference)
    if check_count("neighbours", neighbours) not in range(1, len(known) + 1):
        raise LinnetError(f"neighbours must lie from 1 to the {len(known)} rows of the reference; got {neighbours}.")
    neighbours = int(neighbours)
    nearest = [np.partition(squared, neighbours - 1, axis=1)[:, :neighbours]
               for _, squared in squared_distances(new, known)]
    return np.asarray(np.sqrt(np.concatenate(nearest)).mean(axis=1))


def squared_distances(left: Floats, right: Floats) -> Iterator[tuple[slice, Floats]]:
    """Squared Euclidean distances of a block of rows of `left` to all of `right`, with the rows; 0 between equals."""
    from scipy.spatial.distance import cdist

    step = max(1, _BLOCK_NUMBERS // len(right))
    for start in range(0, len(left), step):
        rows = slice(start, min(start + step, len(left)))
        yield rows, np.asarray(cdist(left[rows], right, "sqeuclidean"))


def check_embeddings(embeddings: ArrayLike, reference: ArrayLike) -> tuple[Floats, Floats]:
    """Two finite (rows, dimensions) of the same dimensions, at least one row each; else LinnetError."""
    new, known = check_finite("embeddings", embeddings), check_finite("reference", reference)
    for name, rows in (("embeddings", new), ("reference", known)):
        if rows.ndim != 2 or 0 in rows.shape:
            raise LinnetError(f"'{name}' has shape {rows.shape}; expected (rows, dimensions), at least one of each.")
    if new.shape[1] != known.shape[1]:
        raise LinnetError(f"the embeddings have {new.shape[1]} dimensions and the reference {known.shape[1]}; "
                          "expected the same: were they made by the same model?")
    largest = max(float(np.abs(new).max()), float(np.abs(known).max()))
    if largest > _LARGEST / new.shape[1] ** 0.5:
        raise LinnetError(f"embeddings as large as {largest:.3g} are too large: their squared distances are beyond "
                          "what a float holds. Is the model broken? Else divide all of them by their largest number.")
    return new, known
