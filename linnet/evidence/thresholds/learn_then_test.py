"""Which of several choices keep their risks: every choice is a hypothesis, and those refuted are safe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS
from linnet.evidence.rounding import about
from linnet.evidence.settings import check_between, check_finite, check_labels, check_level, is_number
from linnet.evidence.thresholds.cluster_answers import Counts, Unit, approximate_p_value, least_likeness, unit_of
from linnet.evidence.thresholds.p_values import (
    betting_p_value,
    binomial_p_value,
    divergence,
    hoeffding_bentkus_p_value,
)

Floats = NDArray[np.float64]
PValue = Literal["binomial", "hoeffding_bentkus", "betting", "effective_binomial"]
Orders = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class Certified:
    """The choices whose risks are all at most their targets, all at once sure at `level`; undecided where none is."""

    certified: tuple[int, ...]
    best: int | None
    """The certified choice with the largest objective; without an objective, the last that was certified."""
    p_values: Floats
    """(choices,): the largest over the risks."""
    risks: Floats
    """(choices, risks): the mean losses seen."""
    level: float
    method: PValue
    wanting: str
    """What would be needed; empty where something was certified."""

    @property
    def decided(self) -> bool:
        """Something was certified."""
        return bool(self.certified)


def learn_then_test(
    losses: ArrayLike, targets: float | Sequence[float], *, level: float = 0.95, orders: Orders | None = None,
    clusters: ArrayLike | None = None, largest: int | None = None, objective: ArrayLike | None = None,
    p_value: PValue | None = None,
) -> Certified:
    """The choices whose every risk (mean loss) is at most its target; any error among them has chance 1 - level.

    `losses` has the shape (choices, rows) or (choices, rows, risks), each in [0, 1]; a grid of several dimensions is
    flattened (`np.unravel_index` leads back). `targets` is one number a risk. `orders` are lists of choices stated
    before the data were seen, safest first: each list is tested until its first failure, at its share of the error
    (fixed sequence; several lists are several starting points). Without them, Bonferroni over all choices.
    `objective` (choices,) names the best of the certified; it may come from the same data. `p_value` is by default
    binomial for losses of 0 and 1, betting for others and for clusters; all are exact. `clusters` is a label a row:
    whole clusters were sampled, and the risk is that over all their rows; `largest` is a size that no cluster of the
    population exceeds, stated beforehand. For losses of 0 and 1 in a few dozen clusters "effective_binomial" certifies
    more: asymptotic in clusters, and nothing under MINIMUM_CLUSTERS.

    Assumes: rows (or clusters) are independent draws of what will come; the choices, targets and orders were stated
        beforehand. Of the losses nothing: they need not be monotone in any choice. Clusters without `largest`: the
        risk is that with the sizes as they are, so sizes are fixed, or do not go with the losses. Where large clusters
        may be the bad ones, give `largest`; without it a few rows of small good clusters can hide a large bad one.
    Source: Angelopoulos, Bates, Candes, Jordan and Lei, Learn then test: calibrating predictive algorithms to achieve
        risk control, 2021, Annals of Applied Statistics 19, 2025 (sections 2 and 3; several risks: the largest
        p-value). Effective rows: Korn and Graubard, Survey Methodology 24, 1998.
    Not for: choices that were themselves fitted to these rows; a risk that is to be kept on average only, with
        monotone losses (`conformal_risk`); one threshold of confidence (`selective`).

    >>> wrong = np.arange(400) % np.array([[100], [40], [9]]) == 0     # 1, 2.5 and 11 in 100
    >>> found = learn_then_test(wrong, 0.05, orders=[[0, 1, 2]], objective=[0.7, 0.8, 0.9])
    >>> found.certified, found.best
    ((0, 1), 1)
    """
    alpha = 1 - check_level(level)
    checked, goals = _checked_losses(losses), np.atleast_1d(check_finite("targets", targets))
    _check_targets(goals, checked.shape[2])
    chains, each = _chains(orders, len(checked), alpha)
    sums, sizes = _cluster_sums(checked, clusters)
    unit, method = unit_of(sizes, clusters, largest), _method(p_value, checked, clusters is not None)
    if largest is not None and method == "effective_binomial":
        raise LinnetError("largest belongs to the exact p-values; effective_binomial takes the sizes that were drawn.")
    p_values = np.stack([_p_values(method, sums[..., risk], sizes, unit, float(goals[risk]), each)
                         for risk in range(len(goals))]).max(axis=0)
    found = tuple(sorted({choice for chain in chains for choice in _until_failure(chain, p_values, each)}))
    risks = checked.mean(axis=1)
    first = [chain[0] for chain in chains]
    called = "rows" if clusters is None else "clusters"
    wanting = "" if found else _wanting(risks[first], goals, each, f"{len(sizes):,} {called}", called)
    return Certified(found, _best(found, chains, objective, len(checked)), p_values, risks, level, method, wanting)


def _p_values(method: PValue, sums: Floats, sizes: Floats, unit: Unit, target: float, alpha: float) -> Floats:
    """One for each choice; `sums` (choices, clusters) and `sizes` (clusters,)."""
    n, most = len(sizes), unit.rows
    if method == "binomial":
        return binomial_p_value(sums.sum(axis=1), n, target)
    if method == "betting":
        return betting_p_value(sums / most, sizes / most, target, alpha, scale=unit.scale)
    if method == "effective_binomial":
        return _effective_binomial(Counts(sums, np.broadcast_to(sizes, sums.shape)), target, alpha)
    # what a cluster lacks to the largest size counts as lost at exactly the target: in [0, 1], and the mean is the same
    return hoeffding_bentkus_p_value(((sums + target * (most - sizes)) / most).mean(axis=1), n, target)


def _effective_binomial(counts: Counts, target: float, alpha: float) -> Floats:
    """Every choice is taken to be as alike within clusters as the one that is most so."""
    choices, clusters = counts.wrong.shape
    if clusters < MINIMUM_CLUSTERS:
        return np.ones(choices)
    return approximate_p_value(counts, least_likeness(counts), target, alpha)


def _cluster_sums(losses: Floats, clusters: ArrayLike | None) -> tuple[Floats, Floats]:
    """Sums (choices, clusters, risks) and sizes (clusters,); single rows are clusters too."""
    if clusters is None:
        return losses, np.ones(losses.shape[1])
    index, count = check_labels(clusters, losses.shape[1])
    if count < 2:
        raise LinnetError("all rows are of one cluster; a risk over new clusters needs at least two, and many more to "
                          "be certified. Leave `clusters` out only if the rows are independent of each other.")
    by_cluster = np.argsort(index, kind="stable")
    sizes = np.bincount(index)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.asarray(np.add.reduceat(losses[:, by_cluster], starts, axis=1)), sizes.astype(np.float64)


def _method(asked: PValue | None, losses: Floats, clustered: bool) -> PValue:
    is_right_or_wrong = bool(((losses == 0) | (losses == 1)).all())
    if asked not in (None, *get_args(PValue)):
        raise LinnetError(f"p_value is one of {', '.join(get_args(PValue))}; got {asked!r}.")
    if asked == "binomial" and (clustered or not is_right_or_wrong):
        raise LinnetError("the binomial p-value counts independent right and wrong answers; these losses "
                          f"{'come in clusters' if clustered else 'lie between 0 and 1'}. "
                          "Leave p_value out, or ask for 'betting' or 'hoeffding_bentkus'.")
    if asked == "effective_binomial" and not (clustered and is_right_or_wrong):
        raise LinnetError("the effective binomial p-value counts right and wrong answers of clusters; these losses "
                          f"{'lie between 0 and 1' if clustered else 'have no clusters'}. Leave p_value out.")
    return asked or ("binomial" if is_right_or_wrong and not clustered else "betting")


def _chains(orders: Orders | None, choices: int, alpha: float) -> tuple[list[list[int]], float]:
    """The lists to be tested, and the error that each test may make; Bonferroni is a list of one for each choice."""
    if orders is None:
        return [[choice] for choice in range(choices)], alpha / choices
    is_nested = isinstance(orders, Iterable) and all(isinstance(order, Iterable) for order in orders)
    chains = [list(order) for order in orders] if is_nested else []
    strange = [choice for chain in chains for choice in chain
               if not (is_number(choice) and choice == int(choice) and 0 <= choice < choices)]
    if not chains or not all(chains) or strange:
        got = f"choice {strange[0]!r}" if strange else "an empty one" if is_nested else f"{orders!r:.40}"
        raise LinnetError(f"orders are lists of choices from 0 to {choices - 1}, at least one in each; got {got}.")
    return [[int(choice) for choice in chain] for chain in chains], alpha / len(chains)


def _until_failure(chain: list[int], p_values: Floats, alpha: float) -> list[int]:
    failed = p_values[chain] > alpha
    return chain[: int(failed.argmax())] if failed.any() else chain


def _best(found: tuple[int, ...], chains: list[list[int]], objective: ArrayLike | None, choices: int) -> int | None:
    if objective is not None:
        values = check_finite("objective", objective)
        if values.shape != (choices,):
            raise LinnetError(f"objective needs one number a choice, {choices}; got shape {values.shape}.")
        return max(found, key=lambda choice: float(values[choice]), default=None)
    return next((choice for chain in chains for choice in reversed(chain) if choice in found), None)


def _wanting(risks: Floats, targets: Floats, alpha: float, seen: str, unit: str) -> str:
    """How much more it would take for the easiest of these choices (choices, risks), if its risks stayed."""
    below = (risks < targets).all(axis=1)
    if not below.any():
        return f"no choice that was tested has all its risks below their targets in these {seen}; more would not help."
    rates = divergence(risks[below], targets).min(axis=1)
    return (f"{seen} do not certify any choice; about {about(round(float(-np.log(alpha) / rates.max())))} {unit} "
            "would, if the risks stayed as they are.")


def _checked_losses(losses: ArrayLike) -> Floats:
    """(choices, rows, risks), all in [0, 1]."""
    checked = check_finite("losses", losses)
    if checked.ndim == 2:
        checked = checked[:, :, None]
    if checked.ndim != 3 or 0 in checked.shape:
        raise LinnetError("losses need the shape (choices, rows) or (choices, rows, risks), at least one of each; "
                          f"got {np.shape(losses)}.")
    check_losses_bounded(checked)
    return checked


def check_losses_bounded(losses: Floats) -> None:
    """Losses in [0, 1], else LinnetError."""
    if losses.min() < 0 or losses.max() > 1:
        raise LinnetError(f"losses must lie from 0 to 1; got {losses.min():g} to {losses.max():g}. "
                          "Divide by the largest loss there can be.")


def _check_targets(targets: Floats, risks: int) -> None:
    if targets.shape != (risks,):
        raise LinnetError(f"targets need one number a risk: {risks} for these losses; got {targets.size}.")
    for target in targets.tolist():
        check_between("a target", target)
