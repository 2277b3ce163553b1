"""How sure we are: scores, the claims that rest on them, the ledger of looks, and the statistics behind all of it.

This room knows numbers and words. It knows no dataset, no model and no file: what it speaks of comes in as an
identity (SHA-256) and a name. Claims and nouns have their names here; procedures in their rooms: `intervals`,
`sequences`, `comparisons`, `many`, `thresholds`, `power`, `drift`. docs/evidence.md leads to the right one.
"""

from linnet.evidence import comparisons, drift, intervals, many, power, sequences, thresholds
from linnet.evidence.claims import (
    KINDS,
    Claim,
    Clusters,
    OtherSide,
    Size,
    Timing,
    Verdict,
    accuracy_at_least,
    accuracy_in_every_group,
    better,
    canonical_json,
    claim_schema,
    equivalent,
    latency_below,
    mean_score_at_least,
    no_worse,
    size_below,
    verdict_of,
)
from linnet.evidence.ledger import Ledger, Look
from linnet.evidence.scores import DataRef, Scores

__all__ = [
    "KINDS", "Claim", "Clusters", "DataRef", "Ledger", "Look", "OtherSide", "Scores", "Size", "Timing", "Verdict",
    "accuracy_at_least", "accuracy_in_every_group", "better", "canonical_json", "claim_schema", "comparisons",
    "drift", "equivalent", "intervals", "latency_below", "many", "mean_score_at_least", "no_worse", "power",
    "sequences", "size_below", "thresholds", "verdict_of",
]
