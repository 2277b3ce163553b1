"""Every kind of claim by its name, in plain sight: KINDS[claim.kind](measured, **claim.settings) asks again."""

from __future__ import annotations

from collections.abc import Callable

from linnet.evidence.claims.bounds import accuracy_at_least, latency_below, mean_score_at_least, size_below
from linnet.evidence.claims.claim import Claim
from linnet.evidence.claims.comparisons import better, equivalent, no_worse
from linnet.evidence.claims.groups import accuracy_in_every_group

KINDS: dict[str, Callable[..., Claim]] = {
    "accuracy_at_least": accuracy_at_least,
    "accuracy_in_every_group": accuracy_in_every_group,
    "mean_score_at_least": mean_score_at_least,
    "no_worse": no_worse,
    "better": better,
    "equivalent": equivalent,
    "latency_below": latency_below,
    "size_below": size_below,
}
