"""How many samples it takes to decide, before anything is trained or shown to anybody.

One look at the end: `samples_for_...`, each from the bound that the claim of that name uses. A sequence that is looked
at as it grows: `stopping_time_of_...`. This room knows shares, means and levels; no data and no model.
"""

from linnet.evidence.power.means import samples_for_mean, segments_for_word_error
from linnet.evidence.power.needed import Needed, smallest
from linnet.evidence.power.shares import runs_for_latency, samples_for_accuracy
from linnet.evidence.power.simulated import Clustering
from linnet.evidence.power.stopping import (
    StoppingTime,
    divergence,
    least_stopping_time,
    stopping_time,
    stopping_time_of_lift,
    stopping_time_of_mean,
)
from linnet.evidence.power.tables import samples_for_better, samples_for_no_worse, samples_for_two_shares

__all__ = ["Clustering", "Needed", "StoppingTime", "divergence", "least_stopping_time", "runs_for_latency",
           "samples_for_accuracy", "samples_for_better", "samples_for_mean", "samples_for_no_worse",
           "samples_for_two_shares", "segments_for_word_error", "smallest", "stopping_time", "stopping_time_of_lift",
           "stopping_time_of_mean"]
