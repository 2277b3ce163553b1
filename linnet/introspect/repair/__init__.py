"""From seeing to doing: what was found is taken out, relabelled, or handed to people; each step is written down.

A repair makes a new dataset and adds a step to its origin: `repairs` tells them, `undo` takes the last one back, and
`data.restore` repeats them. It knows no model and decides nothing: what to repair is in the Findings it is given.
"""

from linnet.introspect.repair.queue import read_queue, write_queue
from linnet.introspect.repair.steps import deduplicate, drop, relabel, repairs, undo

__all__ = ["deduplicate", "drop", "read_queue", "relabel", "repairs", "undo", "write_queue"]
