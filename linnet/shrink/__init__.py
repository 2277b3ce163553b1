"""From a trained model to a smaller one: a Plan says what changes, `apply` prepares, tunes and finishes.

Knows models, training and findings; knows nothing about files and engines.
"""

from linnet.shrink.apply import apply
from linnet.shrink.methods import METHODS, Method
from linnet.shrink.plan import Plan, plan

__all__ = ["METHODS", "Method", "Plan", "apply", "plan"]
