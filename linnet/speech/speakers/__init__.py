"""Who speaks: what to compare voices by, how sure a comparison is, and which turns of a call are whose.

Arrays in, figures out: voices are rows (recordings, size), made by a network or by the statistics of this room.
"""

from linnet.speech.speakers.calibration import Calibration
from linnet.speech.speakers.figures import actual_cost, equal_error_rate, interval, log_ratio_cost, minimum_cost
from linnet.speech.speakers.normalisation import adaptive_s_norm, s_norm
from linnet.speech.speakers.plda import Plda, similarities
from linnet.speech.speakers.statistics import cepstra, statistics
from linnet.speech.speakers.templates import Template, enrol
from linnet.speech.speakers.trials import Trials, all_pairs
from linnet.speech.speakers.turns import Turn, diarization_error, two_party

__all__ = ["Calibration", "Plda", "Template", "Trials", "Turn", "actual_cost", "adaptive_s_norm", "all_pairs",
           "cepstra", "diarization_error", "enrol", "equal_error_rate", "interval", "log_ratio_cost", "minimum_cost",
           "s_norm", "similarities", "statistics", "two_party"]
