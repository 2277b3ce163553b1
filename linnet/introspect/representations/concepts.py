"""Concepts and units: directions that tell samples with something from those without, and single units that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.many import benjamini_hochberg
from linnet.evidence.settings import check_between, check_count, check_seed
from linnet.introspect.features.table import as_table
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.representations.chunks import Responses, checked_shape, chunks_of

Floats = NDArray[np.float64]
_FOLDS = 5


def concept(features_with: NDArray[Any], features_without: NDArray[Any], *, draws: int = 200,
            seed: int = 0) -> Findings:
    """Findings of kind "concept": the direction from samples without something to samples with it, if there is one.

    The direction is Fisher's (shrunken covariance, Ledoit and Wolf's idea with a fixed tenth); `auroc` says how well
    it tells held-out samples apart (five folds), `p_value` how many of `draws` random splits of the same samples do as
    well, which is the test that concept vectors need (Kim et al. 2018, arXiv:1711.11279). No item where p is above
    0.05: then the direction is noise. `direction` has length 1, in the units of the features: add it to see more.

    Raises LinnetError for NaN, other columns on the two sides, fewer than five samples on one.
    """
    check_seed(seed), check_count("draws", draws, least=19)  # with fewer, no p-value could be as low as 0.05
    sides = [as_table(side, rows=_FOLDS, name=f"features_{name}") for side, name in
             ((features_with, "with"), (features_without, "without"))]
    if sides[0].shape[1] != sides[1].shape[1]:
        raise LinnetError(f"both sides must have the same columns; got {sides[0].shape[1]} and {sides[1].shape[1]}.")
    table, has = np.vstack(sides), np.repeat([True, False], [len(side) for side in sides])
    rng = np.random.default_rng(seed)
    seen = _held_out_auroc(table, has, rng)
    chance = np.array([_held_out_auroc(table, rng.permutation(has), rng) for _ in range(draws)])
    p_value = float((1 + (chance >= seen).sum()) / (1 + draws))
    facts = {"samples": [len(side) for side in sides], "draws": draws, "seed": seed, "auroc": seen, "p_value": p_value}
    if p_value > 0.05:
        return Findings("concept", (), facts)
    direction = _direction(table, has)
    found = Finding("concept", "One direction tells the samples with it from those without: right for "
                    f"{100 * seen:.0f} in 100 pairs not seen.", {**facts, "direction": direction.tolist()})
    return Findings("concept", (found,), facts)


def responding_units(responses: Responses, labels: Sequence[Any], *, rate: float = 0.05) -> Findings:
    """Findings of kind "responding_units": units that answer to a label (or a group), the clearest first.

    Each unit and label is one question, label against the rest: `auroc` is the chance that a sample of the label
    answers more strongly, 0.5 for none, below it for less; Mann and Whitney's test, ties reckoned with. All questions
    are corrected together: of what is listed, at most the share `rate` is false (Benjamini and Hochberg 1995). Rows
    count as independent: with few speakers, a label that is also a speaker's cannot be told from the speaker.

    Raises LinnetError for a single label, other counts of labels and samples, NaN.
    """
    from linnet.introspect.representations.probes import _codes

    check_between("rate", rate)
    names, codes = _codes(labels)
    layers: dict[str, list[NDArray[Any]]] = {}
    for chunk in chunks_of(responses):
        for layer, values in chunk.items():
            checked_shape(layer, values)
            layers.setdefault(layer, []).append(np.asarray(values))
    subjects, areas, p_values = list[tuple[str, int, str]](), list[float](), list[float]()
    for layer, parts in layers.items():
        table = as_table(np.concatenate(parts), rows=2, name=f"the responses of '{layer}'")
        if len(table) != len(codes):
            raise LinnetError(f"'{layer}' has {len(table)} samples and there are {len(codes)} labels.")
        area, p_value = _one_against_rest(table, codes, len(names))
        subjects += [(layer, unit, name) for name in names for unit in range(table.shape[1])]
        areas += area.ravel().tolist()
        p_values += p_value.ravel().tolist()
    adjusted = benjamini_hochberg(p_values)
    chosen = sorted((place for place, value in enumerate(adjusted) if value <= rate),
                    key=lambda place: -abs(areas[place] - 0.5))
    return Findings("responding_units", tuple(_unit(*subjects[place], areas[place], adjusted[place])
                                              for place in chosen),
                    {"questions": len(subjects), "rate": rate, "samples": len(codes), "labels": names})


def _unit(layer: str, unit: int, label: str, area: float, adjusted: float) -> Finding:
    words = "more" if area > 0.5 else "less"
    return Finding(f"{layer}[{unit}] & {label}", f"Unit {unit} of {layer} answers {words} to {label} than to the rest "
                   f"(AUROC {area:.2f}).", {"layer": layer, "unit": unit, "label": label, "auroc": area,
                                            "p_adjusted": adjusted})


def _one_against_rest(table: Floats, codes: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """(labels, units): areas under the curve and two-sided p-values of the normal approximation with ties."""
    from scipy.stats import norm, rankdata

    ranks, rows = rankdata(table, axis=0), len(table)
    sizes = np.bincount(codes, minlength=count).astype(float)
    sums = np.eye(count)[codes].T @ ranks
    areas = (sums / sizes[:, None] - (sizes[:, None] + 1) / 2) / (rows - sizes)[:, None]
    spread = np.sqrt(ranks.var(axis=0) * rows / (rows - 1))  # ties make ranks vary less
    deviation = spread * np.sqrt(rows / (sizes * (rows - sizes)))[:, None] / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(deviation > 0, (areas - 0.5) / deviation, 0.0)
    return areas, np.asarray(2 * norm.sf(np.abs(z)))


def _held_out_auroc(table: Floats, has: NDArray[np.bool_], rng: np.random.Generator) -> float:
    from scipy.stats import rankdata

    fold, ranks = np.empty(len(has), np.int64), 0.0
    for side in (True, False):
        places = rng.permutation(np.flatnonzero(has == side))
        fold[places] = np.arange(len(places)) % _FOLDS
    for number in range(_FOLDS):
        inside = fold == number
        scores = table[inside] @ _direction(table[~inside], has[~inside])
        positive = has[inside]
        n, m = positive.sum(), (~positive).sum()
        ranks += float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * m)) / _FOLDS
    return ranks


def _direction(table: Floats, has: NDArray[np.bool_]) -> Floats:
    """Fisher's direction, of length 1."""
    means = table[has].mean(axis=0), table[~has].mean(axis=0)
    rest = table - np.where(has[:, None], *means)
    scatter = rest.T @ rest / len(rest)
    scatter = 0.9 * scatter + (0.1 * np.trace(scatter) / len(scatter) + 1e-12) * np.eye(len(scatter))
    found = np.linalg.solve(scatter, means[0] - means[1])
    return np.asarray(found / (np.linalg.norm(found) or 1.0))
