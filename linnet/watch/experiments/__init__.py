"""Experiments on people who use it: a plan, a table of what happened, and what it shows at every look.

This room counts and adds up, in the database where the table lies; what the sums show is said by `linnet.evidence`.
It knows no torch, no model and no file that ships, and nothing leaves the machine.
"""

from linnet.watch.experiments.analysis import EXIT_CODES, Analysis, Assignment, Outcome, Track
from linnet.watch.experiments.plan import Experiment, Metric
from linnet.watch.experiments.planning import Power, Stopping, power
from linnet.watch.experiments.replay import FalsePositives, SelfTest, selftest
from linnet.watch.experiments.verdicts import analyse

__all__ = ["EXIT_CODES", "Analysis", "Assignment", "Experiment", "FalsePositives", "Metric", "Outcome", "Power",
           "SelfTest", "Stopping", "Track", "analyse", "power", "selftest"]
