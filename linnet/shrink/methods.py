"""What can be done to a model: each method prepares it before tuning and finishes it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from linnet.data import Dataset
from linnet.nn import Model, remove_channels
from linnet.shrink.plan import Plan
from linnet.tasks import Task

CALIBRATION_SAMPLES = 256


@dataclass(frozen=True)
class Method:
    """`wanted` reads the plan; `prepare` changes the model before tuning, `finish` after it."""

    summary: str
    wanted: Callable[[Plan], bool]
    prepare: Callable[[Model, Plan], Model]
    finish: Callable[[Model, Task, Dataset, int], Model]
    needs_tuning: bool


def _remove(model: Model, plan: Plan) -> Model:
    return remove_channels(model, plan.remove)


def _keep(model: Model, task: Task, train: Dataset, seed: int) -> Model:
    return model


def _calibrate(model: Model, task: Task, train: Dataset, seed: int) -> Model:
    """Attach training samples from which the writer reads the ranges of the activations."""
    rows = np.random.default_rng(seed).permutation(len(train))[:CALIBRATION_SAMPLES]
    samples = train.take(sorted(rows.tolist()))
    return replace(model, bits=8, calibration=dict(task.prepare(task.read(samples))))


METHODS: dict[str, Method] = {
    "remove_channels": Method(
        summary="removes whole channels, so that the network is smaller and faster on any engine",
        wanted=lambda plan: any(plan.remove.values()), prepare=_remove, finish=_keep, needs_tuning=True),
    "int8": Method(
        summary="weights and activations in 8 bits, ranges calibrated on training samples",
        wanted=lambda plan: plan.bits == 8, prepare=lambda model, plan: model, finish=_calibrate, needs_tuning=False),
}
