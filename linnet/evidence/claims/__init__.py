"""Claims: one sentence about one file, with everything it takes to check it again."""

from linnet.evidence.claims.bounds import (
    Size,
    Timing,
    accuracy_at_least,
    latency_below,
    mean_score_at_least,
    size_below,
)
from linnet.evidence.claims.claim import Claim, Clusters, OtherSide, canonical_json, claim_schema, verdict_of
from linnet.evidence.claims.comparisons import better, equivalent, no_worse
from linnet.evidence.claims.groups import accuracy_in_every_group
from linnet.evidence.claims.kinds import KINDS
from linnet.evidence.settings import Verdict

__all__ = ["KINDS", "Claim", "Clusters", "OtherSide", "Size", "Timing", "Verdict", "accuracy_at_least",
           "accuracy_in_every_group", "better", "canonical_json", "claim_schema", "equivalent", "latency_below",
           "mean_score_at_least", "no_worse", "size_below", "verdict_of"]
