"""Tracing: what one run of any module shows of its structure: which positions of which axes belong together.

Knows torch's operators; knows no family of networks and nothing of what is to be cut.
"""

from linnet.nn.tracing.tape import Cost, Step, Tape, record
from linnet.nn.tracing.units import Axis, Kind, Ledger

__all__ = ["Axis", "Cost", "Kind", "Ledger", "Step", "Tape", "record"]
