"""fit: train a model on a task, keep the best on validation, resume after a stop to the same weights."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from linnet.data import Splits
from linnet.data.augment import PRESETS, Augment
from linnet.errors import LinnetError, unknown
from linnet.nn import Model
from linnet.progress import Progress
from linnet.tasks import Predictor, Task
from linnet.train.loop import Training, Wanted
from linnet.train.options import Options, of_kind

__all__ = ["Options", "Progress", "augmentation", "fit"]
log = logging.getLogger("linnet")
Steps = Sequence[Mapping[str, Any]]
"""An augmentation as JSON."""


def fit(model: Model, task: Task, data: Splits, *, epochs: int = 30, seed: int = 0,
        teacher: Predictor | None = None, augment: Augment | str | Steps | None = None, options: Options | None = None,
        folder: str | Path | None = None, progress: Progress | None = None) -> Model:
    """Train a copy of `model` on `data.train` and keep the weights that `data.validation` likes best.

    `teacher` is any Predictor whose logits the student imitates on the same augmented batches. `augment` is an
    `Augment`, the name of a preset, steps as a recipe writes them ([{"step": "gain"}]), or None. With `folder`, the
    state is written there after each epoch, and a training that was stopped or killed resumes to the very weights that
    it would have reached. Ctrl-C returns the best so far; `notes["stopped"]` says so. Raises LinnetError where the loss
    is not finite.
    """
    epochs, seed = of_kind("epochs", epochs, "int"), of_kind("seed", seed, "int")
    if epochs < 1:
        raise LinnetError(f"epochs must be at least 1; got {epochs}.")
    if seed < 0:
        raise LinnetError(f"seed must be at least 0; got {seed}.")
    wanted = Wanted(model, task, data, epochs, seed, teacher, augmentation(augment), options or Options())
    with threads(wanted.options.threads):
        run = Training(wanted)
    path = Path(folder) / "checkpoint.safetensors" if folder else None
    if path:
        run.resume(path)
    try:
        with threads(wanted.options.threads):
            while not run.is_done:
                run.epoch(progress)
                if path:
                    run.save(path)
    except KeyboardInterrupt:
        if not run.history:
            raise
        log.warning("stopped at epoch %d of %d; the best weights so far are kept.", len(run.history), epochs)
        return run.result(stopped=True)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise LinnetError(f"a process that makes batches ended ({str(error).splitlines()[0]}). Where the memory did "
                          "not suffice, take fewer workers or a smaller batch.") from error
    finally:
        run.stream.close()
    return run.result(stopped=False)


def augmentation(wanted: Augment | str | Steps | None) -> Augment:
    """The augmentation itself, by its name or from its JSON, or one without steps."""
    if isinstance(wanted, str):
        if wanted not in PRESETS:
            raise unknown("augmentation", wanted, PRESETS)
        return PRESETS[wanted]
    if isinstance(wanted, list | tuple):
        return Augment.from_json(wanted)
    if wanted is None or isinstance(wanted, Augment):
        return wanted or Augment([])
    raise LinnetError("augment is the name of a preset, an Augment, or a list of steps [{'step': 'gain'}]; "
                      f"got {wanted!r:.100}.")


@contextmanager
def threads(number: int) -> Iterator[None]:
    """torch with so many threads; as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
