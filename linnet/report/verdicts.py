"""Claims in plain words: what was asked, what was found, and what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence

from linnet.evidence import Claim
from linnet.report.counting import (
    Rounding,
    bound_in_hundred,
    in_hundred,
    in_words,
    kilobytes,
    milliseconds,
    percent,
    plural,
    scale,
)

SAID = {"holds": "Holds", "fails": "Fails", "undecided": "Undecided"}
MARKS = {"holds": "✓", "fails": "✕", "undecided": "?"}


def asked(claim: Claim) -> str:
    """What the claim states, in plain words; a kind that is not known here in its own."""
    if claim.kind == "accuracy_at_least":
        return f"At least {bound_in_hundred(claim.bound)} answered correctly{_whom(claim)}"
    if claim.kind == "no_worse":
        return f"{_allowance(claim)} than {_other(claim)}{_whom(claim)}"
    if claim.kind == "latency_below":
        quantile = bound_in_hundred(float(claim.settings.get("quantile", 0.95))).replace(" in ", " of ")
        return f"{quantile} answers within {claim.bound:g} ms"
    if claim.kind == "size_below":
        return f"At most {claim.bound:g} KB"
    return claim.statement


def found(claim: Claim) -> str:
    """What was measured and how sure that is; for an undecided claim also what would decide it."""
    return f"{_measured(claim)} {_sentence(claim.reason)}" if claim.reason else _measured(claim)


def loss(claim: Claim) -> tuple[float, float, float]:
    """(estimate, lower bound, upper bound) of what a `no_worse` claim says was lost, as shares of the samples."""
    low, high = claim.interval
    return 0.0 - claim.estimate, 0.0 - high, 0.0 - low


def is_informative(claim: Claim) -> bool:
    """Whether enough was seen for the interval to exclude anything: not with too few clusters or runs."""
    if claim.clusters is not None and claim.clusters.count < claim.clusters.needed:
        return False
    return math.isfinite(claim.interval[1])


def counts(claims: Sequence[Claim]) -> str:
    """How the claims came out, worst first: "one fails, two hold"."""
    words = {"fails": ("fails", "fail"), "undecided": ("is undecided", "are undecided"), "holds": ("holds", "hold")}
    tally = {verdict: sum(claim.verdict == verdict for claim in claims) for verdict in words}
    return ", ".join(f"{in_words(number)} {words[verdict][number > 1]}" for verdict, number in tally.items() if number)


def _measured(claim: Claim) -> str:
    if claim.kind == "accuracy_at_least":
        return _measured_share(claim)
    if claim.kind == "no_worse":
        return _measured_loss(claim)
    if claim.kind == "latency_below":
        return _measured_latency(claim)
    if claim.kind == "size_below":
        return f"Without its claims the file has {kilobytes(claim.estimate)}."
    return claim.statement


def _measured_share(claim: Claim) -> str:
    of = scale(claim.estimate)
    said = f"{in_hundred(claim.estimate, of=of, rounding='down')} were right, of {claim.n:,}"
    if not is_informative(claim):
        return f"{said}."
    low, high = claim.interval
    if claim.verdict == "fails":
        return f"{said}; {percent(claim.level)} sure of at most {in_hundred(high, of=of, rounding='up')}."
    return f"{said}; {percent(claim.level)} sure of at least {in_hundred(low, of=of, rounding='down')}."


def _measured_loss(claim: Claim) -> str:
    lost, least, most = loss(claim)
    of = scale(1 - abs(lost), 1 - abs(most))
    direction = "fewer" if lost > 0 else "more"
    rounding: Rounding = "up" if lost > 0 else "down"
    said = f"{in_hundred(abs(lost), of=of, rounding=rounding)} {direction} were right" if lost else "As many were right"
    if not is_informative(claim):
        return f"{said}, on {claim.n:,}."
    if claim.verdict == "fails":
        sure = f"at least {in_hundred(least, of=of, rounding='down')} fewer"
        return f"{said}, on {claim.n:,}; {percent(claim.level)} sure of {sure}."
    sure = f"at most {in_hundred(most, of=of, rounding='up')} fewer" if most > 0 else "no fewer"
    return f"{said}, on {claim.n:,}; {percent(claim.level)} sure of {sure}."


def _measured_latency(claim: Claim) -> str:
    high = claim.interval[1]
    said = f"{milliseconds(claim.estimate)} measured in {claim.n:,} runs"
    if claim.verdict == "fails":
        return f"{said}; {percent(claim.level)} sure that it is above {claim.bound:g} ms."
    return f"{said}." if math.isinf(high) else f"{said}; {percent(claim.level)} sure of at most {milliseconds(high)}."


def _allowance(claim: Claim) -> str:
    return f"At most {bound_in_hundred(-claim.bound)} fewer right" if claim.bound else "No fewer right"


def _other(claim: Claim) -> str:
    return f"with '{claim.than.name}'" if claim.than else "with the model before"


def _whom(claim: Claim) -> str:
    return f", for other {plural(claim.clusters.by)} too" if claim.clusters else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
