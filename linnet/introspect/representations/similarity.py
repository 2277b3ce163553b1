"""Similarity of representations: linear CKA between layers, and between models, from chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.representations.chunks import Chunk, Responses, checked, checked_shape, chunks_of
from linnet.introspect.representations.moments import Moments

Key: TypeAlias = tuple[int, str]
"""A side and a layer of it."""
_WIDEST = 16_384
"""Units of all layers together, whose covariance takes 2 GB."""


def cka(responses: Responses, others: Responses | None = None) -> Findings:
    """Findings of kind "similarity", one a pair of layers, the most alike first.

    Linear centred kernel alignment (Kornblith et al. 2019, arXiv:1905.00414) in its feature-space form,
    |cov(a, b)|^2 / (|cov(a, a)| |cov(b, b)|), between 0 and 1: 1 where one layer is the other rotated, mirrored and
    scaled as a whole. The covariances are summed over chunks, so the value is exactly that of all samples at once,
    unlike a mean over minibatches. With `others` (the same samples through another model, in the same order) pairs are
    (a layer of the one, a layer of the other); without, all pairs of layers of the one.

    With few samples any two layers look alike: n independent samples of d units each give about d / (n + d), which
    each pair says as `by_chance`. Raises LinnetError for shapes that are no (samples, units), NaN, one sample, other
    samples on the two sides.
    """
    sides = [chunks_of(side) for side in ([responses] if others is None else [responses, others])]
    moments, places = _joint(sides)
    covariance = moments.covariance * np.outer(moments.is_active, moments.is_active)  # no rounding errors
    own = {key: float(np.linalg.norm(covariance[where, where])) for key, where in places.items()}
    pairs = [(a, b) for number, a in enumerate(places) for b in list(places)[number + 1 :]
             if others is None or a[0] != b[0]]
    if not pairs:
        raise LinnetError(f"cka compares layers; there is only '{next(iter(places))[1]}'. Give two layers, or the "
                          "responses of another model as well.")
    found = [_pair(a, b, covariance[places[a], places[b]], own, moments.count) for a, b in pairs]
    found.sort(key=lambda finding: -finding.evidence["cka"])
    return Findings("similarity", tuple(found), {
        "samples": moments.count, "never_change": [layer for (_, layer), size in own.items() if not size]})


def _joint(sides: list[Iterator[Chunk]]) -> tuple[Moments, dict[Key, slice]]:
    """The moments of all layers of all sides side by side, and which of their columns each layer has."""
    moments, places = Moments(), dict[Key, slice]()
    for parts in _together(sides):
        values = {(side, layer): np.asarray(one) for side, part in enumerate(parts) for layer, one in part.items()}
        for (_, layer), one in values.items():
            checked_shape(layer, one)
        if len(rows := {len(one) for one in values.values()}) != 1:
            raise LinnetError(f"cka compares the same samples; chunks of the two sides hold {sorted(rows)} of them. "
                              "Give both in chunks of one size.")
        places = places or _places(values)
        moments.update(np.hstack([values[key] for key in places]))
    for (_, layer), where in places.items():
        checked(layer, moments.count, moments.mean[where])
    return moments, places


def _together(sides: list[Iterator[Chunk]]) -> Iterator[tuple[Chunk, ...]]:
    try:
        yield from zip(*sides, strict=True)
    except ValueError as error:
        raise LinnetError("cka compares the same samples; one of the two sides ended before the other.") from error


def _places(values: Mapping[Key, NDArray[Any]]) -> dict[Key, slice]:
    ends = np.cumsum([one.shape[1] for one in values.values()]).tolist()
    if ends[-1] > _WIDEST:
        raise LinnetError(f"cka of {len(values)} layers with {ends[-1]} units together takes more memory than is wise; "
                          f"look at fewer layers at once (up to {_WIDEST} units).")
    return {key: slice(start, end) for key, start, end in zip(values, [0, *ends], ends, strict=False)}


def _pair(a: Key, b: Key, between: NDArray[np.float64], own: Mapping[Key, float], samples: int) -> Finding:
    size = own[a] * own[b]
    value = min(float(np.square(between).sum() / size), 1.0) if size else 0.0
    names = f"{a[1]} & {b[1]}"
    return Finding(names, f"The layers {a[1]} and {b[1]} see samples {_words(value)} (CKA {value:.2f}).", {
        "cka": value, "layers": [a[1], b[1]], "by_chance": _by_chance(between.shape, samples)})


def _words(value: float) -> str:
    return "almost alike" if value > 0.9 else "partly alike" if value > 0.4 else "differently"


def _by_chance(shape: tuple[int, ...], samples: int) -> float:
    """What two independent layers of so many equally strong units are expected to give."""
    first, second = shape
    return float(np.sqrt(first * second / ((samples + first) * (samples + second))))
