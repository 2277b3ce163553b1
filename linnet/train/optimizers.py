"""Optimizers by name, made for a network; what they have in common is torch's own interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Muon, Optimizer

from linnet.train.options import Options

Parameters = Mapping[str, nn.Parameter]
Maker = Callable[[nn.Module, Options], list[Optimizer]]
_SHARPNESS_RADIUS = 0.05


def adamw(module: nn.Module, options: Options) -> list[Optimizer]:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), on weights only: not biases or normalisation."""
    return [AdamW(_groups(_trained(module), options.decay), lr=options.peak_rate)]


def sgd(module: nn.Module, options: Options) -> list[Optimizer]:
    """Stochastic gradient descent with Nesterov's momentum; weight decay on weights only."""
    return [SGD(_groups(_trained(module), options.decay), lr=options.peak_rate, momentum=0.9, nesterov=True)]


def muon(module: nn.Module, options: Options) -> list[Optimizer]:
    """Orthogonalised momentum (Jordan et al. 2024) for matrices and convolutions, AdamW for all the rest.

    The rest are embeddings, the head, normalisation, biases, and convolutions within a channel. Steps are scaled to
    the size of AdamW's (Liu et al. 2025, arXiv:2502.16982), so that both share one learning rate.
    """
    trained = _trained(module)
    apart = {f"{name}.weight" for name, part in module.named_modules()
             if isinstance(part, nn.Embedding) or name.split(".")[0] == "head"}
    matrices = {name: parameter for name, parameter in trained.items()
                if parameter.ndim > 1 and parameter.shape[1] > 1 and name not in apart}
    rest = {name: parameter for name, parameter in trained.items() if name not in matrices}
    made: list[Optimizer] = []
    if matrices:
        made.append(_flattened_muon(list(matrices.values()), options))
    if rest:
        made.append(AdamW(_groups(rest, options.decay), lr=options.peak_rate))
    return made


OPTIMIZERS: dict[str, Maker] = {"adamw": adamw, "sgd": sgd, "muon": muon, "sam": adamw}
"""By name. "sam" is AdamW whose gradients `worst_neighbour` makes: Training takes them there."""


@contextmanager
def worst_neighbour(module: nn.Module) -> Iterator[None]:
    """Inside, the weights stand where the loss is worst nearby, along the gradients; afterwards where they stood.

    Sharpness-aware minimisation (Foret et al. 2021, arXiv:2010.01412), radius 0.05. Running statistics are kept.
    """
    moved = [parameter for parameter in module.parameters() if parameter.grad is not None]
    gradients = [parameter.grad for parameter in moved if parameter.grad is not None]
    before = [parameter.detach().clone() for parameter in moved]
    buffers = [buffer.clone() for buffer in module.buffers()]
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm().clamp(min=1e-12)
    with torch.no_grad():
        for parameter, gradient in zip(moved, gradients, strict=True):
            parameter.add_(gradient * (_SHARPNESS_RADIUS / norm))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, old in zip(moved, before, strict=True):
                parameter.copy_(old)
            for buffer, old in zip(module.buffers(), buffers, strict=True):
                buffer.copy_(old)


def set_rate(optimizers: list[Optimizer], rate: float, momentum: float | None) -> None:
    """The learning rate of the next step, and the momentum where the schedule moves it."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
            if momentum is not None and isinstance(optimizer, AdamW):
                group["betas"] = (momentum, group["betas"][1])
            elif momentum is not None and isinstance(optimizer, SGD):
                group["momentum"] = momentum


def moments(optimizers: list[Optimizer]) -> dict[str, Tensor]:
    """What the optimizers remember, by "<optimizer>.<parameter>.<name>"."""
    return {f"{place}.{number}.{name}": value for place, optimizer in enumerate(optimizers)
            for number, values in optimizer.state_dict()["state"].items()
            for name, value in values.items() if isinstance(value, Tensor)}


def remember(optimizers: list[Optimizer], saved: Mapping[str, Tensor]) -> None:
    """Take up what `moments` gave."""
    for place, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in saved.items():
            of, number, field = name.split(".")
            if int(of) == place:
                state.setdefault(int(number), {})[field] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _trained(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}


def _groups(parameters: Parameters, decay: float) -> list[dict[str, Any]]:
    groups = [{"params": [p for p in parameters.values() if p.ndim > 1], "weight_decay": decay},
              {"params": [p for p in parameters.values() if p.ndim <= 1], "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _flattened_muon(parameters: list[nn.Parameter], options: Options) -> Optimizer:
    """torch's Muon takes matrices only: each weight goes in as one that shares its memory, a row an output channel."""
    matrices = [nn.Parameter(_as_matrix(parameter.detach())) for parameter in parameters]
    optimizer = Muon(matrices, lr=options.peak_rate, weight_decay=options.decay, adjust_lr_fn="match_rms_adamw")

    def hand_over(*_: Any) -> None:
        for parameter, matrix in zip(parameters, matrices, strict=True):
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad, like=parameter)

    optimizer.register_step_pre_hook(hand_over)
    return optimizer


def _as_matrix(weights: Tensor, like: Tensor | None = None) -> Tensor:
    """(outputs, everything else), in the order in which the memory holds it."""
    layout = weights if like is None else like
    if weights.ndim == 4 and not layout.is_contiguous():
        weights = weights.permute(0, 2, 3, 1)
    return weights.flatten(1) if like is not None else weights.view(len(weights), -1)
