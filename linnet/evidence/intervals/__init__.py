"""Intervals that hold at the one moment when they are looked at. For repeated looks, see `sequences`.

Exact ones hold for every n: `binomial`, `betting`, `empirical_bernstein`, the quantiles. Approximate ones (`wilson`,
`clustered_mean`, `bootstrap`) say nothing below the size from which simulation shows that they hold. Every interval is
`(low, high)` at a two-sided level; the bounds named lower and upper are one-sided.
"""

from linnet.evidence.intervals import bootstrap
from linnet.evidence.intervals.approximate import MINIMUM_COUNT, wilson
from linnet.evidence.intervals.bernstein import empirical_bernstein
from linnet.evidence.intervals.bets import betting
from linnet.evidence.intervals.clusters import (
    ENOUGH_RARE_ANSWERS,
    MINIMUM_CLUSTERS,
    ClusterSpread,
    cluster_spread,
    clustered_mean,
    independent_rows,
    t_adjusted,
)
from linnet.evidence.intervals.proportions import beta_lower, binomial, binomial_lower, binomial_upper
from linnet.evidence.intervals.quantiles import quantile_lower, quantile_upper, runs_needed

__all__ = [
    "ENOUGH_RARE_ANSWERS", "MINIMUM_CLUSTERS", "MINIMUM_COUNT", "ClusterSpread", "beta_lower", "betting", "binomial",
    "binomial_lower", "binomial_upper", "bootstrap", "cluster_spread", "clustered_mean", "empirical_bernstein",
    "independent_rows", "quantile_lower", "quantile_upper", "runs_needed", "t_adjusted", "wilson",
]
