"""Where in a network an attribution is made: the picture of sound, the pixels, the tokens' vectors, a named layer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError, unknown
from linnet.nn.attribution.prepared import listening
from linnet.nn.embedding import Embedding
from linnet.nn.frontend import LogMel
from linnet.nn.model import Model

WAVEFORM = "waveform"


def place_name(model: Model, layer: str | None) -> str | None:
    """The path of the module at whose output attributions are made; None for the input array itself."""
    first = model.spec["inputs"][0]["name"]
    if layer == WAVEFORM:
        if first != "audio":
            raise LinnetError(f"layer='{WAVEFORM}' is for recordings; this model takes {first}.")
        return None
    if layer is not None:
        return layer_path(model, layer)
    if first == "tokens":
        return _first_embedding(model)
    return "front" if first == "image" or isinstance(getattr(model.module, "front", None), LogMel) else None


def layer_path(model: Model, layer: str) -> str:
    """The path of a layer by its name in `model.layers`, or by its path; LinnetError with the nearest name."""
    paths = {name for name, _ in model.module.named_modules() if name}
    for path in (f"layers.{layer}", f"layers.network.{layer}", layer):
        if path in paths:
            return path
    short = {path.removeprefix("layers.").removeprefix("network.") for path in paths}
    raise unknown("layer", layer, {*model.layers, *(name for name in short if name.count(".") < 2)})


def last_with_places(model: Model, inputs: tuple[Tensor, ...]) -> str:
    """The last layer, as a path, whose output is a picture (batch, channels, height, width): for Grad-CAM."""
    seen: list[str] = []
    network = copy.deepcopy(model.module).eval()  # in training, a look would move the normalisations' averages
    names = {id(unit): name for name, unit in network.named_modules()}
    picked = [unit for name, unit in network.named_modules()
              if name.startswith("layers.") and not isinstance(unit, nn.Dropout)]  # attention weights pass through it

    def listen(module: nn.Module, _given: Any, answer: Any) -> None:
        if isinstance(answer, Tensor) and answer.ndim == 4 and min(answer.shape[2:]) > 1:
            seen.append(names[id(module)])

    with listening(picked, listen), torch.no_grad():
        network(*inputs)
    if not seen:
        raise LinnetError(f"Grad-CAM weights the channels of a layer that has places in height and width; "
                          f"'{model.name}' has none. Use method='integrated_gradients', or 'occlusion'.")
    return seen[-1]


def _first_embedding(model: Model) -> str:
    for name, unit in model.module.named_modules():
        if isinstance(unit, nn.Embedding):
            owner = name.rpartition(".")[0]
            return str(owner if isinstance(model.module.get_submodule(owner), Embedding) else name)
    raise LinnetError(f"'{model.name}' reads tokens, but has no torch.nn.Embedding at which they could be attributed; "
                      "name a layer: layer='...'.")


def linear_after(network: nn.Module, place: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module | None:
    """The convolution or linear layer that alone reads what `place` gives, or None.

    It is what all nodes of a path share: its output moves on a line as its input does, so it need be computed once.
    """
    start: list[Tensor] = []
    answers: list[tuple[nn.Module, Tensor]] = []
    kinds = (nn.Conv1d, nn.Conv2d, nn.Linear)
    linear: list[nn.Module] = [unit for unit in network.modules() if isinstance(unit, kinds)]

    def leaf(_module: nn.Module, _given: Any, answer: Tensor) -> Tensor:
        start.append(answer.detach().clone().requires_grad_())
        return start[-1]

    def listen(module: nn.Module, given: Any, answer: Any) -> None:
        if given and start and given[0] is start[0]:
            answers.append((module, answer.grad_fn))

    with listening([place], leaf), listening(linear, listen), torch.enable_grad():
        final = network(*inputs)
    readers = _readers(final.grad_fn, start[0]) if len(start) == 1 else []
    return answers[0][0] if len(answers) == 1 and readers == [answers[0][1]] else None


def _readers(root: Any, leaf: Tensor) -> list[Any]:
    """The nodes of the gradient's graph that hand something to `leaf`, one entry an edge."""
    found, seen, left = [], set(), [root]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for after, _ in node.next_functions:
            if getattr(after, "variable", None) is leaf:
                found.append(node)
            else:
                left.append(after)
    return found

