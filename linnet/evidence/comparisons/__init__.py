"""Two sides held against each other: differences with an interval, and tests. Knows no file and no metric.

Paired (the same samples on both sides), two-sample (different ones), word error rates, and the forms for looking again
and again.
"""

from linnet.evidence.comparisons.paired import (
    clustered_difference,
    paired_difference,
    paired_lower,
    paired_upper,
    score_lower,
)
from linnet.evidence.comparisons.permutation import mcnemar, permutation, sign_flip
from linnet.evidence.comparisons.two_sample import two_sample_difference, two_sample_lower, two_sample_upper

__all__ = ["clustered_difference", "mcnemar", "paired_difference", "paired_lower", "paired_upper", "permutation",
           "score_lower", "sign_flip", "two_sample_difference", "two_sample_lower", "two_sample_upper"]
