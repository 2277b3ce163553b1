"""The sentences of claims. Numbers are rounded against the claim: it never promises more than what was shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from linnet.evidence.claims.claim import Clusters
from linnet.evidence.claims.spending import level_at
from linnet.evidence.rounding import MOST_DECIMALS, about, decimals, down, plain, shift, up
from linnet.evidence.settings import Verdict

_GROUPS_NAMED = 6


@dataclass(frozen=True)
class Sure:
    """How sure a claim is, in words: the level, the clusters that were its unit, the look at the data that it paid."""

    level: float
    clusters: Clusters | None = None
    look: int | None = None

    def of(self, bound: str) -> str:
        """95 % sure of at least 89.5 in 100, taking 12 groups by speaker as the unit."""
        if self.clusters is None:
            return f"{sure(self.level)} of {bound}"
        if self.clusters.count < self.clusters.needed:
            return f"how sure cannot be said from {_groups(self.clusters)}"
        return f"{sure(self.level)} of {bound}, taking {_groups(self.clusters)} as the unit"

    @property
    def paid(self) -> str:
        """What earlier files cost this one; nothing is said of the first."""
        if self.look is None or self.look < 2:
            return ""
        return (f"; file {self.look} that was held against these data, so tested at "
                f"{100 * level_at(self.look, self.level):.5g} %")


    @property
    def kept_back(self) -> str:
        """Why the first file is not tested at the level itself: it would leave nothing for the next."""
        if self.look != 1:
            return ""
        return (f" It was tested at {100 * level_at(1, self.level):.5g} %: the rest of the "
                f"{100 * (1 - self.level):.5g} % by which it may err is kept for files to come.")


def accuracy(population: str, verdict: Verdict, estimate: float, interval: tuple[float, float], *,
             bound: float, sure: Sure) -> str:
    """It answers 91.2 in 100 recordings correctly (95 % sure of at least 89.5 in 100; 80.0 were required)."""
    required = shift(bound, 2)
    places = max(1, decimals(required))
    return (f"It answers {down(shift(estimate, 2), required, places)} in 100 {population} correctly "
            f"({_known_share(verdict, interval, required, places, sure)}).")


def mean_score(population: str, metric: str, verdict: Verdict, estimate: float, interval: tuple[float, float], *,
               bound: float, sure: Sure) -> str:
    """Its similarity on recordings is 91.2 in 100 on average (95 % sure of at least 89.5 in 100; ...)."""
    required = shift(bound, 2)
    places = max(1, decimals(required))
    return (f"Its {metric} on {population} is {down(shift(estimate, 2), required, places)} in 100 on average "
            f"({_known_share(verdict, interval, required, places, sure)}).")


@dataclass(frozen=True)
class Grouped:
    """The groups of a claim for each of them: by what, the one that is served worst, (share, rows) of all."""

    by: str
    worst: str
    shares: Mapping[str, tuple[float, int]]


def every_group(population: str, verdict: Verdict, groups: Grouped, interval: tuple[float, float], *,
                bound: float, sure: Sure) -> str:
    """By gender it is right least often for f: in 91.2 of 100 recordings (95 % sure of at least 89.5 for each; ...)."""
    required = shift(bound, 2)
    places = max(1, decimals(required))

    def told(name: str) -> Decimal:
        return down(shift(groups.shares[name][0], 2), required, places)

    low, high = (shift(end, 2) for end in interval)
    shown = f"at most {up(high, required, places)} in 100 for one of them" if verdict == "fails" \
        else f"at least {down(low, required, places)} in 100 for each"
    known = replace(sure, clusters=None).of(shown)
    if sure.clusters is not None:
        is_known = verdict == "fails" or sure.clusters.count >= sure.clusters.needed
        known = f"{known}, taking groups by {sure.clusters.by} as the unit, {sure.clusters.count} or more of each" \
            if is_known else f"how sure cannot be said from {_groups(sure.clusters)}"
    seen = ", ".join(f"{name} {told(name)} of {groups.shares[name][1]:,}" for name in sorted(
        groups.shares, key=lambda name: (groups.shares[name][0], name))[:_GROUPS_NAMED])
    return (f"By {groups.by} it is right least often for {groups.worst}: in {told(groups.worst)} of 100 {population} "
            f"({known}; {down(required, required, places)} were required{_not_shown(verdict)}{sure.paid}). "
            f"Seen: {seen}.")


@dataclass(frozen=True)
class Sides:
    """How a comparison is told: in answers that are right or wrong, or in a graded score, by its name."""

    population: str
    than: str
    metric: str | None = None

    @property
    def less(self) -> str:
        """The word for a difference below zero."""
        return "lower" if self.metric else "fewer"

    @property
    def more(self) -> str:
        """The word for a difference above zero."""
        return "higher" if self.metric else "more"

    def found(self, difference: Decimal) -> str:
        """The difference, after minus before, in hundredths."""
        amount, word = abs(difference), self.less if difference < 0 else self.more
        if self.metric:
            said = f"{amount} in 100 {word} than" if difference else "the same as"
            return f"On {self.population} its {self.metric} is on average {said} that of {self.than}"
        said = f"{amount} {word} correctly than {self.than}" if difference else f"as many correctly as {self.than}"
        return f"In 100 {self.population} it answers {said} does"

    def bounded(self, difference: Decimal, side: str) -> str:
        """A bound of the difference in words: "at least -1.0" is "at most 1.0 fewer"."""
        if difference == 0:
            return f"no {self.less if side == 'at least' else self.more}"
        if difference < 0:
            return f"{'at most' if side == 'at least' else 'at least'} {abs(difference)} {self.less}"
        return f"{side} {difference} {self.more}"


@dataclass(frozen=True)
class Asked:
    """What a comparison asks of the difference: its limit, and the words for it, which come after "were" or "was"."""

    limit: float
    words: Callable[[Sides], str]


def no_worse(margin: float) -> Asked:
    """At most 1.0 fewer were allowed."""
    most = f"at most {_plainly(margin)}" if margin else "no"
    return Asked(-margin, lambda sides: f"{most} {sides.less} were allowed")


def better(by: float) -> Asked:
    """More were required."""
    return Asked(by, lambda sides: f"{f'more than {_plainly(by)} ' if by else ''}{sides.more} were required")


def equivalent(margin: float) -> Asked:
    """Less than 1.0 more or fewer were allowed."""
    return Asked(margin, lambda sides: f"less than {_plainly(margin)} {sides.more} or {sides.less} were allowed")


def difference(sides: Sides, verdict: Verdict, estimate: float, interval: tuple[float, float], *, asked: Asked,
               sure: Sure, both: bool = False) -> str:
    """In 100 recordings it answers 0.4 fewer correctly than big does (95 % sure of at most 1.0 fewer; ...)."""
    limit = shift(asked.limit, 2)
    places = max(1, decimals(limit))
    worst = sides.bounded(down(shift(interval[0], 2), -limit if both else limit, places), "at least")
    best = sides.bounded(up(shift(interval[1], 2), limit, places), "at most")
    known = sure.of(f"{worst} and of {best}" if both else best if verdict == "fails" else worst)
    found = sides.found(down(shift(estimate, 2), limit, places))
    return f"{found} ({known}; {asked.words(sides)}{_not_shown(verdict)}{sure.paid})."


def latency(
    conditions: Mapping[str, str], verdict: Verdict, estimate_ms: float, interval_ms: tuple[float, float], *,
    bound_ms: float, quantile: float, level: float,
) -> str:
    """In 95 of 100 runs it answers within 4.21 ms (95 % sure of at most 4.40 ms; at most 5 ms were required)."""
    allowed = Decimal(repr(bound_ms))
    places = max(_three_digits(estimate_ms), decimals(allowed))
    known = _latency_known(verdict, interval_ms, allowed, level=level, places=places)
    where = "".join(f"; {name} {value}" for name, value in sorted(conditions.items()))
    estimate = up(Decimal(repr(estimate_ms)), allowed, places)
    return (f"In {plain(shift(quantile, 2))} of 100 runs it answers within {estimate} ms ({known}; "
            f"at most {plain(allowed)} ms were required{_not_shown(verdict)}{where}).")


def size(size_bytes: int, bound_kb: float) -> str:
    """Without its claims the file has 61.3 KB (at most 100.0 KB were allowed; 1 KB is 1,000 bytes)."""
    allowed = Decimal(repr(bound_kb))
    kilobytes = Decimal(size_bytes) / 1000
    places = max(1, decimals(allowed))
    return (f"Without its claims the file has {up(kilobytes, allowed, places)} KB "
            f"(at most {down(allowed, allowed, places)} KB were allowed; 1 KB is 1,000 bytes).")


def too_few_clusters(clusters: Clusters) -> str:
    """Why nothing is said from two speakers, and how many it takes."""
    return (f"The samples come from {_groups(clusters)}, however many samples each has; "
            f"at least {clusters.needed} are needed before anything can be said beyond them.")


def not_enough(what: str, count: int, needed: int | None, *, hopeful: bool, level: float) -> str:
    """Why an estimate on the right (hopeful) or wrong side of the bound does not decide, and what would."""
    side = "on the right side of" if hopeful else "short of"
    if needed is None:
        return (f"The estimate is too close to what was required; "
                f"no number of {what} within reach would make it {sure(level)}.")
    outcome = "to show that it holds" if hopeful else "to show that it fails"
    return (f"The estimate is {side} what was required, but {count:,} {what} are too few to be {sure(level)}; "
            f"if it stayed as it is, about {about(needed)} would be needed {outcome}.")


def sure(level: float) -> str:
    """95 % sure."""
    return f"{plain(shift(level, 2))} % sure"


def _known_share(verdict: Verdict, interval: tuple[float, float], required: Decimal, places: int, sure: Sure) -> str:
    bound = f"at most {up(shift(interval[1], 2), required, places)}" if verdict == "fails" \
        else f"at least {down(shift(interval[0], 2), required, places)}"
    return (f"{sure.of(f'{bound} in 100')}; {down(required, required, places)} were required"
            f"{_not_shown(verdict)}{sure.paid}")


def _plainly(share: float) -> Decimal:
    amount = shift(share, 2)
    return down(amount, amount, max(1, decimals(amount)))


def _groups(clusters: Clusters) -> str:
    return f"{clusters.count} group{'' if clusters.count == 1 else 's'} by {clusters.by}"


def _not_shown(verdict: Verdict) -> str:
    return "; not decided" if verdict == "undecided" else ""


def _latency_known(
    verdict: Verdict, interval_ms: tuple[float, float], allowed: Decimal, *, level: float, places: int
) -> str:
    low, high = interval_ms
    if verdict == "fails":
        return f"{sure(level)} of at least {down(Decimal(repr(low)), allowed, places)} ms"
    if high == math.inf:
        return "how sure cannot be said from so few runs"
    return f"{sure(level)} of at most {up(Decimal(repr(high)), allowed, places)} ms"


def _three_digits(value: float) -> int:
    """Digits after the point that show three in all: 4.21, 0.0123, 312."""
    return min(MOST_DECIMALS - 1, max(0, 2 - Decimal(repr(value)).adjusted())) if value > 0 else 0
