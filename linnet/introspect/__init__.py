"""What is in there: arrays and scores in, Findings out.

This room knows no network and no file; it changes nothing. What to do about a finding is decided in a Plan.
"""

from linnet.introspect.confusions import confusions
from linnet.introspect.features import PROJECTIONS, project
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.health import affected, drift, order, profile
from linnet.introspect.redundancy import redundancy
from linnet.introspect.representations import pfa
from linnet.introspect.slices import slices

__all__ = ["PROJECTIONS", "Finding", "Findings", "affected", "confusions", "drift", "order", "pfa", "profile",
           "project", "redundancy", "slices"]
