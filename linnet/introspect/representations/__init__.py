"""Representations: what the units of a network's layers do, seen in their responses alone."""

from linnet.introspect.representations.pfa import pfa

__all__ = ["pfa"]
