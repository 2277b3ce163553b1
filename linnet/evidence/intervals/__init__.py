"""Intervals that hold at the one moment when they are looked at. For repeated looks, see `sequences`."""

from linnet.evidence.intervals.clusters import (
           MINIMUM_CLUSTERS,
           ClusterSpread,
           cluster_spread,
           clustered_mean,
           t_adjusted,
)
from linnet.evidence.intervals.proportions import beta_lower, binomial, binomial_lower, binomial_upper
from linnet.evidence.intervals.quantiles import quantile_lower, quantile_upper, runs_needed

__all__ = ["MINIMUM_CLUSTERS", "ClusterSpread", "beta_lower", "binomial", "binomial_lower", "binomial_upper",
           "cluster_spread", "clustered_mean", "quantile_lower", "quantile_upper", "runs_needed", "t_adjusted"]
