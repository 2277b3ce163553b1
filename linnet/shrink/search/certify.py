"""Certifying the choice by Learn-then-Test, on data that the search never saw.

Every candidate is a hypothesis: "it loses more than it may, overall or in some group". Candidates are put in an order
before the data are looked at, the one that validation makes most certain first, and each is tested at the whole level
until the first is not refuted (fixed sequence): the chance that any certified one loses too much is at most 1 - level.
Several risks cost nothing: a candidate is refuted only where each of its risks is (the largest p-value counts).

Angelopoulos, Bates, Candes, Jordan and Lei, Learn then test, 2021 (arXiv:2110.01052); the order of the front by what
other data say is that of Laufer-Goldshtein et al., Efficiently controlling multiple risks with Pareto testing, 2022
(arXiv:2210.07913). P-values are those of the claims, at or under 1 - level where a claim holds: exact bounds of paired
differences. The ledger counts the whole sequence as one look, and each file of it as held against the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linnet.evidence import Claim, Ledger, Look, Scores, Verdict, canonical_json, no_worse, verdict_of
from linnet.progress import Progress
from linnet.runtime.artifact import read
from linnet.runtime.claims import look_of, question
from linnet.shrink.search.start import Start, only
from linnet.shrink.search.trial import Trial
from linnet.shrink.search.wish import Wish


@dataclass(frozen=True)
class Candidate:
    """A file that may be chosen, and the trial that made it."""

    trial: Trial
    file: Path


@dataclass(frozen=True)
class Tested:
    """A candidate, its claims on data that the search never saw, and the answers behind them."""

    candidate: Candidate
    claims: tuple[Claim, ...]
    scores: Scores = field(repr=False)

    @property
    def verdict(self) -> Verdict:
        """Of all its claims together."""
        return verdict_of(self.claims)


@dataclass(frozen=True)
class Certificate:
    """What was tested, in the order that was stated beforehand; all but the last are certified, and it may be too."""

    tested: tuple[Tested, ...]
    before: Scores | None = field(default=None, repr=False)
    look: int = 1
    """Which look of a sequence at these data it was; later ones are tested at a higher level."""

    @property
    def certified(self) -> tuple[Tested, ...]:
        """Those of which all claims hold."""
        return tuple(one for one in self.tested if one.verdict == "holds")

    def best(self, goal: str) -> Tested | None:
        """The certified one with the least of the goal."""
        return min(self.certified, key=lambda one: one.candidate.trial.cost[goal], default=None)


def order(trials: Sequence[Trial], wish: Wish) -> list[Trial]:
    """Those that are good enough on validation, the most certain first."""
    return sorted((trial for trial in trials if safety(trial, wish) > 0),
                  key=lambda trial: (-safety(trial, wish), trial.job.number))


def stairs(trials: Sequence[Trial], wish: Wish) -> list[Trial]:
    """The order of testing: the safest first, then only those that are smaller than every one before.

    More than the front: what lost nothing for certain comes before what seems to have gained, but may have lost.
    """
    found: list[Trial] = []
    for trial in order(trials, wish):
        if not found or trial.cost[wish.goal] < min(one.cost[wish.goal] for one in found):
            found.append(trial)
    return found


def safety(trial: Trial, wish: Wish) -> float:
    """By how many standard errors the validation part lies within what may be lost, where it is nearest to that."""
    room = [_room(wish.no_worse, trial.damage, trial.doubt)]
    if wish.worst_group is not None:
        room += [_room(wish.worst_group, lost, doubt) for lost, doubt in trial.groups.values()]
    return min(room)


def _room(allowed: float, lost: float, doubt: float) -> float:
    return (allowed - lost) / doubt


def certify(start: Start, sequence: Sequence[Candidate], base: Path, wish: Wish, *, ledger: Ledger | None = None,
            progress: Progress | None = None) -> Certificate:
    """Test the candidates in this order until one is not shown to lose little enough."""
    ledger, tested = ledger or Ledger(), list[Tested]()
    if not sequence:
        return Certificate(())
    ledger.ready()
    before = start.scores(base, "test")
    named = _sequence_name(sequence)
    looks: dict[str, int] = {}
    for number, candidate in enumerate(sequence):
        if progress:
            progress(number + 1, len(sequence), "certify")
        after = start.scores(candidate.file, "test")
        claims = [_paid(claim, named, looks, ledger) for claim in _claims(start, after, before, wish)]
        tested.append(Tested(candidate, tuple(claims), after))
        if tested[-1].verdict != "holds":
            break
    return Certificate(tuple(tested), before, looks[before.data.fingerprint])


def _claims(start: Start, after: Scores, before: Scores, wish: Wish) -> list[Claim]:
    """No worse overall and, where asked for, in every group."""
    claims = [no_worse(after, before, margin=wish.no_worse, level=wish.level, clusters=wish.clusters)]
    if wish.worst_group is not None:
        claims += [no_worse(only(after, ids, data), only(before, ids, data), margin=wish.worst_group, level=wish.level)
                   for ids, data in start.groups("test").values()]
    return claims


def _sequence_name(sequence: Sequence[Candidate]) -> str:
    """A sequence stands in the ledger as one subject: its files in their order."""
    return hashlib.sha256(canonical_json([read(one.file).identity for one in sequence]).encode()).hexdigest()


def _paid(claim: Claim, sequence: str, looks: dict[str, int], ledger: Ledger) -> Claim:
    """The claim at the level that its sequence pays for on its data; the file's own look is written down too."""
    look = look_of(claim)
    if look is None:
        return claim
    if look.fingerprint not in looks:
        asked = f"a sequence of files: {question(claim)}"
        looks[look.fingerprint] = ledger.record(Look(sequence, asked, look.fingerprint))
    ledger.record(look)
    return claim.at_look(looks[look.fingerprint])


def changed(before: Scores, after: Scores) -> list[Mapping[str, str]]:
    """The samples that are answered otherwise than before: those that got worse first, then by id."""
    answers = dict(zip(before.ids, zip(before.answers, before.score, strict=True), strict=True))
    rows = []
    for place, name in enumerate(after.ids):
        answer, score = answers[name]
        if answer != after.answers[place]:
            lost = float(score - after.score[place])
            rows.append((-lost, name, {
                "id": name, "expected": after.targets[place], "before": answer, "after": after.answers[place],
                "effect": "worse" if lost > 0 else "better" if lost < 0 else "neither",
                **{column: values[place] for column, values in after.groups.items()}}))
    return [row for _, _, row in sorted(rows, key=lambda entry: entry[:2])]
