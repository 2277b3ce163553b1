"""What every family needs: a spec from a task, checks of the dial, and fresh weights from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from linnet.errors import LinnetError
from linnet.nn.model import Model
from linnet.tasks import Task

_KINDS = {
    "audio": ("listens to recordings", "Use nn.zoo.dscnn, bcresnet, crnn or conformer."),
    "image": ("looks at images", "Use nn.zoo.resnet, smallcnn, mobilenet or vit."),
    "tokens": ("reads texts", "Use nn.zoo.textcnn, transformer or gru."),
    "features": ("takes rows of numbers", "Use nn.zoo.mlp."),
    "heard": ("judges what was heard of phones", "Use nn.zoo.phonescorer."),
    "text": ("reads raw strings", "Give the task a tokenizer, such as tokenizer='bpe': raw strings are for models of "
                                  "other frameworks."),
}
"""By array: what a family does that takes it, and what to use for a task that gives it."""


def make(network: Callable[[Mapping[str, Any]], nn.Module], spec: Mapping[str, Any], *, seed: int) -> Model:
    """A model with fresh weights drawn from `seed`; torch's own random state stays as it was."""
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Model(network(spec), spec, name=spec["family"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise LinnetError(f"this version cannot build a network from this description: {error!r} is missing, unknown "
                          "or off. Build it with nn.zoo, or load it with the version that saved it.") from error


def describe(family: str, task: Task, **body: Any) -> dict[str, Any]:
    """The spec of a network of this family for the task's arrays and answers; `body` is what the family adds."""
    inputs = [{"name": name, "dtype": dtype, "shape": list(shape)} for name, (dtype, shape) in task.arrays.items()]
    name, shape = task.output
    return {"family": family, "inputs": inputs, "output": {"name": name, "shape": list(shape)}, **body}


def needs(family: str, task: Task, array: str) -> None:
    """Raises LinnetError where the task's input is not what the family takes; it says which families take that."""
    if array not in task.arrays:
        raise refusal(f"{family} {_KINDS[array][0]}", task)


def refusal(takes: str, task: Task) -> LinnetError:
    """The error of a network that takes something else than the task's input, with the families that take that."""
    fitting = [advice for given, (_, advice) in _KINDS.items() if given in task.arrays]
    return LinnetError(" ".join([f"{takes}; the task's input is {', '.join(task.arrays)}.", *fitting]))


def needs_one_answer(family: str, task: Task, *, instead: str) -> None:
    """Raises LinnetError where the task asks an answer for every position; `instead` says what to do."""
    if len(task.output[1]) != 1:
        raise LinnetError(f"{family} gives one answer a sample; a task of kind '{task.kind}' asks for one a position. "
                          f"{instead}")


def vocabulary(task: Task) -> int:
    """How many token ids the task's tokenizer gives, padding included."""
    tokenizer = getattr(task, "tokenizer", None)
    if tokenizer is None:
        raise LinnetError("the task gives token ids but has no tokenizer; make it from data, or give it a tokenizer.")
    return int(tokenizer.size)


def checked(name: str, value: Any, *, least: int, what: str = "the number of channels") -> int:
    """The dial, a whole number of at least `least`; LinnetError otherwise."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise LinnetError(f"{name} is {what}, {least} or more; got {value!r}.")
    return value


def without(settings: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The settings but for these."""
    return {name: value for name, value in settings.items() if name not in names}
