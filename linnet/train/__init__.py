"""Training: one loop, losses by name, checkpoints that survive a kill, distillation from any Predictor.

Knows models and tasks; knows nothing about compression or files that ship.
"""

from linnet.train.fit import augmentation, fit
from linnet.train.folds import OutOfFold, out_of_fold
from linnet.train.losses import LOSSES
from linnet.train.optimizers import OPTIMIZERS
from linnet.train.options import Options
from linnet.train.private import Budget, fit_privately
from linnet.train.schedules import SCHEDULES

__all__ = ["LOSSES", "OPTIMIZERS", "SCHEDULES", "Budget", "Options", "OutOfFold", "augmentation", "fit",
           "fit_privately", "out_of_fold"]
