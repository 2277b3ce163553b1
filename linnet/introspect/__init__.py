"""What is in there: arrays and scores in, Findings out.

This room knows no network and no file. Looks change nothing; what to do about a finding is decided in a Plan, by
people, or by a repair, which makes a new dataset and says so.
"""

from linnet.introspect import attribution
from linnet.introspect.confusions import confusions
from linnet.introspect.duplicates import leakage, near_duplicates
from linnet.introspect.features import PROJECTIONS, SELECTIONS, Described, describe, project, select
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.foreign import out_of_distribution
from linnet.introspect.forgetting import forgetting, forgetting_claims
from linnet.introspect.health import affected, drift, order, profile
from linnet.introspect.labels import label_issues
from linnet.introspect.privacy import extraction, losses_of, membership, traces
from linnet.introspect.redundancy import redundancy
from linnet.introspect.repair import deduplicate, drop, read_queue, relabel, repairs, undo, write_queue
from linnet.introspect.representations import (
    Moments,
    Principal,
    cka,
    concept,
    inactive,
    pfa,
    principal,
    probe,
    responding_units,
)
from linnet.introspect.slices import slices

__all__ = ["PROJECTIONS", "SELECTIONS", "Described", "Finding", "Findings", "Moments", "Principal", "affected",
           "attribution", "cka", "concept", "confusions", "deduplicate", "describe", "drift", "drop", "extraction",
           "forgetting", "forgetting_claims", "inactive", "label_issues", "leakage", "losses_of", "membership",
           "near_duplicates", "order", "out_of_distribution", "pfa", "principal", "probe", "profile", "project",
           "read_queue", "redundancy", "relabel", "repairs", "responding_units", "select", "slices", "traces", "undo",
           "write_queue"]
