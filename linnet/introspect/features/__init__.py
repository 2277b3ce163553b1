"""Features: numbers that tell samples apart, which of them matter, and fewer of them."""

from linnet.introspect.features.projection import PROJECTIONS, project

__all__ = ["PROJECTIONS", "project"]
