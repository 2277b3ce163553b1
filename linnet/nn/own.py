"""Bring your own: a Model around any nn.Module, so that it is trained, pruned, quantized and shipped as one of ours."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.channels import dependencies_of
from linnet.nn.dependencies import Dependencies, examples
from linnet.nn.layers import Pixels
from linnet.nn.masking import blank_beyond, real_frames
from linnet.nn.model import Model
from linnet.nn.overtime import Heard, norm_over_time
from linnet.nn.rewrites import rewrite
from linnet.nn.tracing import Kind
from linnet.nn.zoo.building import describe
from linnet.tasks import Task

FAMILY = "own"
_INSIDE = "layers.network"
_COUNTERS = "_get_feat_extract_output_lengths"
"""How transformers' networks for speech tell how many frames are made of so many samples."""


def own(module: nn.Module, task: Task, *, name: str = "own", seed: int = 0) -> Model:
    """A Model around a copy of `module`, which takes what the task gives and answers what it asks.

    The module is given images as (batch, channels, height, width) float32 in [0, 1], recordings as (batch, samples),
    token ids as (batch, length) with `attention_mask` where its `forward` knows that, rows as (batch, columns). It
    gives a tensor, a tuple that begins with one, or an object with `.logits`, as transformers' do. `model.removable`
    lists the layers whose channels can go; `limits` those that stay, and why. Raises LinnetError for a module that does
    not run on the task's arrays, answers in another shape, or has weights that are not numbers.
    """
    spec: dict[str, Any] = {**describe(FAMILY, task), "class": type(module).__name__, "layers": []}
    if getattr(task, "tokenizer", None) is not None:
        spec["vocabulary"] = int(task.tokenizer.size)  # type: ignore[attr-defined]
    model = Model(wrap(module, spec), spec, name=name)
    _check_weights(model)
    found = dependencies_of(model)
    _check_answer(model, seed)
    return Model(model.module, {**spec, "layers": _layers(found)}, name=name)


def wrap(module: nn.Module, spec: Mapping[str, Any]) -> nn.Module:
    """A copy of the module as a network of ours, with what the spec's rewrites say done to it."""
    wrapped = Own(copy.deepcopy(module), spec)
    rewrite(wrapped, spec)
    return wrapped


def limits(model: Model) -> dict[str, str]:
    """By layer: what cannot be done with it and why: outputs that must stay, weights and layers that are shared,
    decisions in Python that a file would take once and for all.
    """
    found = dependencies_of(model)
    said: dict[str, list[str]] = {}
    for layer, reason in found.kept.items():
        said.setdefault(layer, []).append(f"its outputs stay: {reason}")
    for layer, times in found.tape.called.items():
        if times > 1 and any(True for _ in model.module.get_submodule(layer).parameters(recurse=False)):
            said.setdefault(layer, []).append(f"it is used {times} times, so that its channels are the same each time")
    for layer, other in _shared(model.module):
        said.setdefault(layer, []).append(f"its weights are those of {_short(other)} too; they change together")
    for layer in dict.fromkeys(found.tape.decided):
        said.setdefault(layer, []).append("it takes a value into Python: what it does may depend on the input, and a "
                                          "file has only the way that the example took")
    return {_short(layer): "; ".join(reasons) for layer, reasons in said.items()}


class Own(nn.Module):
    """A user's module behind the arrays of a task."""

    def __init__(self, module: nn.Module, spec: Mapping[str, Any]) -> None:
        super().__init__()
        names = [entry["name"] for entry in spec["inputs"]]
        self.front: nn.Module = Pixels() if "image" in names else nn.Identity()
        self.layers = nn.ModuleDict({"network": module})
        self.known = frozenset(inspect.signature(module.forward).parameters)
        self.reads = "tokens" in names
        self.heard = Heard()
        if hasattr(module, _COUNTERS):
            norm_over_time(module, self.heard)

    def forward(self, first: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The task's arrays, in its order, to its one output."""
        network = self.layers["network"]
        x = self.front(first)
        self.heard.lengths = lengths
        answer = _tensor(network(x, **self._beside(x, lengths)))
        self.heard.lengths = None
        counter = getattr(network, _COUNTERS, None)
        if lengths is not None and counter is not None and answer.ndim == 3:
            return blank_beyond(answer, real_frames(counter(lengths), answer))
        return answer

    def _beside(self, x: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """What tells the network which positions are real, where its `forward` knows a name for that."""
        if self.reads and "attention_mask" in self.known:
            return {"attention_mask": (x != 0).to(torch.int64)}
        if lengths is not None and "lengths" in self.known:
            return {"lengths": lengths}
        if lengths is not None and "attention_mask" in self.known:
            return {"attention_mask": real_frames(lengths, x).to(torch.int64)}
        return {}


def _tensor(answer: Any) -> Tensor:
    found = getattr(answer, "logits", answer)
    if isinstance(found, Mapping):
        found = next(iter(found.values()))
    if isinstance(found, tuple | list):
        found = found[0]
    if not isinstance(found, Tensor):
        raise LinnetError(f"the module answers with {type(answer).__name__}; a tensor was expected, a tuple that "
                          "begins with one, or an object with .logits.")
    return found


def _layers(found: Dependencies) -> list[dict[str, Any]]:
    """An entry for each group of single channels: its first layer, and on which axis its outputs have them."""
    entries = []
    for group in found.groups:
        axes = found.tape.outputs[group.name]
        axis = next(place for place, axis in enumerate(axes) if place and axis.kind is Kind.OPEN)
        if group.name.startswith(_INSIDE) and group.outputs.shape == (len(axes[axis]), 1):
            entries.append({"name": group.name.removeprefix("layers."), "channels": len(group),
                            "axis": axis if axis == 1 else axis - len(axes), "removable": True})
    return entries


def _check_weights(model: Model) -> None:
    for name, tensor in model.module.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise LinnetError(f"'{name.removeprefix(_INSIDE + '.')}' holds values that are not numbers (NaN or "
                              "infinite); a network with such weights cannot be judged or made smaller.")


def _check_answer(model: Model, seed: int) -> None:
    model.module.eval()
    with torch.no_grad():
        answer = model.module(*examples(model.spec, seed=seed))
    expected = model.spec["output"]["shape"]
    fits = answer.ndim == len(expected) + 1 and all(
        size in (None, got) for size, got in zip(expected, answer.shape[1:], strict=True))
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in ("batch", *expected))
        raise LinnetError(f"the module answers with shape {tuple(answer.shape)}; the task asks for ({wanted}). Give "
                          "the module as many outputs as the task has answers.")


def _shared(module: nn.Module) -> list[tuple[str, str]]:
    """Layers one of whose parameters is another layer's too."""
    first: dict[int, str] = {}
    found = []
    for name, parameter in module.named_parameters(remove_duplicate=False):
        layer = name.rpartition(".")[0]
        if first.setdefault(id(parameter), layer) != layer:
            found.append((layer, first[id(parameter)]))
    return found


def _short(layer: str) -> str:
    return layer.removeprefix(_INSIDE + ".") or layer
