"""What verification is judged by: equal error rate, costs at a prior, and intervals over new speakers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.speakers.trials import Trials

Floats = NDArray[np.float64]
Figure = Callable[[Floats, Floats, Floats], float]
"""Of false accepts and false rejects at each threshold, and the thresholds."""
_GRID = 800


class Rates(NamedTuple):
    """False accepts and false rejects where scores above a threshold are accepted; thresholds from low to high."""

    false_accepts: Floats
    false_rejects: Floats
    thresholds: Floats


def rates(trials: Trials) -> Rates:
    """At every genuine score, just below it, and beyond all scores: between these, only false accepts change."""
    trials.check()
    impostors, genuine = np.sort(trials.impostors), np.sort(trials.genuine)
    once = np.unique(genuine)
    thresholds = np.sort(np.concatenate([[-np.inf], np.nextafter(once, -np.inf), once, impostors[-1:]]))
    return Rates(1 - np.searchsorted(impostors, thresholds, side="right") / len(impostors),
                 np.searchsorted(genuine, thresholds, side="right") / len(genuine), thresholds)


def equal_error_rate(trials: Trials) -> float:
    """Where false accepts and false rejects are alike, between two thresholds on the line that joins them.

    >>> equal_error_rate(Trials(np.array([0.1, 0.2, 0.3, 0.6, 0.5, 0.7, 0.8, 0.9]), np.array(list("aaaaaaaa")),
    ...                         np.array(list("bbbbaaaa"))))
    0.25
    """
    return _crossing(*rates(trials))


def minimum_cost(trials: Trials, *, prior: float = 0.01) -> float:
    """The least cost of mistakes at any threshold, where `prior` of the pairs are genuine (minDCF, both costs 1).

    1 is what it costs to answer always the same. NIST Speaker Recognition Evaluation plans, 2008 and after.
    """
    return _least_cost(prior)(*rates(trials))


def actual_cost(trials: Trials, *, prior: float = 0.01) -> float:
    """The cost at the threshold that is right for log likelihood ratios, -logit(prior) (actDCF).

    As low as `minimum_cost` where scores are calibrated; above 1 where it were better never to ask.
    """
    _check_prior(prior)
    trials.check()
    limit = float(np.log((1 - prior) / prior))
    return _cost(float((trials.impostors > limit).mean()), float((trials.genuine <= limit).mean()), prior)


def log_ratio_cost(trials: Trials) -> float:
    """How much of a bit a log likelihood ratio wastes, over all priors (Cllr); 1 for scores that say nothing.

    Source: Brummer and du Preez, Computer Speech and Language 20, 2006.
    """
    trials.check()
    wasted = np.logaddexp(0, -trials.genuine).mean() + np.logaddexp(0, trials.impostors).mean()
    return float(wasted / (2 * np.log(2)))


def interval(trials: Trials, figure: str = "equal_error_rate", *, than: Trials | None = None, prior: float = 0.01,
             level: float = 0.95, draws: int = 400) -> tuple[float, float]:
    """Of "equal_error_rate" or "minimum_cost", over other speakers: speakers are drawn again, with all their pairs.

    With `than`, other scores of the same pairs: of the ratio to their figure. Figures are taken on some 800 thresholds,
    with draws from a fixed seed. Asymptotic in speakers; a speaker drawn twice is not paired with itself.

    Source: Poh, Martin and Bengio, Performance generalization in biometric authentication using joint user-specific
        and sample bootstraps, IEEE Transactions on Pattern Analysis and Machine Intelligence 29, 2007.
    """
    if not 0 < level < 1:
        raise LinnetError(f"level is how sure the interval is, between 0 and 1; got {level!r}.")
    figures: dict[str, Figure] = {"equal_error_rate": _crossing, "minimum_cost": _least_cost(prior)}
    if figure not in figures:
        raise LinnetError(f"there are intervals of {', '.join(figures)}; got {figure!r}.")
    found = _drawn(trials, figures[figure], draws)
    if than is not None:
        if not (np.array_equal(than.first, trials.first) and np.array_equal(than.second, trials.second)):
            raise LinnetError("a ratio is of two scores of the same pairs, in the same order; these are other pairs.")
        found = found / np.maximum(_drawn(than, figures[figure], draws), 1e-12)
    low, high = np.quantile(found[np.isfinite(found)], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _drawn(trials: Trials, figure: Figure, draws: int) -> Floats:
    """The figure of each draw of as many speakers; NaN for one without pairs of both kinds."""
    trials.check()
    accepted, rejected, thresholds = _tables(trials)
    rng, speakers = np.random.default_rng(0), rejected.shape[1]
    found = np.full(draws, np.nan)
    for draw in range(draws):
        weight = rng.multinomial(speakers, np.full(speakers, 1 / speakers)).astype(np.float64)
        accepts, rejects = (accepted @ weight) @ weight, rejected @ weight
        if accepts[0] and rejects[-1]:
            found[draw] = figure(accepts / accepts[0], rejects / rejects[-1], thresholds)
    return found


def _tables(trials: Trials) -> tuple[Floats, Floats, Floats]:
    """Impostor pairs above each threshold (thresholds, speakers, speakers), genuine ones not above it, and those."""
    names, index = np.unique(np.concatenate([trials.first, trials.second]), return_inverse=True)
    first, second = index[: len(trials.scores)], index[len(trials.scores):]
    shares = np.linspace(0, 1, _GRID // 2)
    inner = np.unique(np.concatenate([np.quantile(trials.genuine, shares), np.quantile(trials.impostors, shares)]))
    thresholds = np.concatenate([[-np.inf], inner])
    place, size = np.searchsorted(inner, trials.scores), len(names)  # above thresholds[:place + 1]
    same = trials.is_genuine
    apart = np.bincount((place[~same] * size + first[~same]) * size + second[~same],
                        minlength=len(thresholds) * size * size).reshape(len(thresholds), size, size)
    alike = np.bincount(place[same] * size + first[same], minlength=len(thresholds) * size).reshape(-1, size)
    above = np.cumsum(apart[::-1], axis=0, dtype=np.float64)[::-1]
    not_above = np.cumsum(np.concatenate([np.zeros((1, size)), alike[:-1]]), axis=0)
    return above, not_above, thresholds


def _crossing(accepts: Floats, rejects: Floats, thresholds: Floats) -> float:
    del thresholds
    after = int(np.argmax(rejects >= accepts))
    if after == 0:
        return float(accepts[0] + rejects[0]) / 2
    gap, before = rejects[after] - accepts[after], accepts[after - 1] - rejects[after - 1]
    share = before / (before + gap)
    return float(rejects[after - 1] + share * (rejects[after] - rejects[after - 1]))


def _least_cost(prior: float) -> Figure:
    _check_prior(prior)
    return lambda accepts, rejects, _: float(np.min(_cost(accepts, rejects, prior)))


def _cost(accepts: Floats | float, rejects: Floats | float, prior: float) -> float:
    return (prior * rejects + (1 - prior) * accepts) / min(prior, 1 - prior)  # type: ignore[return-value]


def _check_prior(prior: float) -> None:
    if not 0 < prior < 1:
        raise LinnetError(f"prior is the share of pairs of one speaker, between 0 and 1; got {prior!r}.")
