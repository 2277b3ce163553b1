"""Slices: which samples are answered worse than the rest, found on one half and confirmed on the other.

Knows scores, columns and feature vectors; no network and no file. The statistics are those of `evidence.many`.
"""

from linnet.introspect.slices.find import slices

__all__ = ["slices"]
