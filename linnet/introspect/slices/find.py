"""slices: where a model is wrong more often than elsewhere, and not by chance alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import unknown
from linnet.evidence import Scores
from linnet.evidence.many import MINIMUM_ROWS, halves
from linnet.evidence.settings import check_labels, check_level, check_right_or_wrong, check_seed
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.slices.candidates import Candidate, Mask, from_columns, pairs
from linnet.introspect.slices.confirm import Confirmed, confirm
from linnet.introspect.slices.regions import from_features
from linnet.introspect.slices.suggest import strongest, suggest

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]

_PAIRED_AT_MOST = 60
_EXAMPLES = 8


def slices(scores: Scores, *, attributes: Mapping[str, Sequence[Any] | NDArray[Any]] | None = None,
           features: ArrayLike | None = None, clusters: str | Sequence[str] | None = None,
           paired: bool = True, level: float = 0.95, seed: int = 0) -> Findings:
    """Findings of kind "slices": parts of the samples that are answered worse than the rest, the surest first.

    `scores` are 1 for a right answer and 0 for a wrong one. `attributes` are columns, one value a sample (words, true
    and false, or numbers, which are taken in quarters); None takes the scores' groups and targets. Candidates are
    their values, with `paired` also any two of different columns, and of `features`, (samples, columns), clusters and
    neighbourhoods of wrong answers. `clusters` names a group of the scores, or has a label a sample: rows of one
    speaker stay on one side.

    One half of the samples (of the clusters) suggests at most ten slices, the other half tests them: that any slice
    is told which is no worse than the rest has a probability of at most 1 - level, however many candidates there were
    and however they were made. All numbers told are those of the second half; `interval` (of the share of wrong
    answers) and `gap_interval` hold together for all slices that were tested. `examples` are ids of wrong answers,
    `members` of slices by features the ids of all their samples in both halves.

    Assumes: samples (with `clusters`: clusters) are independent of each other. A gap interval by clusters needs ten of
        them on either side, else it says nothing.
    Source: Cox, Biometrika 62, 1975 (splitting); Fisher's exact test, within clusters Mehta, Patel and Gray, JASA 80,
        1985; Holm 1979, section 4 (the first suggestions get more of alpha); Chung et al., Slice Finder, ICDE 2019, for
        the idea, whose false discoveries this bounds.
    Not for: why a slice is worse; slices of a few dozen samples, which no honest test can see (docs).

    Raises LinnetError for graded scores, columns of another length, unknown groups, NaN among features.
    """
    check_right_or_wrong(scores.score, scores.subject_name)
    rows, labels = _Rows.of(scores, clusters, check_seed(seed)), _labels(scores, clusters)
    columns = {**scores.groups, "target": scores.targets} if attributes is None else attributes
    found, barren = from_columns(columns, len(scores), rows.minimum)
    if paired:
        found += pairs([found[place] for place in strongest(rows.discover(found), *rows.discovered, _PAIRED_AT_MOST)],
                       rows.minimum)
    regions, constant = ([], 0) if features is None else from_features(
        features, rows.wrong, rows.discovery, minimum=rows.minimum, seed=seed)
    found += regions
    named = [found[place] for place in suggest(rows.discover(found), *rows.discovered)]
    told = confirm([one.mask[rows.confirmation] for one in named], *rows.confirmed, level=check_level(level), seed=seed)
    facts = {"samples": len(scores), "error_rate": float(rows.wrong.mean()), "candidates": len(found),
             "tested": len(named), "suggested": [_subject(one, scores.ids) for one in named],
             "discovery_rows": int(rows.discovery.sum()), "confirmation_rows": int(rows.confirmation.sum()),
             "any_false_slice_at_most": round(1 - level, 10), "clusters": None if labels is None else len(set(labels)),
             "minimum_rows": rows.minimum, "seed": seed, "columns_without_candidates": barren,
             "constant_features": constant}
    return Findings("slices", tuple(_finding(one, named[one.place], scores, rows.confirmation) for one in told), facts)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Which samples were answered wrongly, which hang together, and in which half each lies."""

    wrong: Floats
    clusters: NDArray[np.int64] | None
    discovery: Mask
    confirmation: Mask

    @classmethod
    def of(cls, scores: Scores, clusters: str | Sequence[str] | None, seed: int) -> _Rows:
        """Split in two at random."""
        labels = _labels(scores, clusters)
        index = None if labels is None else check_labels(labels, len(scores))[0]
        return cls(1.0 - scores.score, index, *halves(scores.ids if labels is None else labels, seed=seed))

    @property
    def minimum(self) -> int:
        """Under so many rows nothing is a candidate."""
        return min(MINIMUM_ROWS, max(2, len(self.wrong) // 10))

    @property
    def discovered(self) -> tuple[Floats, NDArray[np.int64] | None]:
        """Wrong answers and clusters of the discovery rows."""
        return self.wrong[self.discovery], None if self.clusters is None else self.clusters[self.discovery]

    @property
    def confirmed(self) -> tuple[Floats, NDArray[np.int64] | None]:
        """Wrong answers and clusters of the confirmation rows."""
        return self.wrong[self.confirmation], None if self.clusters is None else self.clusters[self.confirmation]

    def discover(self, candidates: Sequence[Candidate]) -> Masks:
        """The candidates (candidates, discovery rows)."""
        table = np.array([one.mask for one in candidates], dtype=bool).reshape(len(candidates), len(self.wrong))
        return table[:, self.discovery]


def _labels(scores: Scores, clusters: str | Sequence[str] | None) -> Sequence[str] | None:
    if not isinstance(clusters, str):
        return clusters
    if clusters not in scores.groups:
        raise unknown("group", clusters, scores.groups)
    return scores.groups[clusters]


def _subject(one: Candidate, ids: Sequence[str]) -> str:
    if one.kind != "region":
        return one.name
    return one.name.replace(f"around sample {one.columns[0]},", f"around sample {ids[int(one.columns[0])]},")


def _finding(one: Confirmed, slice_: Candidate, scores: Scores, confirmation: Mask) -> Finding:
    inside = slice_.mask & confirmation
    examples = [scores.ids[row] for row in np.flatnonzero(inside & (scores.score == 0)).tolist()[:_EXAMPLES]]
    subject = _subject(slice_, scores.ids)
    return Finding(subject, f"Of {one.rows} samples with {subject}, {100 * one.rate:.1f} in 100 are answered wrongly; "
                   f"of the rest {100 * one.rest_rate:.1f} in 100.", {
        "kind": slice_.kind, "columns": list(slice_.columns) if slice_.kind in ("column", "pair") else [],
        "rows": one.rows, "errors": one.errors, "error_rate": one.rate, "interval": list(one.interval),
        "rest_rows": one.rest_rows, "rest_errors": one.rest_errors, "rest_rate": one.rest_rate,
        "gap": one.rate - one.rest_rate, "gap_interval": list(one.gap_interval), "p_value": one.p_value,
        "adjusted_p_value": one.adjusted_p_value, "rows_in_both_halves": int(slice_.mask.sum()),
        "share_of_samples": float(slice_.mask.mean()), "examples": examples,
        **({} if slice_.columns and slice_.kind != "region" else
           {"members": [scores.ids[row] for row in np.flatnonzero(slice_.mask).tolist()]})})
