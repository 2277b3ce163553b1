"""Features: numbers that tell samples apart, which of them matter, and fewer of them."""

from linnet.introspect.features.descriptors import Described, describe
from linnet.introspect.features.projection import PROJECTIONS, project
from linnet.introspect.features.selection import METHODS, select

__all__ = ["METHODS", "PROJECTIONS", "Described", "describe", "project", "select"]
