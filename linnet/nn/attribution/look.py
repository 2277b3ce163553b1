"""Look: how maps are made, checked once and asked batch after batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linnet.errors import LinnetError
from linnet.nn.attribution.gradients import Found
from linnet.nn.attribution.methods import Method, method_of
from linnet.nn.attribution.places import WAVEFORM, last_with_places
from linnet.nn.attribution.route import Asked, Batch, Route
from linnet.nn.model import Model
from linnet.tasks import Arrays, Predictor

_CACHED = 2**18
"""Values of the largest layer that a CPU takes at once: fewer leave it waiting for calls, more leave its cache."""
_FEWEST, _MOST = 16, 128
_ROWS_ELSEWHERE = 512
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class Look:
    """A method with its settings, and the route by which it asks a model."""

    name: str
    method: Method
    route: Route | Asked
    settings: Mapping[str, Any]
    rows: int
    baseline: NDArray[Any] | None

    def find(self, arrays: Arrays, targets: NDArray[np.int64] | None) -> tuple[Batch, NDArray[np.int64], Found]:
        """The batch, each row's target (the model's own answer where none is given), and what the method finds."""
        batch = self.route.enter(arrays, self.baseline)
        chosen = self.targets(batch) if targets is None else torch.from_numpy(targets).to(batch.values.device)
        found = self.method.find(self.route, batch, chosen, rows=self.rows, **self.settings)
        return batch, chosen.cpu().numpy(), found

    def targets(self, batch: Batch) -> Tensor:
        """The index of the model's own answers."""
        return self.answers(batch.values, batch.inputs).argmax(1)

    def answers(self, values: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        """Answers (rows, outputs) for values at the place; refuses what is not a number."""
        with torch.no_grad():
            parts = [self.route.answers(values[first : first + self.rows],
                                        tuple(array[first : first + self.rows] for array in inputs))
                     for first in range(0, len(values), self.rows)]
        found = torch.cat(parts)
        if not bool(torch.isfinite(found).all()):
            self.route.refuse_broken(inputs)
        return found

    def groups(self, arrays: Arrays) -> Iterator[tuple[NDArray[np.intp], Arrays]]:
        """All rows; texts by their length and without padding, if the network answers the same then."""
        if isinstance(self.route, Route):
            self.route.model._inputs(arrays)
        tokens = arrays.get("tokens")
        rows = len(next(iter(arrays.values())))
        if tokens is None or not isinstance(self.route, Route):
            yield np.arange(rows), arrays
            return
        lengths = np.maximum((tokens != 0) * np.arange(1, tokens.shape[1] + 1), 1).max(axis=1)
        shortest = int(lengths.argmin())
        one = {name: values[[shortest]] for name, values in arrays.items()}
        if not _agree(self.route, one, {**one, "tokens": one["tokens"][:, : lengths[shortest]]}):
            yield np.arange(rows), arrays
            return
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            yield places, {name: values[places, :length] if name == "tokens" else values[places]
                           for name, values in arrays.items()}


def make_look(model: Model | Predictor, arrays: Arrays, *, method: str, layer: str | None,
              settings: Mapping[str, Any]) -> Look:
    """Check what was asked, and prepare the route; `arrays` are a few samples'."""
    own = {name: value for name, value in settings.items() if name not in ("rows", "baseline")}
    chosen, rows = method_of(method, own), settings.get("rows", _FEWEST)
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise LinnetError(f"rows is how many samples go through the network at once, 1 or more; got {rows!r}.")
    if not isinstance(model, Model):
        return Look(method, chosen, _asked(model, arrays, chosen, method, layer), own, rows, settings.get("baseline"))
    model._inputs(arrays)
    if method == "grad_cam" and layer is None:
        layer = last_with_places(model, model_inputs(model, arrays))
    route = Route(model, layer, arrays)
    return Look(method, chosen, route, own, settings.get("rows", _usual_rows(route)), settings.get("baseline"))


def _usual_rows(route: Route) -> int:
    weights = next(route.network.parameters(), None)
    if weights is not None and weights.device.type != "cpu":
        return _ROWS_ELSEWHERE
    return min(_MOST, max(_FEWEST, _CACHED // route.largest))


def model_inputs(model: Model, arrays: Arrays) -> tuple[Tensor, ...]:
    """The arrays as tensors where the weights are, in the order in which the network takes them."""
    return next(model._batches(arrays))


def _asked(model: Predictor, arrays: Arrays, chosen: Method, method: str, layer: str | None) -> Asked:
    if isinstance(model, torch.nn.Module):
        raise LinnetError("a torch module does not say what it takes and answers; make it a model first: "
                          "nn.own(module, task).")
    if not callable(model):
        raise LinnetError(f"attribution explains a model, or what answers as one; got {type(model).__name__}.")
    if chosen.takes_gradient or layer not in (None, WAVEFORM):
        raise LinnetError(f"'{getattr(model, 'name', 'this predictor')}' has no gradients and no layers to look into, "
                          f"so that {method} cannot explain it{'' if layer is None else f' at {layer!r}'}. Explain "
                          "the model from which the file was written (nn.load), or ask the file itself: "
                          "method='occlusion'.")
    return Asked(model, arrays)


def _agree(route: Route, one: Arrays, cut: Arrays) -> bool:
    """Whether padding may be missing, and changes no answer."""
    device = next((weights.device for weights in route.network.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            long, short = (route.network(*(torch.from_numpy(np.array(values)).to(device) for values in arrays.values()))
                           for arrays in (one, cut))
    except RuntimeError:
        return False
    return long.shape == short.shape and bool((long - short).abs().max() <= _SAME * long.abs().max().clamp(min=1))
