"""Representations: what the units of a network's layers do, seen in their responses alone."""

from linnet.introspect.representations.concepts import concept, responding_units
from linnet.introspect.representations.moments import Moments
from linnet.introspect.representations.pfa import pfa
from linnet.introspect.representations.principal import Principal, principal
from linnet.introspect.representations.probes import probe
from linnet.introspect.representations.silence import inactive
from linnet.introspect.representations.similarity import cka

__all__ = ["Moments", "Principal", "cka", "concept", "inactive", "pfa", "principal", "probe", "responding_units"]
