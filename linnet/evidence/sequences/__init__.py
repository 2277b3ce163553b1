"""Sequences: intervals and evidence that hold at every moment one looks, however often, and whenever one stops."""

from linnet.evidence.sequences.asymptotic import MINIMUM_UNITS, AsymptoticMean, asymptotic
from linnet.evidence.sequences.difference import Difference, difference
from linnet.evidence.sequences.lift import Lift, LiftPrior, lift, lift_prior
from linnet.evidence.sequences.looks import Looks, running
from linnet.evidence.sequences.proportion import Proportion, proportion
from linnet.evidence.sequences.sample_ratio import SampleRatio, sample_ratio

__all__ = ["MINIMUM_UNITS", "AsymptoticMean", "Difference", "Lift", "LiftPrior", "Looks", "Proportion", "SampleRatio",
           "asymptotic", "difference", "lift", "lift_prior", "proportion", "running", "sample_ratio"]
