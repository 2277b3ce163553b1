"""From a trained model to a smaller one: a Plan says what changes, `apply` prepares, tunes and finishes.

Knows models, training, findings and files; `search` proposes plans, measures them and certifies one.
"""

from linnet.shrink.apply import apply
from linnet.shrink.method import Materials, Method, Settings
from linnet.shrink.methods import METHODS, check
from linnet.shrink.plan import Plan, plan
from linnet.shrink.protect import protect
from linnet.shrink.search import search
from linnet.shrink.sensitivity import sensitivity

__all__ = ["METHODS", "Materials", "Method", "Plan", "Settings", "apply", "check", "plan", "protect", "search",
           "sensitivity"]
