"""Data health: what is in a dataset and wrong with it, whether it drifted, whether its order tells something.

`measure` takes a few numbers of every sample; `profile`, `drift` and `order` look at them. Nothing is learned here, and
no network is asked.
"""

from linnet.introspect.health.drift import TOGETHER, drift
from linnet.introspect.health.measures import Measures, measure
from linnet.introspect.health.order import LEAST_ROWS, order
from linnet.introspect.health.profile import affected, profile

__all__ = ["LEAST_ROWS", "TOGETHER", "Measures", "affected", "drift", "measure", "order", "profile"]
