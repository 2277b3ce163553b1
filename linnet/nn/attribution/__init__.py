"""Attribution: which pixels, moments, bands or tokens speak for the answer that a network gives.

Maps are made here, where gradients are; whether they may be believed is judged in
`introspect.attribution`, from arrays alone.
"""

from linnet.nn.attribution.attribute import attribute
from linnet.nn.attribution.attributions import Attributions, Piece
from linnet.nn.attribution.explain import Explanation, explained, randomised
from linnet.nn.attribution.methods import METHODS, Method

__all__ = ["METHODS", "Attributions", "Explanation", "Method", "Piece", "attribute", "explained", "randomised"]
