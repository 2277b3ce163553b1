"""Claims in plain words: what was asked, what was found, and what that means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from linnet.evidence import Claim
from linnet.report.counting import (
    Rounding,
    bound_in_hundred,
    counted,
    in_hundred,
    in_words,
    kilobytes,
    milliseconds,
    percent,
    plural,
    scale,
    share,
)

SAID = {"holds": "Holds", "fails": "Fails", "undecided": "Undecided"}
MARKS = {"holds": "✓", "fails": "✕", "undecided": "?"}


def asked(claim: Claim) -> str:
    """What the claim states, in plain words; a kind that is not known here in its own."""
    return _ASKED[claim.kind](claim) if claim.kind in _ASKED else claim.statement


def found(claim: Claim) -> str:
    """What was measured and how sure that is; what earlier files cost it; what would decide an undecided claim."""
    measured = _MEASURED[claim.kind](claim) if claim.kind in _MEASURED else claim.statement
    return " ".join(part for part in (measured, paid(claim), _sentence(claim.reason or "")) if part)


def paid(claim: Claim) -> str:
    """What the files that were held against the same data before cost this claim; "" for the first of them."""
    if claim.tested_level is None or claim.looks is None or claim.looks < 2:
        return ""
    return (f"{counted(claim.looks - 1, 'file').capitalize()} had been held against these data before: to keep "
            f"{percent(claim.level)} over all of them, this one had to show it at {100 * claim.tested_level:.5g} %.")


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


def _measured_share(claim: Claim) -> str:
    of = scale(claim.estimate)
    said = f"{in_hundred(claim.estimate, of=of, rounding='down')} were right, of {claim.n:,}"
    if not is_informative(claim):
        return f"{said}."
    low, high = claim.interval
    if claim.verdict == "fails":
        return f"{said}; {percent(claim.level)} sure of at most {in_hundred(high, of=of, rounding='up')}."
    return f"{said}; {percent(claim.level)} sure of at least {in_hundred(low, of=of, rounding='down')}."


def _measured_groups(claim: Claim) -> str:
    of = scale(claim.estimate)
    said = f"{in_hundred(claim.estimate, of=of, rounding='down')} were right in the group that is served worst"
    low, high = claim.interval
    if claim.verdict == "fails":
        return (f"{said}, of {claim.n:,} in all; {percent(claim.level)} sure that a group has at most "
                f"{in_hundred(high, of=of, rounding='up')}.")
    if not is_informative(claim):
        return f"{said}, of {claim.n:,} in all."
    return (f"{said}, of {claim.n:,} in all; {percent(claim.level)} sure that each has at least "
            f"{in_hundred(low, of=of, rounding='down')}.")


def _measured_mean(claim: Claim) -> str:
    of = scale(claim.estimate)
    said = f"{in_hundred(claim.estimate, of=of, rounding='down')} on average, of {claim.n:,}"
    if not is_informative(claim):
        return f"{said}."
    low, high = claim.interval
    sure = f"at most {in_hundred(high, of=of, rounding='up')}" if claim.verdict == "fails" \
        else f"at least {in_hundred(low, of=of, rounding='down')}"
    return f"{said}; {percent(claim.level)} sure of {sure}."


def _measured_loss(claim: Claim) -> str:
    lost, least, most = loss(claim)
    of = scale(1 - abs(lost), 1 - abs(most))
    said = _difference(claim, lost, of, "up" if lost > 0 else "down")
    if not is_informative(claim):
        return f"{said}, on {claim.n:,}."
    sure = _at_best(claim, least, of) if claim.verdict == "fails" else _at_worst(claim, most, of)
    return f"{said}, on {claim.n:,}; {percent(claim.level)} sure of {sure}."


def _measured_between(claim: Claim) -> str:
    lost, least, most = loss(claim)
    of = scale(1 - abs(lost), 1 - abs(most), 1 - abs(least))
    said = _difference(claim, lost, of, "nearest")
    if not is_informative(claim):
        return f"{said}, on {claim.n:,}."
    return (f"{said}, on {claim.n:,}; {percent(claim.level)} sure of {_at_worst(claim, most, of)}, and as sure of "
            f"{_at_best(claim, least, of)}.")


def _difference(claim: Claim, lost: float, of: int, rounding: Rounding) -> str:
    """What was seen of the difference, the unit being right answers or a graded score."""
    end = "on average" if _is_graded(claim) else "were right"
    if not lost:
        return f"{'The same' if _is_graded(claim) else 'As many'} {end}"
    return f"{in_hundred(abs(lost), of=of, rounding=rounding)} {_less(claim) if lost > 0 else _more(claim)} {end}"


def _at_worst(claim: Claim, most: float, of: int) -> str:
    """The end of the interval that is the worse one for the file."""
    if most > 0:
        return f"at most {in_hundred(most, of=of, rounding='up')} {_less(claim)}"
    if claim.kind == "better" and share(-most, of=of, rounding="down"):
        return f"at least {in_hundred(-most, of=of, rounding='down')} {_more(claim)}"
    return f"no {_less(claim)}"


def _at_best(claim: Claim, least: float, of: int) -> str:
    """The end of the interval that is the better one for the file."""
    if least > 0:
        return f"at least {in_hundred(least, of=of, rounding='down')} {_less(claim)}"
    return f"at most {in_hundred(-least, of=of, rounding='up')} {_more(claim)}"


def _is_graded(claim: Claim) -> bool:
    return claim.unit == "score"


def _less(claim: Claim) -> str:
    return "lower" if _is_graded(claim) else "fewer"


def _more(claim: Claim) -> str:
    return "higher" if _is_graded(claim) else "more"


def _right(claim: Claim) -> str:
    return " on average" if _is_graded(claim) else " right"


def _measured_latency(claim: Claim) -> str:
    high = claim.interval[1]
    said = f"{milliseconds(claim.estimate)} measured in {claim.n:,} runs"
    if claim.verdict == "fails":
        return f"{said}; {percent(claim.level)} sure that it is above {claim.bound:g} ms."
    return f"{said}." if math.isinf(high) else f"{said}; {percent(claim.level)} sure of at most {milliseconds(high)}."


def _allowance(claim: Claim) -> str:
    return f"{f'At most {bound_in_hundred(-claim.bound)}' if claim.bound else 'No'} {_less(claim)}{_right(claim)}"


def _other(claim: Claim) -> str:
    return f"with '{claim.than.name}'" if claim.than else "with the model before"


def _whom(claim: Claim) -> str:
    return f", for other {plural(claim.clusters.by)} too" if claim.clusters else ""


def _sentence(text: str) -> str:
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _asked_latency(claim: Claim) -> str:
    quantile = bound_in_hundred(float(claim.settings.get("quantile", 0.95))).replace(" in ", " of ")
    return f"{quantile} answers within {claim.bound:g} ms"


def _asked_better(claim: Claim) -> str:
    by = f"More than {bound_in_hundred(claim.bound)} {_more(claim)}" if claim.bound else _more(claim).capitalize()
    return f"{by}{_right(claim)} than {_other(claim)}{_whom(claim)}"


def _asked_equivalent(claim: Claim) -> str:
    limit = f"Less than {bound_in_hundred(claim.bound)} {_more(claim)} or {_less(claim)}"
    return f"{limit}{_right(claim)} than {_other(claim)}{_whom(claim)}"


_ASKED: dict[str, Callable[[Claim], str]] = {
    "accuracy_at_least": lambda claim: f"At least {bound_in_hundred(claim.bound)} answered correctly{_whom(claim)}",
    "accuracy_in_every_group": lambda claim: (
        f"At least {bound_in_hundred(claim.bound)} answered correctly in each group by {claim.settings.get('by')}"
        f"{_whom(claim)}"),
    "mean_score_at_least": lambda claim: f"At least {bound_in_hundred(claim.bound)} on average{_whom(claim)}",
    "no_worse": lambda claim: f"{_allowance(claim)} than {_other(claim)}{_whom(claim)}",
    "better": _asked_better,
    "equivalent": _asked_equivalent,
    "latency_below": _asked_latency,
    "size_below": lambda claim: f"At most {claim.bound:g} KB",
}

_MEASURED: dict[str, Callable[[Claim], str]] = {
    "accuracy_at_least": _measured_share,
    "accuracy_in_every_group": _measured_groups,
    "mean_score_at_least": _measured_mean,
    "no_worse": _measured_loss,
    "better": _measured_loss,
    "equivalent": _measured_between,
    "latency_below": _measured_latency,
    "size_below": lambda claim: f"Without its claims the file has {kilobytes(claim.estimate)}.",
}
