"""Training: one loop, losses by name, checkpoints that survive a kill, distillation from any Predictor.

Knows models and tasks; knows nothing about compression or files that ship.
"""

from linnet.train.fit import Options, augmentation, fit
from linnet.train.losses import LOSSES

__all__ = ["LOSSES", "Options", "augmentation", "fit"]
