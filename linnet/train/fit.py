"""fit: train a model on a task, keep the best on validation, resume after a stop to the same weights."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.lr_scheduler import OneCycleLR

from linnet.data import Splits
from linnet.data.augment import PRESETS, Augment, generator
from linnet.errors import LinnetError, unknown
from linnet.evidence import canonical_json
from linnet.nn import Model
from linnet.tasks import Arrays, Predictor, Task
from linnet.train import checkpoint, devices
from linnet.train.losses import LOSSES, distillation

log = logging.getLogger("linnet")
Progress = Callable[[int, int, str], None]
Batch = tuple[Arrays, NDArray[np.int64]]


@dataclass(frozen=True)
class Options:
    """How to train; the defaults are what worked best here for small networks."""

    learning_rate: float = 6e-3
    """The peak of the one-cycle schedule (Smith and Topin 2019)."""
    weight_decay: float = 1e-2
    batch: int = 64
    label_smoothing: float = 0.1
    patience: int | None = None
    """Stop after so many epochs without a better validation loss; None trains to the end."""
    keep: str = "best"
    """"best": the weights with the lowest validation loss; "last": those of the last epoch."""
    temperature: float = 2.0
    """Softens both answers in distillation."""
    teacher_weight: float = 0.7
    """Share of the distillation loss where there is a teacher."""
    device: str = "auto"
    threads: int = 1
    """torch's threads on the CPU. Small networks lose time with more, above all on a machine that is busy."""

    def __post_init__(self) -> None:
        if self.keep not in ("best", "last"):
            raise LinnetError(f'keep must be "best" or "last"; got {self.keep!r}.')
        for name, low, high in (("learning_rate", 0, 10), ("batch", 1, 1 << 20), ("label_smoothing", 0, 1),
                                ("teacher_weight", 0, 1), ("threads", 1, 1 << 10)):
            if not low <= getattr(self, name) <= high:
                raise LinnetError(f"{name} must lie between {low} and {high}; got {getattr(self, name)!r}.")
        if not self.weight_decay >= 0:
            raise LinnetError(f"weight_decay must be at least 0; got {self.weight_decay!r}.")
        if not self.temperature > 0:
            raise LinnetError(f"temperature must be above 0; got {self.temperature!r}.")
        if self.patience is not None and self.patience < 1:
            raise LinnetError(f"patience must be at least 1 epoch, or None; got {self.patience!r}.")


def fit(model: Model, task: Task, data: Splits, *, epochs: int = 30, seed: int = 0,
        teacher: Predictor | None = None, augment: Augment | str | None = None, options: Options | None = None,
        folder: str | Path | None = None, progress: Progress | None = None) -> Model:
    """Train a copy of `model` on `data.train` and keep the weights that `data.validation` likes best.

    `teacher` is any Predictor whose logits the student imitates on the same augmented batches. `augment` is an
    `Augment`, the name of a preset, or None. With `folder`, the state is written there after each epoch, and a training
    that was stopped or killed resumes to the very weights that it would have reached. Ctrl-C returns the best so far;
    `notes["stopped"]` says so. Raises LinnetError where the loss is not finite.
    """
    if epochs < 1:
        raise LinnetError(f"epochs must be at least 1; got {epochs}.")
    run = _Training(model, task, data, epochs, seed, teacher, augmentation(augment), options or Options())
    path = Path(folder) / "checkpoint.safetensors" if folder else None
    if path:
        run.resume(path)
    try:
        with _threads(run.options.threads):
            while not run.is_done:
                run.epoch(progress)
                if path:
                    run.save(path)
    except KeyboardInterrupt:
        if not run.history:
            raise
        log.warning("stopped at epoch %d of %d; the best weights so far are kept.", len(run.history), epochs)
        return run.result(stopped=True)
    return run.result(stopped=False)


class _Training:
    """The state of one training; every random number comes from (seed, epoch, batch), so an epoch can be repeated."""

    def __init__(self, model: Model, task: Task, data: Splits, epochs: int, seed: int, teacher: Predictor | None,
                 augment: Augment, options: Options) -> None:
        self.start, self.task, self.epochs, self.seed = model, task, epochs, seed
        self.teacher, self.augment, self.options = teacher, augment, options
        self.device = devices.pick(options.device)
        self.train = task.prepare(task.read(data.train)), task.targets(data.train)
        self.validation = task.prepare(task.read(data.validation)), task.targets(data.validation)
        self.module = copy.deepcopy(model.module).to(self.device)
        self.module = self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), lr=options.learning_rate)
        self.steps = math.ceil(len(self.train[1]) / options.batch)
        self.schedule = OneCycleLR(self.optimizer, options.learning_rate, total_steps=epochs * self.steps + 1)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.fingerprints = {"train": data.train.fingerprint, "validation": data.validation.fingerprint}
        self.key = self._key()

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Weight decay on the weights of convolutions and linear layers only, not on biases and normalisation."""
        parameters = [p for p in self.module.parameters() if p.requires_grad]
        return [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.options.weight_decay},
                {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}]

    def _key(self) -> str:
        teacher = getattr(self.teacher, "identity", "unnamed") if self.teacher else None
        facts = [self.start.identity, self.task.to_json(), *self.fingerprints.values(),
                 self.epochs, self.seed, teacher, self.augment.to_json(), asdict(self.options)]
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()

    @property
    def is_done(self) -> bool:
        patience = self.options.patience
        stale = len(self.history) - 1 - self.best_epoch if self.history else 0
        return len(self.history) >= self.epochs or (patience is not None and stale >= patience)

    @property
    def best_epoch(self) -> int:
        losses = [row["validation_loss"] for row in self.history]
        return losses.index(min(losses)) if self.options.keep == "best" else len(losses) - 1

    def epoch(self, progress: Progress | None) -> None:
        """One pass over the training part, then one over validation."""
        number, start, losses = len(self.history), time.perf_counter(), []
        self.module.train()
        with _seeded(self.seed, number):
            for batch, (arrays, targets) in enumerate(self._batches(number)):
                losses.append(self._step(arrays, targets))
                if progress:
                    progress(number * self.steps + batch + 1, self.epochs * self.steps, self._words())
        loss, accuracy = self._validate()
        lowest = min((row["validation_loss"] for row in self.history), default=math.inf)
        if self.options.keep == "last" or loss < lowest:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.module.state_dict().items()}
        # Last, so that a stop before this line finds no epoch whose weights were not kept.
        self.history.append({"epoch": number + 1, "train_loss": float(np.mean(losses)), "validation_loss": loss,
                             "validation_accuracy": accuracy, "learning_rate": self.schedule.get_last_lr()[0],
                             "seconds": time.perf_counter() - start})

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """The epoch's batches; the next one is made while the network learns from the last."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.train[1]))
        size = self.options.batch
        rows = [order[start : start + size] for start in range(0, len(order), size)]
        if len(rows[-1]) == 1 < len(rows):  # one row alone has no batch statistics
            rows.pop()
        with ThreadPoolExecutor(1) as worker:
            following = worker.submit(self._batch, epoch, 0, rows[0])
            for number in range(1, len(rows) + 1):
                batch = following.result()
                if number < len(rows):
                    following = worker.submit(self._batch, epoch, number, rows[number])
                yield batch

    def _batch(self, epoch: int, number: int, rows: NDArray[np.int64]) -> Batch:
        arrays, targets = self.train
        rng = generator(seed=self.seed, epoch=epoch, batch=number)
        rate = getattr(self.task, "sample_rate_hz", None)
        return {name: self.augment(values[rows], rate, rng) for name, values in arrays.items()}, targets[rows]

    def _step(self, arrays: Arrays, targets: NDArray[np.int64]) -> float:
        logits = self._forward(self.module, arrays)
        loss = LOSSES[self.task.loss](logits, torch.from_numpy(targets).to(self.device), self.options.label_smoothing,
                                      {name: torch.from_numpy(values) for name, values in arrays.items()})
        if self.teacher:
            answers = torch.tensor(next(iter(self.teacher(arrays).values())), device=self.device)
            if answers.shape != logits.shape:
                raise LinnetError(f"the teacher answers with {answers.shape[-1]} logits a sample, the task has "
                                  f"{logits.shape[-1]} labels; give a teacher of the same task.")
            weight = self.options.teacher_weight
            loss = (1 - weight) * loss + weight * distillation(logits, answers, self.options.temperature)
        if not torch.isfinite(loss):
            raise LinnetError(f"the loss became {loss.item()} in epoch {len(self.history) + 1}: training diverged. "
                              f"Lower the learning rate ({self.options.learning_rate}), or look for NaN in the data.")
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        return float(loss.item())

    def _forward(self, module: torch.nn.Module, arrays: Arrays) -> torch.Tensor:
        inputs = (torch.from_numpy(np.ascontiguousarray(arrays[name])).to(self.device) for name in self.task.arrays)
        logits: torch.Tensor = module(*inputs)
        return logits

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        arrays, targets = self.validation
        module = self.module.eval()
        parts = [{name: values[start : start + 256] for name, values in arrays.items()}
                 for start in range(0, len(targets), 256)]
        logits = torch.cat([self._forward(module, part).cpu() for part in parts])
        wanted = torch.from_numpy(targets)
        accuracy = (logits.argmax(dim=1) == wanted).double().mean()
        return float(LOSSES[self.task.loss](logits, wanted, 0.0, {})), float(accuracy)

    def _words(self) -> str:
        if not self.history:
            return f"epoch 1 of {self.epochs}"
        last = self.history[-1]
        return (f"epoch {len(self.history) + 1} of {self.epochs}, loss {last['train_loss']:.2f}, "
                f"validation accuracy {last['validation_accuracy']:.3f}")

    def save(self, path: Path) -> None:
        """Everything that `resume` needs."""
        saved = self.optimizer.state_dict()
        moments = {f"{number}.{name}": value for number, values in saved["state"].items()
                   for name, value in values.items()}
        tensors = (checkpoint.prefixed("module.", self.module.state_dict()) | checkpoint.prefixed("best.", self.best)
                   | checkpoint.prefixed("moments.", moments))
        state = {"history": self.history, "groups": saved["param_groups"], "schedule": self.schedule.state_dict()}
        checkpoint.save(path, self.key, tensors, state)

    def resume(self, path: Path) -> None:
        """Take up the state of the last finished epoch, if the checkpoint is of this very training."""
        found = checkpoint.load(path, self.key)
        if found is None:
            return
        tensors, state = found
        self.module.load_state_dict(checkpoint.without_prefix("module.", tensors))
        self.best = checkpoint.without_prefix("best.", tensors)
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in checkpoint.without_prefix("moments.", tensors).items():
            number, field = name.split(".")
            moments.setdefault(int(number), {})[field] = tensor
        self.optimizer.load_state_dict({"state": moments, "param_groups": state["groups"]})
        self.schedule.load_state_dict(state["schedule"])
        self.history = state["history"]
        log.info("resumed after epoch %d of %d.", len(self.history), self.epochs)

    def result(self, *, stopped: bool) -> Model:
        """The model with the kept weights, its history and the facts of its training."""
        module = copy.deepcopy(self.start.module).cpu()
        module.load_state_dict(self.best)
        notes: dict[str, Any] = {"epochs": len(self.history), "kept_epoch": self.best_epoch + 1, "seed": self.seed,
                                 "augment": self.augment.to_json(), "options": asdict(self.options),
                                 "data": self.fingerprints}
        if self.teacher:
            notes["teacher"] = getattr(self.teacher, "identity", "unnamed")
        if stopped:
            notes["stopped"] = f"by the user after epoch {len(self.history)} of {self.epochs}"
        return replace(self.start, module=module.eval(), history=tuple(self.history), notes=notes)


def augmentation(wanted: Augment | str | None) -> Augment:
    """The augmentation itself, by its name, or one without steps."""
    if isinstance(wanted, str):
        if wanted not in PRESETS:
            raise unknown("augmentation", wanted, PRESETS)
        return PRESETS[wanted]
    return wanted or Augment([])


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """torch with so many threads; as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _seeded(seed: int, epoch: int) -> Iterator[None]:
    """Dropout's random numbers, fixed for the epoch; the global state is as before afterwards."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(int(np.random.default_rng([seed, epoch]).integers(2**62)))
        yield
