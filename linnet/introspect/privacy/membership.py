"""membership: can one tell from a model's losses who was in its training data?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.many import bonferroni, holm
from linnet.evidence.settings import check_between, check_finite, check_labels, check_level, check_numbers
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.privacy.roc import area, caught

Floats = NDArray[np.float64]

EVERY = "all samples"
_LEAST = 10
"""With fewer members or fewer others than this nothing is said of a slice."""
_TINY = 1e-9


def losses_of(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Cross entropy of each sample: probabilities (samples, classes), labels as indices of classes.

    >>> losses_of([[0.5, 0.5], [0.0, 1.0]], [0, 1]).round(2).tolist()
    [0.69, 0.0]
    """
    values, index = check_finite("probabilities", probabilities), np.asarray(labels)
    if values.ndim != 2 or not values.size or index.shape != values.shape[:1] or index.dtype.kind not in "iu":
        raise LinnetError(f"probabilities are (samples, classes), at least one of each, and labels a class's number a "
                          f"sample; got shapes {values.shape} and {index.shape}, labels of {index.dtype}.")
    if values.min() < 0 or values.max() > 1 + _TINY or index.min() < 0 or index.max() >= values.shape[1]:
        raise LinnetError(f"probabilities lie from 0 to 1 and labels from 0 to {values.shape[1] - 1}; got "
                          f"{values.min():g} to {values.max():g} and {index.min()} to {index.max()}.")
    return np.asarray(-np.log(np.minimum(values[np.arange(len(index)), index] + _TINY, 1.0)) + 0.0)


def membership(losses: ArrayLike, is_member: ArrayLike, *, slices: Mapping[str, ArrayLike] | None = None,
               references: ArrayLike | None = None, clusters: Sequence[str] | None = None, at_rate: float = 0.01,
               level: float = 0.95) -> Findings:
    """Findings of kind "membership": where members of the training data are told from others, worst first.

    `losses` (samples,) of the model on samples of which `is_member` says who was trained on; the others must be of the
    same kind, or what is told is a difference between two sources. The attack calls those with a low loss members.
    With `references` (models, samples), losses of models that were not trained on the sample (NaN where they were), it
    is how much lower the loss is than theirs. `slices` are masks by name: rare groups, samples with wrong labels.

    A finding has the area under the curve with an interval (all intervals hold together at `level`), a p-value
    corrected by Holm, and the share of members that is caught at `at_rate` false alarms. `facts["groups"]` has the
    same numbers for every slice, told or not: an area near 0.5 with a wide interval is no proof of privacy.

    Source: Yeom et al., Privacy risk in machine learning, CSF 2018 (the threshold on the loss); Watson et al., On the
    importance of difficulty calibration in membership inference attacks, ICLR 2022 (references); Carlini et al.,
    Membership inference attacks from first principles, S&P 2022 (caught at few false alarms; and slices: an average
    hides those who are told).
    Not for: a bound on what any attack could learn (that is `train.fit_privately`).

    Raises LinnetError for NaN, fewer than ten members or others, and slices of another length.
    """
    score, inside = -check_finite("losses", losses), _mask("is_member", is_member, np.size(losses))
    if score.ndim != 1:
        raise LinnetError(f"losses are one number a sample; got shape {score.shape}.")
    if references is not None:
        score = score + _expected(references, len(score))
    check_level(level)
    check_between("at_rate", at_rate)
    if min(int(inside.sum()), int((~inside).sum())) < _LEAST:
        raise LinnetError(f"{int(inside.sum())} members and {int((~inside).sum())} others are too few to tell "
                          f"anything; give at least {_LEAST} of either.")
    index = None if clusters is None else check_labels(clusters, len(score))[0]
    masks = {EVERY: np.ones(len(score), dtype=bool)} | {
        name: _mask(name, mask, len(score)) for name, mask in (slices or {}).items()}
    kept = {name: mask for name, mask in masks.items()
            if min(int((mask & inside).sum()), int((mask & ~inside).sum())) >= _LEAST}
    each = bonferroni(level, len(kept))
    groups = {name: _numbers(score, mask & inside, mask & ~inside, index, at_rate, each)
              for name, mask in kept.items()}
    for group, adjusted in zip(groups.values(), holm([one["p_value"] for one in groups.values()]), strict=True):
        group["adjusted_p_value"] = adjusted
    told = sorted((item for item in groups.items() if item[1]["adjusted_p_value"] <= 1 - level),
                  key=lambda item: -item[1]["auc"])
    facts = {"samples": len(score), "members": int(inside.sum()), "level": level, "at_rate": at_rate,
             "attack": "loss" if references is None else "loss against reference models", "groups": groups,
             "too_small": sorted(set(masks) - set(kept)), "clusters": None if clusters is None else len(set(clusters))}
    return Findings("membership", tuple(_finding(name, numbers) for name, numbers in told), facts)


def _numbers(score: Floats, members: NDArray[np.bool_], others: NDArray[np.bool_], index: NDArray[np.int64] | None,
             at_rate: float, level: float) -> dict[str, Any]:
    told = area(score[members], score[others], None if index is None else (index[members], index[others]), level)
    return {"auc": told.auc, "interval": list(told.interval), "p_value": told.p_value, "members": int(members.sum()),
            "others": int(others.sum()), "caught": caught(score[members], score[others], at_rate, level)}


def _finding(name: str, numbers: dict[str, Any]) -> Finding:
    tries = f"{100 * numbers['auc']:.0f} of 100"
    return Finding(name, f"Of a member and another sample of {name}, the loss tells in {tries} tries which one the "
                   "model was trained on (50 is chance).", numbers)


def _expected(references: ArrayLike, rows: int) -> Floats:
    losses = check_numbers("references", references)
    if losses.ndim != 2 or losses.shape[1] != rows:
        raise LinnetError(f"references are losses (models, {rows} samples), NaN where a model was trained on the "
                          f"sample; got shape {losses.shape}.")
    if np.isinf(losses).any():
        raise LinnetError(f"{int(np.isinf(losses).sum())} losses of the references are infinite; expected numbers, or "
                          "NaN where a model was trained on the sample.")
    known = ~np.isnan(losses)
    if not known.any(axis=0).all():
        raise LinnetError(f"{int((~known.any(axis=0)).sum())} samples have no reference model that was not trained on "
                          "them; train more of them, on other halves of the data.")
    return np.asarray(np.where(known, losses, 0).sum(axis=0) / known.sum(axis=0))


def _mask(name: str, given: ArrayLike, rows: int) -> NDArray[np.bool_]:
    mask = np.asarray(given)
    if mask.shape != (rows,) or mask.dtype != np.bool_:
        raise LinnetError(f"'{name}' is True or False for each of {rows} samples; got shape {mask.shape} of "
                          f"{mask.dtype}.")
    return mask
