"""forgetting: what a model answers otherwise since it was made smaller, or newer; and for whom it got worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence import Claim, DataRef, Scores, no_worse
from linnet.evidence.comparisons import clustered_difference, paired_difference, paired_mean_difference, sign_flip
from linnet.evidence.comparisons.permutation import is_right_or_wrong
from linnet.evidence.intervals import binomial
from linnet.evidence.many import averaged_difference, bonferroni, holm
from linnet.evidence.many.against import MINIMUM_SAMPLES
from linnet.evidence.settings import check_level, check_numbers
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]
Sides = Scores | Sequence[Scores]
_TINY, _HAIR = 1e-12, 1e-6
_EFFECTS = ("lost", "otherwise wrong", "won")


def forgetting(before: Sides, after: Sides, *, probabilities: tuple[ArrayLike, ArrayLike] | None = None,
               shifted: tuple[Sides, Sides] | None = None, clusters: str | None = None, level: float = 0.95
               ) -> Findings:
    """Findings of kind "forgetting": first the classes and groups that got worse, then the samples answered otherwise.

    `before` and `after` are Scores of the same samples (paired by id), or of several seeds each, in the same order:
    then the answer that most seeds give counts, and a score is the mean over seeds (pruning identified exemplars).
    Every class and every group is compared by an exact interval of paired shares (of several seeds by that of
    `evidence.many.averaged_difference`); all of these intervals hold together at `level`, p-values are corrected by
    Holm, and a part is told where its interval lies below zero.
    `facts["parts"]` has all of them, `facts["worst"]` names the one that lost most, told or not.

    `probabilities` of both sides, (samples, classes) in the order of `before`, add to every sample how far the answer
    moved (Kullback-Leibler divergence in nats) and the margin between the two likeliest before. `shifted` is a pair of
    Scores of other, harder samples: how often the answer changes there.

    Source: Hooker et al., What do compressed deep neural networks forget?, 2019, arXiv:1911.05248 (flips, exemplars);
    the intervals as in `evidence.comparisons.paired_difference`.
    Not for: a promise about the file (`forgetting_claims`); a single changed sample, which may change back with the
    next seed.

    Raises LinnetError where the sides have not the same samples or numbers of seeds.
    """
    check_level(level)
    old, new, targets, groups = _aligned(before, after)
    change = new.score - old.score
    labels = _labels(groups, clusters)
    parts = _parts(targets, groups)
    each = bonferroni(level, 1 + len(parts))
    found = {name: _part(old.scores[:, mask], new.scores[:, mask], labels if labels is None else labels[mask], each)
             for name, mask in parts.items()}
    for part, adjusted in zip(found.values(), holm([one["p_value"] for one in found.values()]), strict=True):
        part["adjusted_p_value"] = adjusted
    worse = sorted((item for item in found.items() if item[1]["interval"][1] < 0),
                   key=lambda item: item[1]["difference"])
    moved = _moved(probabilities, old.answers)
    samples = [_sample(row, old, new, targets, groups, moved) for row in _changed(old, new, change)]
    facts: dict[str, Any] = {
        "samples": len(change), "seeds": old.seeds, "level": level, "clusters": clusters,
        "changed": len(samples), "lost": int((change < 0).sum()), "won": int((change > 0).sum()),
        "all": _part(old.scores, new.scores, labels, each), "parts": found,
        "worst": min(found, key=lambda name: found[name]["difference"], default=None)}
    if moved is not None:
        facts["mean_divergence_nats"] = float(moved[0].mean())
    if shifted is not None:
        facts["stability"] = {"here": _stability(old, new, level),
                              "shifted": _stability(*_aligned(*shifted)[:2], level)}
    return Findings("forgetting", (*(_worse(*item) for item in worse), *samples), facts)


def forgetting_claims(before: Scores, after: Scores, *, margin: float, part_margin: float | None = None,
                      parts: Mapping[str, tuple[Sequence[str], DataRef]] | None = None, level: float = 0.95,
                      clusters: str | None = None) -> tuple[Claim, ...]:
    """Claims that nothing was forgotten: `after` is no worse overall, and in none of the parts.

    `parts` are a part's ids and the reference to its samples as data of their own, by name (`groups_of` of the search
    makes them of a task's groups), so that each claim can be derived again from the data. Each is tested at the whole
    `level`: who asks that all of them hold needs no correction (Berger, Technometrics 24, 1982). `part_margin` None
    takes `margin`. Pass them to `export.prove`.
    """
    claims = [no_worse(after, before, margin=margin, level=level, clusters=clusters)]
    for ids, data in (parts or {}).values():
        sides = [_only(scores, ids, data) for scores in (after, before)]
        claims.append(no_worse(*sides, margin=margin if part_margin is None else part_margin, level=level))
    return tuple(claims)


class _Side:
    """Answers (the modal ones) and mean scores of one side, in one order."""

    def __init__(self, ids: Sequence[str], seeds: Sequence[Scores]) -> None:
        places = [{name: place for place, name in enumerate(scores.ids)} for scores in seeds]
        rows = [[where[name] for name in ids] for where in places]
        said = [[scores.answers[place] for place in order] for scores, order in zip(seeds, rows, strict=True)]
        self.ids, self.seeds = ids, len(seeds)
        self.answers = [Counter(answers).most_common(1)[0][0] for answers in zip(*said, strict=True)]
        self.scores: Floats = np.stack([scores.score[order] for scores, order in zip(seeds, rows, strict=True)])
        self.score: Floats = self.scores.mean(axis=0)


def _aligned(before: Sides, after: Sides) -> tuple[_Side, _Side, list[str], Mapping[str, Sequence[str]]]:
    sides = [[one] if isinstance(one, Scores) else list(one) for one in (before, after)]
    if not sides[0] or len(sides[0]) != len(sides[1]):
        raise LinnetError(f"there are {len(sides[0])} seeds before and {len(sides[1])} after; give as many of either, "
                          "at least one.")
    first = sides[0][0]
    for scores in (*sides[0], *sides[1]):
        if set(scores.ids) != set(first.ids) or scores.data.fingerprint != first.data.fingerprint:
            raise LinnetError(f"'{scores.subject_name}' and '{first.subject_name}' were not asked the same samples "
                              f"({len(set(scores.ids) ^ set(first.ids))} are on one side only); evaluate both on the "
                              "same dataset.")
        targets = dict(zip(scores.ids, scores.targets, strict=True))
        other = [name for name, target in zip(first.ids, first.targets, strict=True) if targets[name] != target]
        if other:
            raise LinnetError(f"{len(other)} samples have another target in '{scores.subject_name}' than in "
                              f"'{first.subject_name}', the first is {other[0]}; evaluate both on the same dataset.")
    if not len(first):
        raise LinnetError("the scores have no rows; nothing can be said of no samples.")
    return _Side(first.ids, sides[0]), _Side(first.ids, sides[1]), list(first.targets), first.groups


def _labels(groups: Mapping[str, Sequence[str]], clusters: str | None) -> NDArray[Any] | None:
    if clusters is None:
        return None
    if clusters not in groups:
        raise unknown("group", clusters, groups)
    return np.asarray(groups[clusters])


def _parts(targets: Sequence[str], groups: Mapping[str, Sequence[str]]) -> dict[str, NDArray[np.bool_]]:
    """Every class and every value of a group; none where each sample has a target of its own."""
    columns = {"target": targets, **groups}
    return {f"{name}={value}": np.asarray(values) == value for name, values in columns.items()
            if len(set(values)) <= len(values) // 2 for value in sorted(set(values))}


def _part(old: Floats, new: Floats, labels: NDArray[Any] | None, level: float) -> dict[str, Any]:
    """Of (seeds, samples) scores."""
    change = new.mean(axis=0) - old.mean(axis=0)
    lost, won = int((change < 0).sum()), int((change > 0).sum())
    clusters = None if labels is None else labels.tolist()
    is_counted = is_right_or_wrong(old) and is_right_or_wrong(new)
    if is_counted and len(old) > 1 and clusters is None and len(change) >= MINIMUM_SAMPLES:
        interval = averaged_difference(new, old, level)
    elif not is_counted or len(old) > 1:
        interval = paired_mean_difference(change, level, clusters=clusters)
    elif clusters is not None:
        interval = clustered_difference(change, clusters, level)
    else:
        interval = paired_difference(lost, won, len(change), level)
    return {"samples": len(change), "before": float(old.mean()), "after": float(new.mean()), "lost": lost, "won": won,
            "difference": float(change.mean()), "interval": [float(end) for end in interval],
            "p_value": sign_flip(new, old, clusters=clusters)}


def _moved(probabilities: tuple[ArrayLike, ArrayLike] | None, answers: Sequence[str]) -> tuple[Floats, Floats] | None:
    """Divergence of after from before, and the margin before, of each sample."""
    if probabilities is None:
        return None
    old, new = (check_numbers("probabilities", side) for side in probabilities)
    if old.ndim != 2 or old.shape != new.shape or len(old) != len(answers) or old.shape[1] < 2:
        raise LinnetError(f"probabilities are (samples, classes) of both sides, {len(answers)} samples and at least "
                          f"two classes; got shapes {old.shape} and {new.shape}.")
    if not all(np.isfinite(side).all() and side.min() >= 0 and side.max() <= 1 + _HAIR for side in (old, new)):
        raise LinnetError("probabilities lie from 0 to 1; some are NaN or not. Give probabilities, not logits.")
    ordered = np.sort(old, axis=1)
    return (old * (np.log(old + _TINY) - np.log(new + _TINY))).sum(axis=1), ordered[:, -1] - ordered[:, -2]


def _changed(old: _Side, new: _Side, change: Floats) -> list[int]:
    """Rows answered otherwise, those that lost most first."""
    rows = [row for row, (one, other) in enumerate(zip(old.answers, new.answers, strict=True)) if one != other]
    return sorted(rows, key=lambda row: (change[row], old.ids[row]))


def _sample(row: int, old: _Side, new: _Side, targets: Sequence[str], groups: Mapping[str, Sequence[str]],
            moved: tuple[Floats, Floats] | None) -> Finding:
    name, change = old.ids[row], float(new.score[row] - old.score[row])
    effect = _EFFECTS[int(np.sign(change)) + 1]
    evidence = {"before": old.answers[row], "after": new.answers[row], "target": targets[row], "effect": effect,
                "groups": {column: values[row] for column, values in groups.items()}}
    if moved is not None:
        evidence |= {"divergence_nats": float(moved[0][row]), "margin_before": float(moved[1][row])}
    return Finding(name, f"{name} was answered '{old.answers[row]}' before and '{new.answers[row]}' after; "
                   f"'{targets[row]}' is right.", evidence)


def _worse(name: str, part: dict[str, Any]) -> Finding:
    return Finding(name, f"Of {part['samples']} samples with {name}, {100 * part['before']:.1f} in 100 were right "
                   f"before and {100 * part['after']:.1f} after.", part)


def _stability(old: _Side, new: _Side, level: float) -> dict[str, Any]:
    changed = sum(one != other for one, other in zip(old.answers, new.answers, strict=True))
    return {"samples": len(old.answers), "changed": changed, "rate": changed / len(old.answers),
            "interval": list(binomial(changed, len(old.answers), level))}


def _only(scores: Scores, ids: Sequence[str], data: DataRef) -> Scores:
    """The scores of these rows, as those of the data that they are."""
    rows = {name: place for place, name in enumerate(scores.ids)}
    missing = [name for name in ids if name not in rows]
    if missing:
        raise LinnetError(f"{len(missing)} samples of {data.population} have no scores, the first is {missing[0]}; "
                          "evaluate both sides on all of the data.")
    places = [rows[name] for name in ids]
    return replace(scores, ids=list(ids), data=data, score=scores.score[places],
                   answers=[scores.answers[place] for place in places],
                   targets=[scores.targets[place] for place in places],
                   groups={name: [values[place] for place in places] for name, values in scores.groups.items()},
                   seconds=None if scores.seconds is None else scores.seconds[places])
