"""From a trained model to a smaller one: a Plan says what changes, `apply` prepares, tunes and finishes.

Knows models, training, findings and files; `search` proposes plans, measures them and certifies one.
"""

from linnet.shrink.apply import apply
from linnet.shrink.grid import Cell, Point, Tuning, grid, points
from linnet.shrink.importance import plan_by_importance
from linnet.shrink.method import Materials, Method, Settings
from linnet.shrink.methods import METHODS, check
from linnet.shrink.plan import Plan, plan
from linnet.shrink.protect import protect
from linnet.shrink.search import search
from linnet.shrink.sensitivity import How, sensitivity

__all__ = ["METHODS", "Cell", "How", "Materials", "Method", "Plan", "Point", "Settings", "Tuning", "apply", "check",
           "grid", "plan", "plan_by_importance", "points", "protect", "search", "sensitivity"]
