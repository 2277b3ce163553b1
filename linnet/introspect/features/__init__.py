"""Features: numbers that tell samples apart, which of them matter, and fewer of them."""

from linnet.introspect.features.descriptors import Described, describe
from linnet.introspect.features.projection import PROJECTIONS, project
from linnet.introspect.features.selection import SELECTIONS, select

__all__ = ["PROJECTIONS", "SELECTIONS", "Described", "describe", "project", "select"]
