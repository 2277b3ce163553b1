"""How far answers lie from what was said: error rates of words, characters and phones; F1 of intents and of slots.

Knows texts and labels; knows no task, no file and no sound. Whether two systems differ is asked of `evidence`.
"""

from linnet.language.metrics.edits import Edit, align, plain
from linnet.language.metrics.labels import Counts, LabelReport, label_report
from linnet.language.metrics.rates import ErrorRates, compare, error_rates, oracle
from linnet.language.metrics.slots import SlotCounts, SlotReport, slot_report

__all__ = ["Counts", "Edit", "ErrorRates", "LabelReport", "SlotCounts", "SlotReport", "align", "compare",
           "error_rates", "label_report", "oracle", "plain", "slot_report"]
