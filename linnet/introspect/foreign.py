"""Foreign samples: those unlike everything known, at a stated rate of false alarms or of false discoveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.drift.distances import squared_distances
from linnet.evidence.many import benjamini_hochberg
from linnet.evidence.settings import check_between, check_finite, check_numbers
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]
Layers = Mapping[str, ArrayLike]
Promise = Literal["false_alarms", "false_discoveries"]

_TINY = 1e-12
_FAR = 1e3  # where no spread says how far: farther than any distance in units of a spread
_PROMISES: Mapping[str, str] = {
    "false_alarms": "of samples like the known ones, this share is flagged",
    "false_discoveries": "of the flagged samples, at most this share is like the known ones, on average"}


def out_of_distribution(reference: ArrayLike | Layers, features: ArrayLike | Layers, *,
                        known: ArrayLike | Layers | None = None, labels: Sequence[object] | None = None,
                        ids: Sequence[str] | None = None, rate: float = 0.05,
                        promise: Promise = "false_alarms") -> Findings:
    """Findings of kind "out_of_distribution", one a sample of `features` unlike the known ones, the oddest first.

    `reference` (rows, units) is what distances are measured to, or several layers of it by name; `features` has
    the same. How odd a sample is: for each layer, how far it lies from the nearest class's centre (Mahalanobis, one
    shrunken covariance) and from its nearest neighbour, as logarithms in units of the reference's own spread, summed.
    `known` are further samples of what is known, which calibrate: the p-value of a sample is its rank among them.
    Without `known`, every second row of `reference` (in an order drawn once and for all) calibrates in its place.

    Assumes: `known` and those of `features` that are not foreign are exchangeable (drawn alike); neither trained the
        network that made the features. Then a sample like them is flagged with probability at most `rate`, for any
        distribution; with promise="false_discoveries" (Benjamini and Hochberg) at most `rate` of those flagged are.
    Source: Bates, Candes, Lei, Romano and Sesia, Testing for outliers with conformal p-values, Annals of Statistics
        51, 2023; Lee, Lee, Lee and Shin, A simple unified framework for detecting out-of-distribution samples, NeurIPS
        2018 (Mahalanobis by class, layers together); Ledoit and Wolf, A well-conditioned estimator for
        large-dimensional covariance matrices, Journal of Multivariate Analysis 88, 2004.
    Not for: features of the network's own training samples as `known` (they lie closer than new ones ever will).

    Evidence: `p_value`, `adjusted_p_value`, `score`, and `layers` (each layer's part of it). Rows of `features` that
    are no finite numbers are left out and named in the facts. Raises LinnetError for fewer than two rows of reference,
    NaN there, layers that differ, and too few known samples for the rate.
    """
    check_between("rate", rate)
    if promise not in _PROMISES:
        raise unknown("promise", str(promise), _PROMISES)
    inside, asked = _layers("reference", reference), _layers("features", features, finite=False)
    subjects, usable = _names(ids, asked), _usable(asked)
    classes = _classes(labels, inside)
    held = _layers("known", known) if known is not None else None
    if held is None:
        rows = np.random.default_rng(0).permutation(len(classes))
        halves = rows[::2], rows[1::2]
        held = {name: values[halves[1]] for name, values in inside.items()}
        inside = {name: values[halves[0]] for name, values in inside.items()}
        classes = np.unique(classes[halves[0]], return_inverse=True)[1]  # a class may lie in the other half
    _check_same(inside, asked, held)
    calibration = _scores(inside, classes, held)
    _check_enough(len(_total(calibration)), rate)
    parts = _scores(inside, classes, {name: values[usable] for name, values in asked.items()})
    scores = _total(parts)
    p_values = p_values_of(scores, _total(calibration))
    adjusted = np.array(benjamini_hochberg(p_values.tolist())) if len(p_values) else p_values
    flagged = np.flatnonzero((p_values if promise == "false_alarms" else adjusted) <= rate)
    order = flagged[np.argsort(-scores[flagged], kind="stable")]
    items = tuple(_finding(subjects[usable[row]], p_values[row], adjusted[row], scores[row],
                           {name: float(values[row]) for name, values in parts.items()}) for row in order)
    return Findings("out_of_distribution", items, {
        "n": len(subjects), "flagged": len(items), "rate": rate, "promise": promise, "means": _PROMISES[promise],
        "reference": len(classes), "known": len(_total(calibration)), "layers": list(inside),
        "classes": len(set(classes.tolist())), "split_reference": known is None,
        "left_out": [subjects[row] for row in sorted(set(range(len(subjects))) - set(usable.tolist()))],
        "method": "class centres (Mahalanobis, Ledoit-Wolf) and nearest neighbour of each layer; conformal p-values",
        "assumes": "the known samples were drawn as those that are not foreign, and trained nothing"})


def oddness(reference: Layers, features: Layers, labels: Sequence[object] | None = None) -> Floats:
    """How odd each row of `features` is against the reference, (rows,): the score behind `out_of_distribution`."""
    inside, asked = _layers("reference", reference), _layers("features", features)
    _check_same(inside, asked, inside)
    return _total(_scores(inside, _classes(labels, inside), asked))


def p_values_of(scores: Floats, known: Floats) -> Floats:
    """The share of known scores, and of the sample itself, that are at least as large: a conformal p-value.

    >>> p_values_of(np.array([0.5, 9.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.25]
    """
    below = np.searchsorted(np.sort(known), scores, side="left")
    return np.asarray((len(known) - below + 1) / (len(known) + 1))


def _scores(inside: Mapping[str, Floats], classes: NDArray[np.int64], asked: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each layer's part of the score: both distances, in units of the reference's own spread."""
    return {name: _layer(values, classes, asked[name]) for name, values in inside.items()}


def _total(parts: Mapping[str, Floats]) -> Floats:
    return np.asarray(np.sum(list(parts.values()), axis=0))


def _layer(inside: Floats, classes: NDArray[np.int64], asked: Floats) -> Floats:
    centres = np.stack([inside[classes == number].mean(axis=0) for number in range(classes.max() + 1)])
    shrunk = shrunken_covariance(inside - centres[classes])
    if shrunk is None and classes.any():  # nothing varies within a class, as in classes of one row
        return _layer(inside, np.zeros_like(classes), asked)
    if shrunk is None:  # nothing varies at all: only a sample that is not the same says anything
        return np.asarray(np.where((asked == inside[0]).all(axis=1), 0.0, _FAR))
    whiten = np.linalg.inv(np.linalg.cholesky(shrunk)).T
    to_centre = [_nearest(rows @ whiten, centres @ whiten) for rows in (inside, asked)]
    to_other = [_nearest(inside, inside, itself=True), _nearest(asked, inside)]
    return _standardised(*to_centre) + _standardised(*to_other)


def _standardised(own: Floats, asked: Floats) -> Floats:
    """Logarithms of distances, less the middle of the reference's own, over their spread."""
    logs = np.log(own + _TINY)
    middle = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - middle))
    return np.asarray((np.log(asked + _TINY) - middle) / (spread or 1.0))


def _nearest(rows: Floats, reference: Floats, *, itself: bool = False) -> Floats:
    """The distance of each row to the nearest of the reference; to another one, where it is among them `itself`."""
    found = np.empty(len(rows))
    for block, squared in squared_distances(rows, reference):
        if itself:
            squared[np.arange(len(squared)), np.arange(block.start, block.stop)] = np.inf
        found[block] = np.sqrt(squared.min(axis=1))
    return found


def shrunken_covariance(centred: Floats) -> Floats | None:
    """Ledoit and Wolf's covariance of rows with mean 0, (units, units); None where nothing varies at all.

    A weighted mean of the covariance and of a sphere as large, with the weight that errs least on average: invertible
    also with more units than rows, and with constant ones.
    """
    rows, units = centred.shape
    covariance = centred.T @ centred / rows
    size = float(np.trace(covariance)) / units
    if size <= 0:
        return None
    apart = float(np.square(covariance).sum()) - units * size**2
    noise = (float(np.square(np.square(centred).sum(axis=1)).sum()) / rows - float(np.square(covariance).sum())) / rows
    weight = min(1.0, max(noise, 0.0) / apart) if apart > 0 else 1.0
    # Exact copies of one class each leave no noise to see; the sphere keeps a part, so that it can be inverted.
    weight = max(weight, _TINY**0.5)
    return np.asarray((1 - weight) * covariance + weight * size * np.eye(units))


def _finding(subject: str, p_value: float, adjusted: float, score: float, layers: Mapping[str, float]) -> Finding:
    return Finding(subject, f"Sample {subject} is unlike the known ones: of 1,000 known samples about "
                   f"{1000 * p_value:.3g} would look so odd.",
                   {"p_value": float(p_value), "adjusted_p_value": float(adjusted), "score": float(score),
                    "layers": dict(layers)})


def _layers(name: str, given: ArrayLike | Layers, *, finite: bool = True) -> dict[str, Floats]:
    layers = dict(given) if isinstance(given, Mapping) else {"features": given}
    check = check_finite if finite else check_numbers
    found = {str(layer): check(name, values) for layer, values in layers.items()}
    shapes = [values.shape for values in found.values()]
    if not found or any(len(shape) != 2 or not shape[1] or shape[0] != shapes[0][0] for shape in shapes):
        raise LinnetError(f"'{name}' must be (rows, units), or several layers of the same rows; got shapes {shapes}.")
    return found


def _check_same(*sides: Mapping[str, Floats]) -> None:
    units = [{name: values.shape[1] for name, values in side.items()} for side in sides]
    if any(one != units[0] for one in units):
        raise LinnetError(f"reference, features and known must have the same layers and units; got {units}.")
    if len(next(iter(sides[0].values()))) < 2:
        raise LinnetError("out_of_distribution needs at least two rows of reference to measure distances to.")


def _check_enough(known: int, rate: float) -> None:
    if (known + 1) * rate < 1:
        raise LinnetError(f"{known} known samples cannot hold a rate of {rate:g}: the smallest p-value is "
                          f"{1 / (known + 1):.3g}. Give at least {int(np.ceil(1 / rate)) - 1}, or a larger rate.")


def _usable(asked: Mapping[str, Floats]) -> NDArray[np.int64]:
    finite = np.logical_and.reduce([np.isfinite(values).all(axis=1) for values in asked.values()])
    return np.asarray(np.flatnonzero(finite), np.int64)


def _classes(labels: Sequence[object] | None, inside: Mapping[str, Floats]) -> NDArray[np.int64]:
    rows = len(next(iter(inside.values())))
    if labels is None:
        return np.zeros(rows, np.int64)
    if len(labels) != rows:
        raise LinnetError(f"every row of the reference needs its label; got {rows} rows and {len(labels)} labels.")
    names = np.array([str(label) for label in labels])
    return np.asarray(np.unique(names, return_inverse=True)[1], np.int64)


def _names(ids: Sequence[str] | None, asked: Mapping[str, Floats]) -> list[str]:
    rows = len(next(iter(asked.values())))
    names = [str(name) for name in (range(rows) if ids is None else ids)]
    if len(names) != rows or len(set(names)) != rows:
        raise LinnetError(f"'ids' must name each of the {rows} samples once; got {len(names)} ids, "
                          f"{len(set(names))} of them different.")
    return names
