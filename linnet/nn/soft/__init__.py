"""Differentiable compression: modules that stand for a weight or an activation while a network is tuned.

Each is usable alone, as a parametrization of a weight (`torch.nn.utils.parametrize`) or around an activation. Knows
torch and mathematics; knows nothing about plans, tasks and files.
"""

from linnet.nn.soft.schedule import Scheduled, advance, is_settled, penalty

__all__ = ["Scheduled", "advance", "is_settled", "penalty"]
