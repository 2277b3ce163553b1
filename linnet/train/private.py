"""fit_privately: training whose result says little about any single sample (DP-SGD), with what it promises in the card.

Opacus counts the privacy and adds the noise (the extra `private`); the batches are drawn here.
"""

from __future__ import annotations

import copy
import logging
import math
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.evidence.settings import check_amount, check_between, check_seed
from linnet.nn import Model
from linnet.progress import Progress
from linnet.tasks import Task
from linnet.train import devices, optimizers, per_sample
from linnet.train.fit import threads
from linnet.train.losses import LOSSES
from linnet.train.options import Options, of_kind
from linnet.train.samples import Samples, gather
from linnet.train.schedules import SCHEDULES
from linnet.train.validation import Validation

log = logging.getLogger("linnet")

_PIECE = 512
"""So many samples at once have gradients of their own."""
_HONOURED = ("learning_rate", "weight_decay", "batch", "device", "threads", "optimizer", "schedule", "keep", "cache",
             "label_smoothing", "workers")
_LOSSES = ("cross_entropy", "binary_cross_entropy", "earth_mover", "huber", "ctc")


@dataclass(frozen=True)
class Budget:
    """How much the result may say about one sample: (epsilon, delta) of differential privacy, adding or removing it."""

    epsilon: float = 8.0
    """How far the odds that somebody was there may move: by at most exp(epsilon)."""
    delta: float | None = None
    """The chance that this fails; None takes a tenth of one in the number of samples."""
    clip: float = 1.0
    """The largest norm of one sample's gradient."""

    def __post_init__(self) -> None:
        check_amount("epsilon", self.epsilon)
        check_amount("clip", self.clip)
        if self.delta is not None:
            check_between("delta", self.delta)


def fit_privately(model: Model, task: Task, data: Splits, *, budget: Budget | None = None, epochs: int = 60,
                  seed: int | None = None, options: Options | None = None, progress: Progress | None = None) -> Model:
    """Train a copy of `model` on `data.train` so that no single sample shows in it beyond the `budget`.

    Every step draws each sample by chance (Poisson sampling; `options.batch` of them on average), clips its gradient
    and adds noise; the accountant of Opacus finds the noise that spends the budget over all steps. `notes["privacy"]`
    says epsilon, delta and what they do not cover, and reaches the card of the file. Options None takes half of the
    samples a step, plain SGD and no smoothing: large batches and few steps are what works.

    `seed` None draws from the system's randomness, as the promise wants; with a number the run can be repeated, and who
    knows it can take the noise away again, which the notes say. The history holds losses of validation only, because
    those of training would tell. It does not resume; Ctrl-C ends it without a model.

    Source: Abadi et al., Deep learning with differential privacy, CCS 2016; Yousefpour et al., Opacus, 2021,
    arXiv:2109.12298; accounting by Gopi, Lee and Wutschitz, Numerical composition of differential privacy, 2021, or by
    Renyi divergences (Mironov 2017) where a batch is all samples.
    Not covered: the choice of settings by trying many; labels' names and scales that the task read from the data;
    calibration samples of an int8 file (give others); several samples of one person (the unit is one sample).

    Raises LinnetError for batch normalisation (`nn.with_group_norm`), networks in which samples see each other or whose
    gradients Opacus gets wrong, options that it cannot honour, and models that learned from private data before.
    """
    budget, options = budget or Budget(), options or _usual(len(data.train))
    epochs = of_kind("epochs", epochs, "int")
    if epochs < 1:
        raise LinnetError(f"epochs must be at least 1; got {epochs}.")
    _check(model, task, data, options)
    if budget.delta is not None and budget.delta * len(data.train) >= 1:
        raise LinnetError(f"a delta of {budget.delta:g} would allow giving one of {len(data.train)} samples away; "
                          "expected one below one in the number of samples (None takes a tenth of that).")
    if seed is not None:
        check_seed(seed)
    per_sample.opacus()
    with threads(options.threads):
        run = _Private(model, task, data, budget, epochs, seed, options)
        for epoch in range(epochs):
            run.epoch(epoch, progress)
    return run.result()


class _Private:
    """The state of one private training."""

    def __init__(self, model: Model, task: Task, data: Splits, budget: Budget, epochs: int, seed: int | None,
                 options: Options) -> None:
        self.model, self.task, self.options, self.epochs, self.seed = model, task, options, epochs, seed
        self.rows, self.clip = len(data.train), budget.clip
        self.delta = 0.1 / self.rows if budget.delta is None else budget.delta
        self.rate = min(1.0, options.batch / self.rows)
        self.steps_an_epoch = max(1, round(1 / self.rate))
        self.spending = per_sample.Spending(self.delta, self.rate, epochs * self.steps_an_epoch)
        self.noise = self.spending.noise(budget.epsilon)
        start = secrets.randbits(62) if seed is None else seed
        self.rng, self.generator = np.random.default_rng(start), torch.Generator().manual_seed(start + 1)
        self.device = devices.pick(options.device)
        self.samples: Samples = gather(task, data.train, cache=options.cache, workers=options.workers)
        self.targets = task.targets(data.train)
        self.validation = Validation(task, data.validation, options)
        self.fingerprint = data.validation.fingerprint
        self.module = copy.deepcopy(model.module).to(self.device)
        self.module.train()
        per_sample.check_gradients(self.module, self._loss, *self._batch(np.arange(min(4, self.rows))))
        self.network = per_sample.wrapped(self.module)
        self.optimizer = per_sample.opacus().optimizers.DPOptimizer(
            optimizers.OPTIMIZERS[options.optimizer](self.module, options)[0], noise_multiplier=self.noise,
            max_grad_norm=self.clip, expected_batch_size=self.rate * self.rows, generator=self.generator)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}

    def epoch(self, number: int, progress: Progress | None) -> None:
        """As many steps as see every sample once on average, then one look at validation."""
        steps = self.steps_an_epoch
        self.module.train()
        for place in range(number * steps, (number + 1) * steps):
            share, momentum = SCHEDULES[self.options.schedule](place, steps * self.epochs)
            optimizers.set_rate([self.optimizer.original_optimizer], self.options.peak_rate * share, momentum)
            self._step(np.flatnonzero(self.rng.random(self.rows) < self.rate))
            if progress:
                progress(place + 1, steps * self.epochs, f"epoch {number + 1} of {self.epochs}")
        loss, accuracy = self.validation(self.module, self.device)
        if not math.isfinite(loss):
            raise LinnetError(f"the loss on the validation part is {loss} after epoch {number + 1}: training diverged. "
                              f"Lower the learning rate ({self.options.peak_rate}).")
        lowest = min((row["validation_loss"] for row in self.history), default=math.inf)
        if self.options.keep == "last" or loss < lowest:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.module.state_dict().items()}
        self.history.append({"epoch": number + 1, "validation_loss": loss, "validation_accuracy": accuracy})

    def _step(self, rows: np.ndarray[Any, Any]) -> None:
        """Clip, sum, add noise, go; a batch by chance empty is noise alone."""
        pieces = [rows[start : start + _PIECE] for start in range(0, len(rows), _PIECE)] or [rows]
        for place, piece in enumerate(pieces):
            self.optimizer.zero_grad()
            self.optimizer.signal_skip_step(do_skip=place < len(pieces) - 1)
            if len(piece):
                inputs, targets = self._batch(piece)
                per_sample.backward(self._loss(self.network(*inputs), targets, inputs))
            else:
                for parameter in self.optimizer.params:
                    parameter.grad_sample = parameter.new_zeros((0, *parameter.shape))
            self.optimizer.step()
        self.optimizer.zero_grad()

    def _batch(self, rows: np.ndarray[Any, Any]) -> tuple[list[Tensor], Tensor]:
        arrays = self.samples.arrays(rows)
        inputs = [torch.from_numpy(np.ascontiguousarray(arrays[name])).to(self.device) for name in self.task.arrays]
        return inputs, torch.from_numpy(self.targets[rows]).to(self.device)

    def _loss(self, outputs: Tensor, targets: Tensor, inputs: list[Tensor]) -> Tensor:
        named = dict(zip(self.task.arrays, inputs, strict=True))
        return LOSSES[self.task.loss](outputs.float(), targets, self.options.label_smoothing, named)

    def result(self) -> Model:
        """The model with the kept weights; nothing in it was made of the training samples without noise."""
        module = copy.deepcopy(self.model.module).cpu()
        module.load_state_dict(self.best)
        seen = "drawn from the system" if self.seed is None else (
            "from a stated seed: who knows the seed can take the noise away again")
        privacy = {"epsilon": self.spending.epsilon(self.noise), "delta": self.delta,
                   "unit": "one sample, added or removed", "samples": self.rows, "noise_multiplier": self.noise,
                   "clip": self.clip, "sampling_rate": self.rate, "steps": self.spending.steps,
                   "accountant": self.spending.accountant, "randomness": seen,
                   "not_covered": ["choosing settings by trying many", "names of labels and scales of the task",
                                   "calibration samples of an int8 file", "several samples of one person"]}
        notes = {"epochs": self.epochs, "options": asdict(self.options), "privacy": privacy,
                 "data": {"validation": self.fingerprint}}
        return replace(self.model, module=module.eval(), calibration=None, history=tuple(self.history), notes=notes)


def _usual(rows: int) -> Options:
    return Options(learning_rate=0.5, weight_decay=0.0, batch=max(1, rows // 2), optimizer="sgd", schedule="constant",
                   label_smoothing=0.0, keep="last")


def _check(model: Model, task: Task, data: Splits, options: Options) -> None:
    refused = [name for name, value in asdict(Options()).items()
               if name not in _HONOURED and getattr(options, name) != value]
    if refused:
        raise LinnetError(f"private training cannot honour {', '.join(refused)}: they mix samples, or look at them "
                          f"without noise. It takes {', '.join(sorted(_HONOURED))}.")
    if options.optimizer not in ("sgd", "adamw"):
        raise LinnetError(f"private training takes the optimizers sgd and adamw; got {options.optimizer}.")
    if task.loss not in _LOSSES:
        raise LinnetError(f"private training needs one loss a sample; the task '{task.kind}' has one a position.")
    if "privacy" in model.notes or data.train.fingerprint in model.notes.get("data", {}).values():
        raise LinnetError("the model has learned from private data before, so the budget would not be the whole of "
                          "what it tells; start from fresh weights, or from a model trained on other data.")
    norms = [name for name, part in model.module.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if norms:
        raise LinnetError(f"batch normalisation ({norms[0]}) mixes the samples of a batch, so that no sample has a "
                          "gradient of its own; give nn.with_group_norm(model), or a family without it (mlp).")
