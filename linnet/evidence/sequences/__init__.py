"""Sequences: intervals and evidence that hold at every moment one looks, however often, and whenever one stops."""
