"""Thresholds that come with a promise: chosen on data so that a stated risk is kept.

`selective` says when to answer, `false_accept_threshold` when to accept a speaker, `learn_then_test` which choices of
any kind keep their risks, `conformal_risk` which one keeps a risk on average. This room knows losses, confidences and
scores of pairs; it knows no model and no task.
"""

from linnet.evidence.thresholds.conformal_risk import ConformalRisk, conformal_risk
from linnet.evidence.thresholds.learn_then_test import Certified, learn_then_test
from linnet.evidence.thresholds.operating_points import (
    GenuinePairs,
    ImpostorPairs,
    OperatingPoint,
    equal_error_rate,
    operating_points,
)
from linnet.evidence.thresholds.p_values import betting_p_value, binomial_p_value, hoeffding_bentkus_p_value
from linnet.evidence.thresholds.selective import Selective, selective
from linnet.evidence.thresholds.verification import (
    LARGEST_SPREAD,
    FalseAcceptThreshold,
    false_accept_threshold,
    false_reject_rate,
)

__all__ = [
    "LARGEST_SPREAD", "Certified", "ConformalRisk", "FalseAcceptThreshold", "GenuinePairs", "ImpostorPairs",
    "OperatingPoint", "Selective", "betting_p_value", "binomial_p_value", "conformal_risk", "equal_error_rate",
    "false_accept_threshold", "false_reject_rate", "hoeffding_bentkus_p_value", "learn_then_test", "operating_points",
    "selective",
]
