"""Two sides held against each other: differences with an interval, and tests. Knows no file and no metric.

Paired (the same samples on both sides), two-sample (different ones), word error rates, and the forms for looking again
and again.
"""

from linnet.evidence.comparisons.equivalence import equivalence_p_value, equivalent
from linnet.evidence.comparisons.matched_pairs import MatchedPairs, Segments, matched_pairs, segments
from linnet.evidence.comparisons.means import paired_mean_difference, two_sample_mean_difference, welch_difference
from linnet.evidence.comparisons.paired import (
    clustered_difference,
    clustered_lower,
    paired_difference,
    paired_lower,
    paired_upper,
    score_lower,
)
from linnet.evidence.comparisons.permutation import mcnemar, permutation, sign_flip
from linnet.evidence.comparisons.sequential import (
    PairLooks,
    SequentialMcNemar,
    SequentialPairs,
    sequential_mcnemar,
    sequential_pairs,
)
from linnet.evidence.comparisons.two_sample import two_sample_difference, two_sample_lower, two_sample_upper

__all__ = ["MatchedPairs", "PairLooks", "Segments", "SequentialMcNemar", "SequentialPairs", "clustered_difference",
           "clustered_lower", "equivalence_p_value", "equivalent", "matched_pairs", "mcnemar", "paired_difference",
           "paired_lower", "paired_mean_difference", "paired_upper", "permutation", "score_lower", "segments",
           "sequential_mcnemar", "sequential_pairs", "sign_flip", "two_sample_difference", "two_sample_lower",
           "two_sample_mean_difference", "two_sample_upper", "welch_difference"]
