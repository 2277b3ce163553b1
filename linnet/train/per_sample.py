"""What private training takes from Opacus: gradients a sample, the noise for a budget, and what was spent.

Opacus is imported when it is asked for. Its gradients are compared with those of samples alone before
anything is trained.
"""

from __future__ import annotations

import copy
import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError, missing_extra

_AGREES = 1e-3
Loss = Callable[[Tensor, Tensor, list[Tensor]], Tensor]
"""Of outputs, targets and input arrays."""


def opacus() -> Any:
    """The package; LinnetError where it is not installed."""
    try:
        for name in ("opacus.accountants.utils", "opacus.optimizers"):
            importlib.import_module(name)
        return importlib.import_module("opacus")
    except ImportError:
        raise missing_extra("opacus", "private") from None


@dataclass(frozen=True)
class Spending:
    """How the budget goes: steps in which each sample takes part with a probability of `rate`."""

    delta: float
    rate: float
    steps: int

    @property
    def accountant(self) -> str:
        """Numerical composition; Renyi divergences where all samples take part in every step."""
        return "prv" if self.rate < 1 else "rdp"

    def noise(self, epsilon: float) -> float:
        """What spends epsilon, in clipped gradients: the standard deviation added to each number of their sum."""
        try:
            with _quiet():
                return float(opacus().accountants.utils.get_noise_multiplier(
                    target_epsilon=epsilon, target_delta=self.delta, sample_rate=self.rate, steps=self.steps,
                    accountant=self.accountant))
        except ValueError as error:
            raise LinnetError(f"no noise keeps epsilon {epsilon:g} at delta {self.delta:g} over {self.steps} steps "
                              f"({error}); allow a larger epsilon, or take fewer epochs.") from error

    def epsilon(self, noise: float) -> float:
        """What this noise spends."""
        counted = opacus().accountants.create_accountant(mechanism=self.accountant)
        counted.history = [(noise, self.rate, self.steps)]
        with _quiet():
            return float(counted.get_epsilon(delta=self.delta))


def wrapped(module: nn.Module) -> nn.Module:
    """With gradients a sample. Opacus 1.6 reads the inputs of convolutions as if the channels came first in memory."""
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            part.register_forward_pre_hook(lambda _, inputs: tuple(values.contiguous() for values in inputs))
    network: nn.Module = opacus().GradSampleModule(module)
    return network


def backward(loss: Tensor) -> None:
    """Gradients a sample of this loss."""
    with _quiet():
        loss.backward()  # type: ignore[no-untyped-call]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's words on hooks of a layer whose input is data, and Opacus's on noises that it only tries."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Full backward hook is firing")
        warnings.filterwarnings("ignore", message="Optimal order is the")
        yield


def check_gradients(module: nn.Module, loss_of: Loss, inputs: list[Tensor], targets: Tensor) -> None:
    """Raises LinnetError where a sample's gradient by Opacus is not that of the sample alone; without dropout."""
    together, alone = _without_dropout(module), _without_dropout(module)
    try:
        backward(loss_of(wrapped(together)(*inputs), targets, inputs))
        found = [getattr(parameter, "grad_sample", None) for parameter in _trained(together).values()]
    except (NotImplementedError, RuntimeError, AttributeError, ValueError) as error:
        raise _refused(f"Opacus cannot compute a gradient a sample ({str(error).splitlines()[0]:.200}).") from error
    for row in range(len(targets)):
        one = [values[row : row + 1] for values in inputs]
        alone.zero_grad()
        loss_of(alone(*one), targets[row : row + 1], one).backward()  # type: ignore[no-untyped-call]
        for (name, parameter), samples in zip(_trained(alone).items(), found, strict=True):
            wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            if samples is None or (samples[row] - wanted).norm() > _AGREES * (wanted.norm() + _AGREES):
                raise _refused(f"the gradient of one sample at {name} is not that of the sample alone: the samples "
                               "of a batch see each other there, or Opacus does not know the layer.")


def _without_dropout(module: nn.Module) -> nn.Module:
    copied = copy.deepcopy(module).train()
    for part in copied.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return copied


def _trained(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def _refused(why: str) -> LinnetError:
    return LinnetError(f"{why} Take another family, such as mlp, or a convolutional one with nn.with_group_norm.")
