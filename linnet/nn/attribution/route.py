"""Route: from one place inside a network to its answers, for many values of that place at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.attribution.places import linear_after, place_name
from linnet.nn.attribution.prepared import listening, prepared
from linnet.nn.embedding import Embedding
from linnet.nn.layers import Convolution
from linnet.nn.model import Model
from linnet.tasks import Arrays, Predictor

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Batch:
    """What a place says of some samples, and of nothing: `values` (rows, ...), `baseline` (1 or rows, ...)."""

    values: Tensor
    baseline: Tensor
    inputs: tuple[Tensor, ...]
    """The network's own input arrays, which masks and lengths are made of."""


class _Reached(Exception):  # noqa: N818  no error: what lies behind the place need not run
    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.values = values


class Route:
    """`enter` runs a network up to the place, `answers` from there; the model itself is never touched.

    The copy's weights ask for no gradient and its normalisations are folded (`prepared`). Where one linear layer alone
    reads the place, `linear` is it, and `answers(..., beyond=True)` begins behind it. `largest` is how many values the
    largest output of a layer has for one row.
    """

    def __init__(self, model: Model, layer: str | None, arrays: Arrays) -> None:
        self.model, self.name = model, place_name(model, layer)
        inputs = self._tensors({name: values[:2] for name, values in arrays.items()})
        self.network = prepared(model.module, inputs)
        self.linear: nn.Module | None = None
        self._given: dict[str, Tensor] = {}
        self._is_entering = False
        place = self._place
        self.largest = self._look_through(inputs)
        if place is not None:
            self.linear = linear_after(self.network, place, inputs)
            self._replace(place, "place")
            if self.linear is not None:
                self._replace(self.linear, "beyond")
            self._keep(place, self.linear)

    def enter(self, arrays: Arrays, baseline: NDArray[Any] | None = None) -> Batch:
        """The place's values for these arrays, and its baseline: what it says of silence, black, or padding.

        `baseline`, one sample's values at the place, replaces it.
        """
        inputs = self._tensors(arrays)
        with torch.no_grad():
            values = self._at_place(inputs)
            if baseline is None:
                nothing = self._at_place(self._nothing(inputs))[:1] if self._is_shared else self._at_place(
                    self._nothing(inputs))
            else:
                nothing = torch.as_tensor(np.asarray(baseline), dtype=values.dtype, device=values.device)[None]
        if nothing.shape[1:] != values.shape[1:]:
            raise LinnetError(f"the baseline has shape {tuple(nothing.shape[1:])}; at this place one sample has "
                              f"{tuple(values.shape[1:])}.")
        if not values.is_floating_point():
            raise LinnetError(f"{values.dtype} has no gradient; name a layer that gives numbers with fractions.")
        if not bool(torch.isfinite(values).all()):
            self.refuse_broken(inputs)
        return Batch(values, nothing, inputs)

    def answers(self, values: Tensor, inputs: tuple[Tensor, ...], *, beyond: bool = False) -> Tensor:
        """Answers (rows, outputs) of the network for these values of the place, or behind its linear layer.

        `values` holds one or several copies of each sample of `inputs`, the copies one after the other.
        """
        copies = len(values) // len(inputs[0])
        many = inputs if copies == 1 else tuple(array.repeat(copies, *[1] * (array.ndim - 1)) for array in inputs)
        if self.name is None:
            return _flat(self.network(values, *many[1:]))
        self._given = {"beyond" if beyond else "place": values}
        if beyond:
            self._given["place"] = values.new_zeros(()).expand(1)
        try:
            return _flat(self.network(*many))
        finally:
            self._given = {}

    def refuse_broken(self, inputs: tuple[Tensor, ...]) -> NoReturn:
        """Raises LinnetError that names the first layer whose output is no number."""
        names = {id(unit): name for name, unit in self.network.named_modules()}
        broken: list[str] = []

        def listen(module: nn.Module, _given: Any, answer: Any) -> None:
            if isinstance(answer, Tensor) and answer.is_floating_point() and not bool(torch.isfinite(answer).all()):
                broken.append(names[id(module)])

        leaves = [unit for name, unit in self.network.named_modules() if name and not list(unit.children())]
        with listening(leaves, listen), torch.no_grad():
            self.network(*inputs)
        where = f"the first layer to give them is '{broken[0]}'" if broken else "they come with the gradient"
        raise LinnetError(f"'{self.model.name}' computes values that are not numbers (NaN or infinite) for these "
                          f"samples; {where}. An attribution of them means nothing: look at the weights and the data.")

    @property
    def is_waveform(self) -> bool:
        """Whether the place is the recording itself."""
        return self.name is None and str(self.model.spec["inputs"][0]["name"]) == "audio"

    @property
    def is_embedding(self) -> bool:
        """Whether the place gives vectors of tokens."""
        return isinstance(self._place, nn.Embedding | Embedding)

    @property
    def _is_shared(self) -> bool:
        """Whether nothing looks the same for every sample; texts differ in length."""
        return str(self.model.spec["inputs"][0]["name"]) != "tokens"

    def _nothing(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Silence, black, zeros; for tokens padding at their embedding, unknown words in deeper layers."""
        first = inputs[0]
        if self._is_shared or self.is_embedding:
            return torch.zeros_like(first), *inputs[1:]
        return (first != 0).to(first.dtype), *inputs[1:]

    @property
    def _place(self) -> nn.Module | None:
        return None if self.name is None else self.network.get_submodule(self.name)

    def _look_through(self, inputs: tuple[Tensor, ...]) -> int:
        """How many values the largest output of a layer has, one row's; the place must give one tensor, once."""
        sizes, runs = [inputs[0][0].numel()], list[bool]()

        def listen(module: nn.Module, _given: Any, answer: Any) -> None:
            if isinstance(answer, Tensor) and not list(module.children()):
                sizes.append(answer.numel() // len(inputs[0]))
            if module is self._place:
                runs.append(isinstance(answer, Tensor))

        with listening(list(self.network.modules()), listen), torch.no_grad():
            self.network(*inputs)
        if self.name is not None and runs != [True]:
            raise LinnetError(f"layer '{self.name}' runs {len(runs)} times for one answer, or gives no tensor; "
                              "name a layer that runs once.")
        return max(sizes)

    def _at_place(self, inputs: tuple[Tensor, ...]) -> Tensor:
        if self.name is None:
            return inputs[0]
        self._is_entering = True
        try:
            self.network(*inputs)
        except _Reached as reached:
            return reached.values
        finally:
            self._is_entering = False
        raise LinnetError(f"layer '{self.name}' did not run for these samples, as it did for the first ones.")

    def _replace(self, module: nn.Module, role: str) -> None:
        """From now on the module gives what `_given` holds for its role, without computing anything."""
        original: Callable[..., Any] = module.forward

        def forward(*args: Any, **options: Any) -> Any:
            if role in self._given:
                return self._given[role]
            answer = original(*args, **options)
            if self._is_entering and role == "place":
                raise _Reached(answer)
            return answer

        module.forward = forward

    def _keep(self, *given: nn.Module | None) -> None:
        """No rectifier writes over values that are given."""
        for unit in self.network.modules():
            if isinstance(unit, Convolution) and unit.conv in given and isinstance(unit.activation, nn.ReLU):
                unit.activation = nn.ReLU()

    def _tensors(self, arrays: Arrays) -> tuple[Tensor, ...]:
        """Unchecked, since texts come without their padding."""
        device = next((parameter.device for parameter in self.model.module.parameters()), torch.device("cpu"))
        names = [entry["name"] for entry in self.model.spec["inputs"]]
        return tuple(torch.from_numpy(np.array(arrays[name])).to(device) for name in names)


class Asked:
    """A route to a predictor without gradients, such as a shipped file: its place is the input array itself."""

    def __init__(self, predictor: Predictor, arrays: Arrays) -> None:
        self.predictor, self.names = predictor, tuple(arrays)
        self.linear, self.name = None, None

    def enter(self, arrays: Arrays, baseline: NDArray[Any] | None = None) -> Batch:
        """The arrays themselves; nothing is zeros, for tokens the unknown one."""
        values = torch.from_numpy(np.array(arrays[self.names[0]]))
        nothing = torch.zeros_like(values[:1]) if self.names[0] != "tokens" else (values != 0).to(values.dtype)
        if baseline is not None:
            nothing = torch.as_tensor(np.asarray(baseline), dtype=values.dtype)[None]
        return Batch(values, nothing, tuple(torch.from_numpy(np.array(arrays[name])) for name in self.names))

    def answers(self, values: Tensor, inputs: tuple[Tensor, ...], *, beyond: bool = False) -> Tensor:
        """Answers (rows, outputs) of the predictor."""
        del beyond
        copies = len(values) // len(inputs[0])
        rest = {name: np.concatenate([array.numpy()] * copies)
                for name, array in zip(self.names[1:], inputs[1:], strict=True)}
        outputs: Mapping[str, NDArray[Any]] = self.predictor({self.names[0]: values.numpy(), **rest})
        return _flat(torch.from_numpy(np.array(next(iter(outputs.values())))))

    def refuse_broken(self, inputs: tuple[Tensor, ...]) -> NoReturn:
        """Raises LinnetError: the predictor's answers are no numbers."""
        del inputs
        raise LinnetError("this predictor answers with values that are not numbers (NaN or infinite) for these "
                          "samples; an attribution of them means nothing.")


def _flat(answers: Tensor) -> Tensor:
    if answers.ndim != 2:
        raise LinnetError(f"attribution explains one answer a sample; this model gives one a position, "
                          f"{tuple(answers.shape[1:])}. Explain a model that classifies or gives values.")
    return answers
