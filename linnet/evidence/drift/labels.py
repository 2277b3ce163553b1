"""Are the labels that a model predicts other ones than before? One sample, two samples, or a stream without an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.drift.e_detectors import bets_against
from linnet.evidence.drift.recursion import Recursion
from linnet.evidence.drift.two_sample import TwoSample, check_permutations, dealt, p_value_of, units_of
from linnet.evidence.settings import check_count, check_run_length, check_seed, is_number

Floats = NDArray[np.float64]


def labels_differ(reference: Sequence[object], new: Sequence[object], *,
                  clusters: tuple[Sequence[object], Sequence[object]] | None = None, permutations: int = 999,
                  seed: int = 0) -> TwoSample:
    """Test that two samples of labels have the same shares: Pearson's chi-square, its p-value by permutation.

    Labels may be predicted ones, so no truth is needed. `clusters` names the cluster of each row on either side; whole
    clusters are then permuted. The p-value is exact for every n.

    Assumes: rows (with `clusters`: clusters) of both sides are independent draws of one distribution if nothing
        changed.
    Source: Fisher, Statistical Methods for Research Workers, 1925; p-value of Phipson and Smyth, 2010.
    Not for: saying by how much the true shares moved (`label_shift`); a stream (`LabelDetector`).

    >>> labels_differ(["yes"] * 50 + ["no"] * 50, ["yes"] * 80 + ["no"] * 20).p_value
    0.001
    """
    if not len(reference) or not len(new):
        raise LinnetError(f"labels are needed on both sides; got {len(reference)} and {len(new)}.")
    unit, reference_units = units_of(len(reference), len(new), clusters)
    check_permutations(permutations, reference_units, int(unit.max()) + 1)
    _, label = np.unique([str(name) for name in (*reference, *new)], return_inverse=True)
    counts = np.zeros((int(unit.max()) + 1, int(label.max()) + 1))
    np.add.at(counts, (unit, label), 1)
    permutations, rng = int(permutations), np.random.default_rng(check_seed(seed))
    first = counts.T @ dealt(len(counts), reference_units, permutations, rng) if clusters else _dealt_rows(
        counts.sum(axis=0), counts[:reference_units].sum(axis=0), permutations, rng)
    statistics = _chi_square(first, counts.sum(axis=0)[:, None] - first)
    return TwoSample(float(statistics[0]), p_value_of(statistics), len(reference), len(new), len(counts), permutations)


def labels_differ_from(shares: Mapping[str, float], labels: Sequence[object], *, draws: int = 9999,
                       seed: int = 0) -> float:
    """p-value that labels come with the `shares` that were known beforehand: exact multinomial test by Monte Carlo.

    (1 + draws whose chi-square is at least as large) / (1 + draws), which is exact for every n and number of draws.

    Assumes: the labels are independent of each other; the shares were not estimated from a sample.
    Source: Barnard 1963 (Monte Carlo tests); Pearson, Philosophical Magazine 50, 1900 (chi-square).
    Not for: shares estimated on a validation set (`labels_differ`); a look after every batch (`LabelDetector`, or
        `sequences.sample_ratio`).

    >>> labels_differ_from({"yes": 0.5, "no": 0.5}, ["yes"] * 80 + ["no"] * 20)
    0.0001
    """
    if not len(labels):
        raise LinnetError("there are no labels; nothing can be said about no samples.")
    known, draws = _check_shares(shares), check_count("draws", draws, least=1)
    observed = np.bincount(_index(known, labels), minlength=len(known))
    expected = np.array(list(known.values())) * len(labels)
    drawn = np.random.default_rng(check_seed(seed)).multinomial(len(labels), expected / expected.sum(), size=draws)
    return p_value_of((np.square(np.vstack([observed, drawn]) - expected) / expected).sum(axis=1))


class LabelDetector:
    """Alarms when labels stop coming with their known shares; a false alarm takes `run_length` on average.

    Labels may be predicted ones. For each label two e-detectors bet that its share grew or shrank; their average is
    `evidence`, which alarms at `run_length`. `alarm_at` is the number of the sample that raised it; `label` is the
    one that speaks most for a change.

    Assumes: as long as nothing changes, the next label has the stated shares, whatever came before it.
    Source: as `EDetector`; averages of e-detectors are e-detectors (Shin, Ramdas and Rinaldo 2024, section 2).
    Not for: shares estimated from few samples (an error of estimation is a change): use `ConformalDetector` on a score,
        or `labels_differ`. For an alarm that is false with at most 5 % for ever, `sequences.SampleRatio`.

    >>> detector = LabelDetector({"yes": 0.1, "no": 0.5, "other": 0.4}, run_length=1000)
    >>> detector.update(["no", "yes", "no", "no"] + ["yes"] * 8), detector.alarm_at, detector.label
    (True, 9, 'yes')
    """

    def __init__(self, shares: Mapping[str, float], *, run_length: float = 10_000) -> None:
        self.shares, self.run_length = _check_shares(shares), check_run_length(run_length)
        bets = [bets_against(share, share, self.run_length) for share in self.shares.values()]
        self._weights, self._pulls, self._centres = (np.concatenate(part) for part in zip(*bets, strict=True))
        self._weights = self._weights / len(bets)
        self._of = np.repeat(np.arange(len(bets)), [len(weights) for weights, _, _ in bets])
        self._wealth = Recursion(self._weights)
        self.reset()

    def reset(self) -> None:
        """Forget all labels and the alarm."""
        self._wealth.reset()
        self.n, self.evidence = 0, 0.0
        self.alarm_at: int | None = None

    def update(self, label: object | Sequence[object]) -> bool:
        """Take a label, or a list of them in order; whether there has been an alarm."""
        labels = list(label) if isinstance(label, list | tuple | np.ndarray) else [label]
        for index in _index(self.shares, labels):
            self.n += 1
            self.evidence = float(self._wealth.advance(1 + self._pulls * ((self._of == index) - self._centres)))
            if self.alarm_at is None and self.evidence >= self.run_length:
                self.alarm_at = self.n
        return self.alarm_at is not None

    @property
    def label(self) -> str:
        """The label whose share speaks most for a change."""
        return list(self.shares)[int(np.bincount(self._of, weights=self._wealth.wealth).argmax())]


def _dealt_rows(totals: Floats, observed: Floats, permutations: int, rng: np.random.Generator) -> Floats:
    """Label counts of the reference, as observed and with rows dealt out at random; (labels, 1 + permutations)."""
    drawn = rng.multivariate_hypergeometric(totals.astype(np.int64), int(observed.sum()), size=permutations)
    return np.vstack([observed, drawn]).T


def _chi_square(first: Floats, second: Floats) -> Floats:
    """Pearson's chi-square of two columns of counts (labels, deals); 0 where a deal leaves one side without rows."""
    n, m = first.sum(axis=0), second.sum(axis=0)
    total = first + second
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = (np.square(first * np.sqrt(m / n) - second * np.sqrt(n / m)) / total).sum(axis=0)
    return np.where((n > 0) & (m > 0), distance, 0.0)


def _check_shares(shares: Mapping[str, float]) -> dict[str, float]:
    values = list(shares.values()) if isinstance(shares, Mapping) else []
    is_whole = len(values) > 1 and all(is_number(share) and 0 < share < 1 for share in values)
    if not is_whole or abs(sum(values) - 1) > 1e-6:
        raise LinnetError(f"shares must name at least two labels, each share above 0, together 1; got {shares!r:.80}.")
    named = {str(name): float(share) for name, share in shares.items()}
    if len(named) < len(values):
        raise LinnetError(f"some of the labels {list(shares)!r:.80} are written alike; expected names that differ "
                          "(1 and '1' do not).")
    return named


def _index(shares: Mapping[str, float], labels: Sequence[object]) -> NDArray[np.int64]:
    numbers = {name: number for number, name in enumerate(shares)}
    for label in labels:
        if str(label) not in numbers:
            raise unknown("label", str(label), numbers)
    return np.array([numbers[str(label)] for label in labels], dtype=np.int64)
