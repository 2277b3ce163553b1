"""Label issues: labels that are probably wrong, as many as keep the share of false alarms at a stated rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.settings import check_between, check_finite
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FLOOR = 1e-30  # float32 gives probabilities of 0
_SUM = 1e-3
_LEAST, _HAIR, _MOST = 1e-300, 1e-6, 30.0
_ASSUMES = ("Wrong labels fall evenly on the other labels, and the probabilities, each made by a model that did not "
            "see the sample, are right once rescaled. Where a model errs confidently and evenly, its errors count too.")


def label_issues(probabilities: ArrayLike, labels: Sequence[str] | Sequence[int] | NDArray[np.int64], *,
                 names: Sequence[str] | None = None, ids: Sequence[str] | None = None,
                 rate: float = 0.05) -> Findings:
    """Findings of kind "label_issues", one a label that is probably wrong, the surest first.

    `probabilities` (samples, labels) must come from models that did not see the sample (`train.out_of_fold`). `labels`
    are the given ones: names out of `names` (one a column), or numbers of columns. Flagged are as many as have,
    together, an expected share of right labels of at most `rate`: the false discovery rate.

    Assumes: a label is wrong with one probability and then any other one with the same; the probabilities are
        calibrated once they are rescaled by their logarithm, margin and rank. These weights and the share of wrong
        labels are those of the largest likelihood of the given labels; `local_fdr` is the chance that a label is right
        after all (the two-groups model). A model that errs confidently and evenly is not told from wrong labels.
    Source: Sun and Cai, Oracle and adaptive compound decision rules for false discovery rate control, JASA 102, 2007
        (the running mean of local rates); Efron, Large-scale inference, 2010; Natarajan, Dhillon, Ravikumar and
        Tewari, Learning with noisy labels, NIPS 2013 (the likelihood of given labels).
    Not for: probabilities of a model that was trained on the very samples; sets where most labels are wrong.

    Evidence: `given`, `suggested`, `probability` (of the suggested one, rescaled), `local_fdr`, `given_probability`.
    Raises LinnetError for fewer than two labels, rows that do not sum to 1, NaN, and labels that `names` lacks.
    """
    values = _probabilities(probabilities)
    known, given = _labels(labels, values, names)
    subjects = _ids(ids, len(values))
    check_between("rate", rate)
    fitted = rescale(values, given)
    chosen = fitted.flagged(rate)
    items = tuple(_finding(subjects[row], known, int(given[row]), fitted.probabilities[row], fitted.local_fdr[row])
                  for row in chosen)
    return Findings("label_issues", items, _facts(fitted, given, chosen, rate))


@dataclass(frozen=True)
class Rescaled:
    """Probabilities as the given labels say that they should have been, and how likely each given label is right."""

    probabilities: Floats
    local_fdr: Floats
    share_wrong: float
    weights: tuple[float, ...]
    """Of each description of a label: its logarithm, that times the margin, its rank."""

    def flagged(self, rate: float) -> Ints:
        """Rows whose local rates have a mean of at most `rate`, as many as can be; the surest first."""
        order = np.argsort(self.local_fdr, kind="stable")
        means = np.cumsum(self.local_fdr[order]) / np.arange(1, len(order) + 1)
        return np.asarray(order[: int((means <= rate).sum())])


def rescale(probabilities: Floats, given: Ints) -> Rescaled:
    """Rescaled probabilities and the share of wrong labels, by the largest likelihood of the given labels.

    The true label has the softmax of weights times descriptions; the given one is the true one, or with probability
    `share_wrong` any other one.
    """
    from scipy.optimize import minimize

    told = _descriptions(probabilities)
    start = np.array([np.log(0.05 / 0.95), 1.0, 0.0, 0.0])
    bounds = [(-14.0, 0.0), *[(-_MOST, _MOST)] * len(told)]
    found = minimize(_negative_log_likelihood, start, args=(told, given), jac=True, method="L-BFGS-B", bounds=bounds).x
    rescaled = _softmax(_weighted(found[1:], told))
    own, share = rescaled[np.arange(len(given)), given], float(1 / (1 + np.exp(-found[0])))
    right, by_error = (1 - share) * own, share * (1 - own) / (rescaled.shape[1] - 1)
    return Rescaled(rescaled, np.asarray(right / np.maximum(right + by_error, _LEAST)), share,
                    tuple(float(weight) for weight in found[1:]))


def _descriptions(probabilities: Floats) -> tuple[Floats, ...]:
    """What is known of each label of a sample: its logarithm, that times the standardised margin, its rank.

    Probabilities are seldom right by one temperature: sure answers are off otherwise than doubtful ones, and the second
    choice is right more often than its probability says.
    """
    logs = np.log(np.maximum(probabilities, _FLOOR))
    first_two = -np.partition(-logs, 1, axis=1)[:, :2]
    margins = first_two[:, 0] - first_two[:, 1]
    spread = float(margins.std())
    standardised = (margins - margins.mean()) / spread if spread > _FLOOR else np.zeros(len(margins))
    ranks = np.argsort(np.argsort(-logs, axis=1, kind="stable"), axis=1, kind="stable")
    return logs, standardised[:, None] * logs, -np.log1p(ranks)


def _negative_log_likelihood(at: Floats, told: tuple[Floats, ...], given: Ints) -> tuple[float, Floats]:
    """And its gradient, in the log odds of a wrong label and the weights, which a hair's weight keeps finite."""
    rows, others = np.arange(len(given)), told[0].shape[1] - 1
    share, rescaled = 1 / (1 + np.exp(-at[0])), _softmax(_weighted(at[1:], told))
    own = rescaled[rows, given]
    likelihood = np.maximum((1 - share) * own + share * (1 - own) / others, _LEAST)
    by_own = (1 - share - share / others) / likelihood * own
    slopes = [(by_own * (one[rows, given] - (rescaled * one).sum(axis=1))).mean() for one in told]
    by_share = (((1 - own) / others - own) / likelihood * share * (1 - share)).mean()
    value = -float(np.log(likelihood).mean()) + _HAIR * float(np.square(at[1:]).sum())
    return value, np.array([-by_share, *(2 * _HAIR * at[1:] - np.array(slopes))])


def _weighted(weights: Floats, told: tuple[Floats, ...]) -> Floats:
    return np.asarray(sum(weight * one for weight, one in zip(weights, told, strict=True)))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _finding(subject: str, names: Sequence[str], given: int, probabilities: Floats, local_fdr: float) -> Finding:
    others = probabilities.copy()
    others[given] = -1
    suggested = int(others.argmax())
    chance = f"about {100 * local_fdr:.2g}" if local_fdr >= 1e-4 else "below 0.01"
    return Finding(subject, f"Sample {subject} is labelled {names[given]} and is probably {names[suggested]}: the "
                   f"chance that its label is right is {chance} in 100.",
                   {"given": names[given], "suggested": names[suggested], "probability": float(others[suggested]),
                    "given_probability": float(probabilities[given]), "local_fdr": float(local_fdr)})


def _facts(fitted: Rescaled, given: Ints, chosen: Ints, rate: float) -> dict[str, object]:
    expected = float(fitted.local_fdr[chosen].mean()) if len(chosen) else 0.0
    return {"n": len(given), "flagged": len(chosen), "rate": rate, "promise": "false discovery rate",
            "expected_false_share": expected, "share_wrong": fitted.share_wrong,
            "agreement": float((fitted.probabilities.argmax(axis=1) == given).mean()),
            "weights": list(fitted.weights),
            "method": "likelihood of given labels with even noise; running mean of local false discovery rates",
            "assumes": _ASSUMES}


def _probabilities(given: ArrayLike) -> Floats:
    values = check_finite("probabilities", given)
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise LinnetError("label_issues needs probabilities (samples, labels) of at least two labels; "
                          f"got shape {values.shape}.")
    off = np.flatnonzero((values.min(axis=1) < 0) | (np.abs(values.sum(axis=1) - 1) > _SUM))
    if len(off):
        raise LinnetError(f"{len(off)} rows of 'probabilities' are none: from 0, and 1 together; row {off[0]} sums to "
                          f"{values[off[0]].sum():.4g}. Give probabilities, not logits.")
    return values


def _labels(labels: Sequence[str] | Sequence[int] | NDArray[np.int64], values: Floats,
            names: Sequence[str] | None) -> tuple[list[str], Ints]:
    """The names of the columns, and each row's column."""
    known = [str(name) for name in (range(values.shape[1]) if names is None else names)]
    if len(known) != values.shape[1] or len(set(known)) != len(known):
        raise LinnetError(f"'names' must name each of the {values.shape[1]} columns of the probabilities once; got "
                          f"{len(known)} names, {len(set(known))} of them different.")
    if len(labels) != len(values):
        raise LinnetError(f"every row needs its given label; got {len(values)} rows and {len(labels)} labels.")
    places = {name: place for place, name in enumerate(known)}
    texts = [str(label) for label in labels]
    if names is not None and texts and not isinstance(labels[0], str):
        raise LinnetError("with 'names', give the labels by name; without, as the numbers of columns.")
    for text in texts:
        if text not in places:
            raise unknown("label", text, known)
    return known, np.array([places[text] for text in texts], np.int64)


def _ids(ids: Sequence[str] | None, rows: int) -> list[str]:
    names = [str(name) for name in (range(rows) if ids is None else ids)]
    if len(names) != rows or len(set(names)) != rows:
        raise LinnetError(f"'ids' must name each of the {rows} samples once; got {len(names)} ids, "
                          f"{len(set(names))} of them different.")
    return names
