"""The sentences of claims. Numbers are rounded against the claim: it never promises more than what was shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from linnet.evidence.claims.claim import Clusters, Verdict
from linnet.evidence.rounding import MOST_DECIMALS, about, decimals, down, plain, shift, up


def accuracy(
    population: str, verdict: Verdict, estimate: float, interval: tuple[float, float], *,
    bound: float, level: float, clusters: Clusters | None = None,
) -> str:
    """It answers 91.2 in 100 recordings correctly (95 % sure of at least 89.5 in 100; 80.0 were required)."""
    required = shift(bound, 2)
    places = max(1, decimals(required))
    sure = f"at most {up(shift(interval[1], 2), required, places)}" if verdict == "fails" \
        else f"at least {down(shift(interval[0], 2), required, places)}"
    known = _how_sure(f"{sure} in 100", level, clusters)
    return (f"It answers {down(shift(estimate, 2), required, places)} in 100 {population} correctly "
            f"({known}; {down(required, required, places)} were required{_not_shown(verdict)}).")


def difference(
    population: str, verdict: Verdict, estimate: float, interval: tuple[float, float], *,
    than: str, margin: float, level: float, clusters: Clusters | None = None,
) -> str:
    """In 100 recordings it answers 0.4 fewer correctly than big does (95 % sure of at most 1.0 fewer; ...)."""
    allowed = shift(margin, 2)
    places = max(1, decimals(allowed))
    worst = _bounded(down(shift(interval[0], 2), -allowed, places), "at least")
    best = _bounded(up(shift(interval[1], 2), -allowed, places), "at most")
    known = _how_sure(best if verdict == "fails" else worst, level, clusters)
    found = _more_or_fewer(down(shift(estimate, 2), -allowed, places), than)
    return (f"In 100 {population} it answers {found} does "
            f"({known}; {_allowance(allowed, places)}{_not_shown(verdict)}).")


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


def _how_sure(bound: str, level: float, clusters: Clusters | None) -> str:
    if clusters is None:
        return f"{sure(level)} of {bound}"
    if clusters.count < clusters.needed:
        return f"how sure cannot be said from {_groups(clusters)}"
    return f"{sure(level)} of {bound}, taking {_groups(clusters)} as the unit"


def _groups(clusters: Clusters) -> str:
    return f"{clusters.count} group{'' if clusters.count == 1 else 's'} by {clusters.by}"


def _not_shown(verdict: Verdict) -> str:
    return "; not decided" if verdict == "undecided" else ""


def _more_or_fewer(difference: Decimal, than: str) -> str:
    if difference == 0:
        return f"as many correctly as {than}"
    return f"{abs(difference)} {'fewer' if difference < 0 else 'more'} correctly than {than}"


def _bounded(difference: Decimal, side: str) -> str:
    """A bound of the difference in words: "at least -1.0" is "at most 1.0 fewer"."""
    if difference == 0:
        return "no fewer" if side == "at least" else "no more"
    if difference < 0:
        return f"{'at most' if side == 'at least' else 'at least'} {abs(difference)} fewer"
    return f"{side} {difference} more"


def _allowance(allowed: Decimal, places: int) -> str:
    return f"at most {down(allowed, allowed, places)} fewer were allowed" if allowed else "no fewer were allowed"


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
