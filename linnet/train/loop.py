"""Training: the state of one training, an epoch at a time."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from linnet.data import Splits
from linnet.data.augment import Augment
from linnet.errors import LinnetError
from linnet.evidence import canonical_json
from linnet.nn import Model, soft
from linnet.progress import Progress
from linnet.tasks import Predictor, Task
from linnet.train import (
    checkpoint,
    devices,
    distributed,
    frames,
    loading,
    memory,
    mixing,
    optimizers,
    order,
    outsiders,
    swaps,
)
from linnet.train.averaging import Average
from linnet.train.compiling import compiled
from linnet.train.hints import Hints, listening
from linnet.train.loading import Batch, Maker, Stream
from linnet.train.losses import LOSSES, distillation, terms
from linnet.train.options import Options
from linnet.train.precision import computing, spare_front_ends
from linnet.train.samples import gather, varies
from linnet.train.schedules import SCHEDULES
from linnet.train.validation import Validation

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Wanted:
    """What `fit` was asked for."""

    model: Model
    task: Task
    data: Splits
    epochs: int
    seed: int
    teacher: Predictor | None
    augment: Augment
    options: Options


class Training:
    """The state of one training; every random number comes from (seed, epoch, batch), so an epoch can be repeated."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, options, task = wanted, wanted.options, wanted.task
        mixing.check(task, options)
        outsiders.check(task, options)
        loading.check(task, wanted.augment)
        loading.check_sounds(wanted.data, wanted.augment)
        self.group = distributed.join()
        self.device = devices.pick(options.device)
        train = wanted.data.train
        self.groups = order.groups_of(task, train, options.balance)
        samples = gather(task, train, cache=options.cache, workers=options.workers,
                         as_samples=bool(wanted.augment.steps or options.outsiders) and loading.changes_texts(task))
        self.rows, self.sizes = len(train), samples.sizes if varies(task) else None
        targets = task.targets(train)
        self.stream = Stream(Maker(task, samples, targets, wanted.augment, options, wanted.seed,
                                   swaps.pool(task, train, options)),
                             workers=options.workers, pinned=self.device.type == "cuda")
        self.validation = Validation(task, wanted.data.validation, options)
        self.module = _placed(copy.deepcopy(wanted.model.module), self.device)
        frames.check(task, self.module, train, samples, targets)
        frames.check(task, self.module, wanted.data.validation, self.validation.samples, self.validation.targets)
        self.group.share(self.module.state_dict().values())
        self.average = Average(self.module, options.ema) if options.ema else None
        for module in self._modules:
            if options.precision != "float32":
                spare_front_ends(module, self.device)
        self.hints = self._hints()
        self.network = compiled(self.module) if options.compile else self.module
        self.optimizers = optimizers.OPTIMIZERS[options.optimizer](self.module, options)
        if self.hints and list(self.hints.parameters()):
            self.optimizers = [*self.optimizers, *optimizers.OPTIMIZERS[options.optimizer](self.hints, options)]
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Tensor] = {}
        self.pieces = 1
        self.fingerprints = {part: getattr(wanted.data, part).fingerprint for part in ("train", "validation")}
        self.key = self._key()

    def _hints(self) -> Hints | None:
        """The teacher's layers, where they are to be learned from."""
        options, teacher = self.wanted.options, self.wanted.teacher
        if not (options.features or options.attention):
            return None
        if teacher is None:
            raise LinnetError("features and attention are learned from a teacher; give one, or set both to 0.")
        if options.compile:
            raise LinnetError("features and attention listen to layers, which a compiled network does not have; set "
                              "compile=False, or both to 0.")
        hints = Hints(self.wanted.model, teacher, options).to(self.device)
        hints.teacher.to(self.device)
        self.group.share(hints.state_dict().values())
        return hints

    @property
    def is_done(self) -> bool:
        """Whether all epochs have been, or patience is at its end."""
        patience = self.wanted.options.patience
        stale = len(self.history) - 1 - self.best_epoch if self.history else 0
        return len(self.history) >= self.wanted.epochs or (patience is not None and stale >= patience)

    @property
    def best_epoch(self) -> int:
        """The place of the epoch whose weights are kept."""
        losses = {place: row["validation_loss"] for place, row in enumerate(self.history) if row["settled"]}
        return min(losses, key=losses.__getitem__) if self.wanted.options.keep == "best" and losses else (
            len(self.history) - 1)

    @property
    def _modules(self) -> list[nn.Module]:
        return [self.module, *([self.average.module] if self.average else [])]

    def epoch(self, progress: Progress | None) -> None:
        """One pass over the training part, then one over validation."""
        number, start, losses, times = len(self.history), time.perf_counter(), [], []
        steps = self._steps(number)
        batches = self.stream.epoch(number, [batch for step in steps for batch in step])
        self.module.train()
        with _own_random_numbers():
            for place, step in enumerate(steps):
                begin, stalled = time.perf_counter(), self.stream.stalled_seconds
                held = list(islice(batches, len(step)))
                losses.append(self._step(number, number * len(steps) + place, len(steps), held))
                times.append(time.perf_counter() - begin - (self.stream.stalled_seconds - stalled))
                if progress and self.group.is_first:
                    progress(number * len(steps) + place + 1, self.wanted.epochs * len(steps), self._words())
        for module in self._modules:
            self.group.average_statistics(module)
        judged = self._modules[-1]
        loss, accuracy = self.group.agree(list(
            self.validation(judged, self.device) if self.group.is_first else (0.0, 0.0)))
        if not math.isfinite(loss):
            raise LinnetError(f"the loss on the validation part is {loss} after epoch {number + 1}: training diverged. "
                              f"Lower the learning rate ({self.wanted.options.peak_rate}).")
        settled = soft.is_settled(judged)
        lowest = min((row["validation_loss"] for row in self.history if row["settled"]), default=math.inf)
        if self.wanted.options.keep == "last" or not settled or loss < lowest:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in judged.state_dict().items()}
        # Last, so that a stop before this line finds no epoch whose weights were not kept.
        self.history.append({"epoch": number + 1, "train_loss": float(np.mean(losses)), "validation_loss": loss,
                             "validation_accuracy": accuracy, "settled": settled,
                             "learning_rate": self._rate(number + 1, len(steps)),
                             "seconds": time.perf_counter() - start, "stalled_seconds": self.stream.stalled_seconds,
                             "step_seconds": statistics.median(times),
                             "peak_memory_bytes": memory.peak_bytes(self.device)})

    def _steps(self, epoch: int) -> list[list[tuple[int, order.Rows]]]:
        """For each step of the epoch, the batches of this process: their places in the epoch and their rows."""
        found = order.batches(self.rows, self.wanted.options.batch, seed=self.wanted.seed, epoch=epoch,
                              groups=self.groups, lengths=self.sizes)
        numbered = list(enumerate(found))
        together = self.wanted.options.accumulate * self.group.size
        steps = [numbered[start : start + together] for start in range(0, len(numbered), together)]
        return [step[self.group.rank :: self.group.size] for step in steps]

    def _step(self, epoch: int, number: int, steps: int, batches: list[Batch]) -> float:
        """Learn from these batches; the mean loss over the batches of all processes."""
        options = self.wanted.options
        for module in self._modules:
            soft.advance(module, number / max(1, steps * self.wanted.epochs - 1))
        loss = self._gradients(epoch, batches)
        if not math.isfinite(loss):
            raise LinnetError(f"the loss became {loss} in epoch {epoch + 1}: training diverged. Lower the learning "
                              f"rate ({options.peak_rate}), or look for NaN in the data.")
        if options.optimizer == "sam":
            with optimizers.worst_neighbour(self.module):
                self._gradients(epoch, batches)
        if options.clip:
            nn.utils.clip_grad_norm_(self.module.parameters(), options.clip)
        share, momentum = SCHEDULES[options.schedule](number, steps * self.wanted.epochs)
        optimizers.set_rate(self.optimizers, options.peak_rate * share, momentum)
        for optimizer in self.optimizers:
            optimizer.step()
        if self.average:
            self.average.update(self.module, number)
        return loss

    def _rate(self, epochs: int, steps: int) -> float:
        options = self.wanted.options
        return options.peak_rate * SCHEDULES[options.schedule](epochs * steps, steps * self.wanted.epochs)[0]

    def _gradients(self, epoch: int, batches: list[Batch]) -> float:
        """The gradients of the mean loss over the batches of all processes, and that loss."""
        while True:
            try:
                loss, count = self._own_gradients(epoch, batches)
                break
            except Exception as error:
                if not memory.is_exhausted(error):
                    raise
                self._halve(max((len(batch.targets) for batch in batches), default=1), error)
        mean = torch.tensor([loss], device=self.device)
        trained = [parameter for part in (self.module, self.hints) if part is not None
                   for parameter in part.parameters() if parameter.requires_grad]
        if self.group.size > 1:
            for parameter in trained:
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            self.group.sum([mean, *(parameter.grad for parameter in trained if parameter.grad is not None)], count)
        return float(mean)

    def _own_gradients(self, epoch: int, batches: list[Batch]) -> tuple[float, float]:
        """The gradients of the mean loss over this process's batches, that loss, and over how many terms it is."""
        self.module.zero_grad()
        if self.hints:
            self.hints.zero_grad()
        pieces = [piece for batch in batches for piece in batch.pieces(self.pieces)]
        counts = [terms(self.wanted.task.loss, piece.targets) for piece in pieces]
        every, total = max(1, sum(counts)), 0.0
        for place, (piece, count) in enumerate(zip(pieces, counts, strict=True)):
            _seed(self.wanted.seed, epoch, piece.number, place if self.pieces > 1 else 0)
            loss = self._loss(piece) * (count / every)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total, float(sum(counts))

    def _halve(self, rows: int, error: Exception) -> None:
        self.module.zero_grad()
        memory.free(self.device)
        if self.pieces >= rows:
            raise LinnetError("the memory does not suffice for a single sample: take a smaller network or shorter "
                              f"samples, or another device ({str(error).splitlines()[0]}).") from error
        self.pieces *= 2
        log.warning("the memory does not suffice for a batch of %d: it is taken in pieces of %d whose gradients are "
                    "summed. That is the same step, but that batch normalisation sees one piece at a time. "
                    "batch=%d, accumulate=%d asks for the same from the start.", rows, -(-rows // self.pieces),
                    -(-rows // self.pieces), self.wanted.options.accumulate * self.pieces)

    def _loss(self, batch: Batch) -> Tensor:
        task, options = self.wanted.task, self.wanted.options
        inputs = {name: values.to(self.device, non_blocking=True) for name, values in batch.arrays.items()}
        targets = batch.targets.to(self.device)
        ordered = [inputs[name] for name in task.arrays]
        watched = self.hints.axes if self.hints else {}
        with computing(self.device, options.precision), listening(self.module, watched) as heard:
            outputs = self.network(*ordered)
        outputs = outputs.float()
        loss = LOSSES[task.loss](outputs, targets, options.label_smoothing, inputs)
        if batch.others is not None:
            other = LOSSES[task.loss](outputs, batch.others.to(self.device), options.label_smoothing, inputs)
            loss = batch.share * loss + (1 - batch.share) * other
        price = soft.penalty(self.module)
        loss = loss if price is None else loss + price
        if self.wanted.teacher is None:
            return loss
        if self.hints:
            with computing(self.device, options.precision):
                answers, taught = self.hints.answers(*ordered)
            hint = self.hints.loss(heard, taught)
        else:
            answers, hint = self._answers(self.wanted.teacher, batch), outputs.new_zeros(())
        self._check_answers(answers, outputs)
        pull = distillation(task.loss, outputs, answers, targets, options.temperature)
        return (1 - options.teacher_weight) * loss + options.teacher_weight * pull + hint

    def _answers(self, teacher: Predictor, batch: Batch) -> Tensor:
        given = teacher({name: values.numpy() for name, values in batch.arrays.items()})
        return torch.tensor(next(iter(given.values())), device=self.device)

    def _check_answers(self, answers: Tensor, outputs: Tensor) -> None:
        if answers.shape != outputs.shape:
            if answers.shape[:-1] == outputs.shape[:-1]:
                raise LinnetError(f"the teacher answers with {answers.shape[-1]} {self.wanted.task.output[0]} a sample,"
                                  f" the task has {outputs.shape[-1]} labels; give a teacher of the same task.")
            raise LinnetError(f"the teacher answers in the shape {tuple(answers.shape)}, the student in "
                              f"{tuple(outputs.shape)}; give a teacher of the same task and as many answers a second.")

    def _words(self) -> str:
        if not self.history:
            return f"epoch 1 of {self.wanted.epochs}"
        last = self.history[-1]
        waiting = last["stalled_seconds"] / max(last["seconds"], 1e-9)
        return (f"epoch {len(self.history) + 1} of {self.wanted.epochs}, loss {last['train_loss']:.2f}, "
                f"validation accuracy {last['validation_accuracy']:.3f}"
                + (f", {waiting:.0%} of the time waiting for data" if waiting > 0.1 else ""))

    def _key(self) -> str:
        wanted = self.wanted
        teacher = getattr(wanted.teacher, "identity", "unnamed") if wanted.teacher else None
        options = {name: value for name, value in asdict(wanted.options).items() if name not in ("workers", "cache")}
        facts = [wanted.model.identity, wanted.task.to_json(), *self.fingerprints.values(), wanted.epochs, wanted.seed,
                 teacher, wanted.augment.to_json(), options, self.group.size]
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Everything that `resume` needs."""
        if not self.group.is_first:
            return
        tensors = (checkpoint.prefixed("module.", self.module.state_dict()) | checkpoint.prefixed("best.", self.best)
                   | checkpoint.prefixed("moments.", optimizers.moments(self.optimizers)))
        if self.hints:
            tensors |= checkpoint.prefixed("hints.", self.hints.state_dict())
        if self.average:
            tensors |= checkpoint.prefixed("average.", self.average.module.state_dict())
        checkpoint.save(path, self.key, tensors, {"history": self.history, "pieces": self.pieces})

    def resume(self, path: Path) -> None:
        """Take up the state of the last finished epoch, if the checkpoint is of this very training."""
        found = checkpoint.load(path, self.key)
        epochs = len(found[1]["history"]) if found else 0
        if int(self.group.agree([epochs])[0]) != epochs:
            raise LinnetError(f"process {self.group.rank} finds another checkpoint in {path.parent} than the first "
                              "process: the folder must be the same for all of them.")
        if found is None:
            return
        tensors, state = found
        self.module.load_state_dict(checkpoint.without_prefix("module.", tensors))
        if self.hints:
            self.hints.load_state_dict(checkpoint.without_prefix("hints.", tensors))
        if self.average:
            self.average.module.load_state_dict(checkpoint.without_prefix("average.", tensors))
        self.best = checkpoint.without_prefix("best.", tensors)
        optimizers.remember(self.optimizers, checkpoint.without_prefix("moments.", tensors))
        self.history, self.pieces = state["history"], state["pieces"]
        log.info("resumed after epoch %d of %d.", len(self.history), self.wanted.epochs)

    def result(self, *, stopped: bool) -> Model:
        """The model with the kept weights, its history and the facts of its training."""
        wanted = self.wanted
        module = copy.deepcopy(wanted.model.module).cpu()
        module.load_state_dict(self.best)
        notes: dict[str, Any] = {"epochs": len(self.history), "kept_epoch": self.best_epoch + 1, "seed": wanted.seed,
                                 "augment": wanted.augment.to_json(), "options": asdict(wanted.options),
                                 "data": self.fingerprints}
        if "began" in wanted.model.notes:
            notes["began"] = wanted.model.notes["began"]
        if wanted.teacher:
            notes["teacher"] = getattr(wanted.teacher, "identity", "unnamed")
        if self.group.size > 1:
            notes["processes"] = self.group.size
        if self.pieces > 1:
            notes["pieces"] = f"each batch was taken in {self.pieces} pieces, because the memory did not suffice"
        if stopped:
            notes["stopped"] = f"by the user after epoch {len(self.history)} of {wanted.epochs}"
        return replace(wanted.model, module=module.eval(), history=tuple(self.history), notes=notes)


def _placed(module: nn.Module, device: torch.device) -> nn.Module:
    """On the device; channels last where it has convolutions over pictures, which are faster so."""
    module = module.to(device)
    if any(parameter.ndim == 4 for parameter in module.parameters()):
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def _seed(seed: int, epoch: int, batch: int, piece: int) -> None:
    """Dropout's random numbers, the same whichever process sees the batch."""
    torch.manual_seed(int(np.random.default_rng([seed, epoch, batch, piece]).integers(2**62)))


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """torch's global random state is as before afterwards."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield
