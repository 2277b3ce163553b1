"""How sure we are: scores, intervals, claims and the ledger of looks.

This room knows numbers and words. It knows no dataset, no model and no file: what it speaks of comes in as an
identity (SHA-256) and a name.
"""

from linnet.evidence.bounds import Size, Timing, accuracy_at_least, latency_below, size_below
from linnet.evidence.claim import Claim, Clusters, OtherSide, Verdict, canonical_json, claim_schema, verdict_of
from linnet.evidence.comparisons import no_worse
from linnet.evidence.intervals import (
    MINIMUM_CLUSTERS,
    binomial,
    binomial_lower,
    binomial_upper,
    clustered_mean,
    quantile_lower,
    quantile_upper,
    runs_needed,
)
from linnet.evidence.kinds import KINDS
from linnet.evidence.ledger import Ledger, Look
from linnet.evidence.many import Difference, Seeds, compare, holm, mcnemar
from linnet.evidence.paired import clustered_difference, paired_difference, paired_lower, paired_upper
from linnet.evidence.scores import DataRef, Scores

__all__ = [
    "KINDS", "MINIMUM_CLUSTERS", "Claim", "Clusters", "DataRef", "Difference", "Ledger", "Look", "OtherSide", "Scores",
    "Seeds", "Size", "Timing", "Verdict", "accuracy_at_least", "binomial", "binomial_lower", "binomial_upper",
    "canonical_json", "claim_schema", "clustered_difference", "clustered_mean", "compare", "holm", "latency_below",
    "mcnemar", "no_worse",
    "paired_difference", "paired_lower", "paired_upper", "quantile_lower", "quantile_upper", "runs_needed",
    "size_below", "verdict_of",
]
