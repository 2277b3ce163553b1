"""apply: change a model as a Plan says, tune it where the change needs it, and finish."""

from __future__ import annotations

import logging
from pathlib import Path

from linnet.data import Splits
from linnet.data.augment import Augment
from linnet.nn import Model
from linnet.progress import Progress
from linnet.shrink.method import Materials
from linnet.shrink.methods import METHODS, check
from linnet.shrink.plan import Plan
from linnet.tasks import Predictor, Task
from linnet.train import Options, fit

log = logging.getLogger("linnet")


def apply(plan: Plan, model: Model, task: Task, data: Splits, *, teacher: Predictor | None = None,
          epochs: int = 10, seed: int = 0, augment: Augment | str | None = None, options: Options | None = None,
          folder: str | Path | None = None, progress: Progress | None = None) -> Model:
    """The smaller model: prepared, tuned on `data.train` (with `teacher`, if given), calibrated, finished.

    A plan whose methods need no tuning is not tuned. The arguments from `teacher` on are those of `train.fit`. Raises
    LinnetError for a plan that changes nothing, or that names layers or channels which the model does not have.
    """
    wanted, materials = check(plan), Materials(task, data, seed)
    smaller = model
    for name, settings in wanted.items():
        smaller = METHODS[name].prepare(smaller, settings, materials)
    if any(METHODS[name].tunes(settings) for name, settings in wanted.items()):
        smaller = fit(smaller, task, data, epochs=epochs, seed=seed, teacher=teacher, augment=augment, options=options,
                      folder=folder, progress=progress)
    elif teacher is not None or augment is not None or options is not None:
        log.warning("this plan needs no tuning, so teacher, augment and options were not used.")
    for name, settings in wanted.items():
        smaller = METHODS[name].finish(smaller, settings, materials)
    return smaller
