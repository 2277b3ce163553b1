"""Options: how to train, on one board of dials, checked when made."""

from __future__ import annotations

import numbers
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from linnet.errors import LinnetError, unknown

OPTIMIZER_DEFAULTS = {"adamw": (6e-3, 1e-2), "sgd": (0.1, 5e-4), "muon": (6e-3, 1e-2), "sam": (6e-3, 1e-2)}
"""Peak learning rate and weight decay of each optimizer where none is given."""
SCHEDULE_NAMES = ("one_cycle", "cosine", "constant")
_KINDS: dict[str, tuple[type, type, str]] = {
    "int": (numbers.Integral, int, "a whole number"), "float": (numbers.Real, float, "a number"),
    "bool": (bool, bool, "true or false"), "str": (str, str, "a name")}
_RANGES = {"batch": (1, 1 << 20), "label_smoothing": (0, 1), "teacher_weight": (0, 1), "threads": (1, 1 << 10),
           "ema": (0, 1), "mixup": (0, 100), "cutmix": (0, 100), "outsiders": (0, 0.5), "swaps": (0, 1),
           "accumulate": (1, 1 << 16), "clip": (0, 1e9), "workers": (0, 1 << 10),
           "features": (0, 1e4), "attention": (0, 1e6), "weight_decay": (0, 1e3), "learning_rate": (0, 10)}


@dataclass(frozen=True)
class Options:
    """How to train; the defaults are what worked best here for small networks."""

    learning_rate: float | None = None
    """The peak of the schedule; None takes 6e-3, or 0.1 for sgd. Lower it where the loss jumps or training diverges."""
    weight_decay: float | None = None
    """None takes 1e-2, or 5e-4 for sgd. Raise it where the training loss falls and the validation loss rises."""
    batch: int = 64
    """Samples that a process sees at once. Raise it on an accelerator until the memory is full."""
    label_smoothing: float = 0.1
    """Keeps a classifier from being too sure; 0 where its probabilities are to be believed as they are."""
    patience: int | None = None
    """Stop after so many epochs without a better validation loss; None trains to the end."""
    keep: str = "best"
    """"best": the weights with the lowest validation loss; "last": of the last epoch, where validation is tiny."""
    temperature: float = 2.0
    """Softens both answers in distillation; higher where the teacher is very sure."""
    teacher_weight: float = 0.7
    """Share of the distillation loss where there is a teacher; lower where the teacher is often wrong."""
    features: float = 0.0
    """Weight of the distance to the outputs of the teacher's layers (FitNets); 0.5 for a student of the same shape."""
    attention: float = 0.0
    """Weight of the distance to where the teacher's layers respond; 1 to 5; more drowns the labels."""
    device: str = "auto"
    """"cpu", "cuda" or "mps"; "auto" takes the fastest that is there."""
    threads: int = 1
    """torch's threads on the CPU. Small networks lose time with more, above all on a machine that is busy."""
    optimizer: str = "adamw"
    """"adamw"; "sgd" for long trainings on images; "muon" for transformers; "sam" for little data (twice as slow)."""
    schedule: str = "one_cycle"
    """"one_cycle"; "cosine" after a short warm-up, for tuning what is trained already; "constant" to try things out."""
    precision: str = "float32"
    """"bfloat16" computes in half the bits: for accelerators, and processors that have it; weights stay float32."""
    compile: bool = False
    """Let torch compile the network: minutes at the start, faster steps after it. Needs a C++ compiler."""
    ema: float = 0.0
    """Keep a running mean of the weights with this decay (0.999 for long trainings), and judge that; 0 keeps none."""
    mixup: float = 0.0
    """Blend pairs of samples, share drawn from Beta(mixup, mixup); 0.2 where a classifier learns by heart."""
    cutmix: float = 0.0
    """Put a piece of one image into another, share from Beta(cutmix, cutmix); 1.0 for long trainings on images."""
    outsiders: float = 0.0
    """Share of each batch whose texts become halves of two with different labels, out of scope; 0.2 with `reject`."""
    swaps: float = 0.0
    """Share of slots that get another value seen in slots of their label; 0.3 where values are names."""
    accumulate: int = 1
    """Batches whose gradients are summed before a step: a larger batch than fits into memory."""
    clip: float = 0.0
    """Largest norm of the gradient, 0 for none; 1.0 for recurrent networks and transformers."""
    balance: str | None = None
    """"target", or a label or group column: its values are drawn equally often. For rare classes or speakers."""
    workers: int = 0
    """Processes that decode and augment; 0 uses one thread. Raise it where the history's `stalled_seconds` are many."""
    cache: str = "auto"
    """"memory" keeps what is decoded, "none" decodes anew each epoch; "auto" keeps up to a quarter of the memory."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, of_kind(field.name, getattr(self, field.name), str(field.type)))
        _one_of("optimizer", self.optimizer, OPTIMIZER_DEFAULTS)
        _one_of("schedule", self.schedule, SCHEDULE_NAMES)
        _one_of("precision", self.precision, ("float32", "bfloat16"))
        _one_of("cache", self.cache, ("auto", "memory", "none"))
        if self.keep not in ("best", "last"):
            raise LinnetError(f'keep must be "best" or "last"; got {self.keep!r}.')
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise LinnetError(f"{name} must lie between {low} and {high}; got {value!r}.")
        if self.ema == 1:
            raise LinnetError("ema must be below 1, or the mean never moves; 0.999 is usual.")
        if not self.temperature > 0:
            raise LinnetError(f"temperature must be above 0; got {self.temperature!r}.")
        if self.patience is not None and self.patience < 1:
            raise LinnetError(f"patience must be at least 1 epoch, or None; got {self.patience!r}.")

    @property
    def peak_rate(self) -> float:
        """The learning rate that was given, or that of the optimizer."""
        return OPTIMIZER_DEFAULTS[self.optimizer][0] if self.learning_rate is None else self.learning_rate

    @property
    def decay(self) -> float:
        """The weight decay that was given, or that of the optimizer."""
        return OPTIMIZER_DEFAULTS[self.optimizer][1] if self.weight_decay is None else self.weight_decay


def of_kind(name: str, value: Any, kind: str) -> Any:
    """The value as plain Python, where it is of the kind: "int", "float", "bool" or "str", with " | None" for or none.

    >>> of_kind("clip", 1, "float")
    1.0
    """
    plain, _, none = kind.partition(" | ")
    if value is None and none:
        return None
    allowed, made, words = _KINDS[plain]
    if isinstance(value, allowed) and (plain == "bool" or not isinstance(value, bool)):
        return made(value)
    raise LinnetError(f"{name} must be {words}{' or None' if none else ''}; got {value!r}.")


def _one_of(name: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise unknown(name, str(value), known)
