"""Has something changed? Alarms on a stream, with a stated time to a false one; tests of two samples; label shift.

With labels: `EDetector`. Without: `ConformalDetector` and `ConformalMartingale` on one score a sample (confidence,
distance to what is known), `LabelDetector` on predicted labels. This room knows numbers and labels, no model.
"""

from linnet.evidence.drift.conformal import conformal_p_values
from linnet.evidence.drift.distances import distance_to_nearest
from linnet.evidence.drift.e_detectors import EDetector, e_detector
from linnet.evidence.drift.label_shift import LabelShift, label_shift
from linnet.evidence.drift.labels import LabelDetector, labels_differ, labels_differ_from
from linnet.evidence.drift.martingales import ConformalDetector, ConformalMartingale, conformal_martingale
from linnet.evidence.drift.two_sample import TwoSample, energy_distance, maximum_mean_discrepancy

__all__ = ["ConformalDetector", "ConformalMartingale", "EDetector", "LabelDetector", "LabelShift", "TwoSample",
           "conformal_martingale", "conformal_p_values", "distance_to_nearest", "e_detector", "energy_distance",
           "label_shift", "labels_differ", "labels_differ_from", "maximum_mean_discrepancy"]
