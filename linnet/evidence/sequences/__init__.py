"""Sequences: intervals and evidence that hold at every moment one looks, however often, and whenever one stops."""

from linnet.evidence.sequences.asymptotic import MINIMUM_UNITS, MINIMUM_WORTH, AsymptoticMean, asymptotic
from linnet.evidence.sequences.balanced_bets import DifferencePrior, difference_prior
from linnet.evidence.sequences.bounded import BoundedMean, bounded_mean
from linnet.evidence.sequences.difference import Difference, difference
from linnet.evidence.sequences.estimates import Estimate, Moments, adjusted, moments, units_worth
from linnet.evidence.sequences.lift import Lift, LiftPrior, lift, lift_prior
from linnet.evidence.sequences.looks import Looks, running
from linnet.evidence.sequences.proportion import Proportion, proportion
from linnet.evidence.sequences.ratios import adjusted_means, ratio_moments
from linnet.evidence.sequences.relative import relative
from linnet.evidence.sequences.sample_ratio import SampleRatio, sample_ratio

__all__ = ["MINIMUM_UNITS", "MINIMUM_WORTH", "AsymptoticMean", "BoundedMean", "Difference", "DifferencePrior",
           "Estimate", "Lift", "LiftPrior", "Looks", "Moments", "Proportion", "SampleRatio", "adjusted",
           "adjusted_means", "asymptotic", "bounded_mean", "difference", "difference_prior", "lift", "lift_prior",
           "moments", "proportion", "ratio_moments", "relative", "running", "sample_ratio", "units_worth"]
