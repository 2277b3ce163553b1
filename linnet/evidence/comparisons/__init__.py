"""Two sides held against each other: differences with an interval, and tests."""

from linnet.evidence.comparisons.paired import (
    clustered_difference,
    paired_difference,
    paired_lower,
    paired_upper,
    score_lower,
)
from linnet.evidence.comparisons.permutation import mcnemar, sign_flip

__all__ = ["clustered_difference", "mcnemar", "paired_difference", "paired_lower", "paired_upper", "score_lower",
           "sign_flip"]
