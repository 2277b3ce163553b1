"""Model: a network with the data from which it can be built again; a predictor like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence import canonical_json
from linnet.nn.encoding import Encoding

if TYPE_CHECKING:
    from linnet.data import Dataset
    from linnet.tasks import Arrays, Task

_BATCH = 256


@dataclass(frozen=True, eq=False)
class Model:
    """A network, and what is needed to build, ship and explain it. Verbs return new models.

    `spec` is JSON: family, input arrays, output, every layer's size, what was rewritten since. `encoding` asks
    `export.write` for a smaller file; `calibration` are input arrays (the batch first) from which it reads ranges.
    `history` has one row an epoch; `notes` are facts for the card.
    """

    module: torch.nn.Module = field(repr=False)
    spec: Mapping[str, Any]
    name: str = "model"
    calibration: Mapping[str, NDArray[Any]] | None = field(default=None, repr=False)
    encoding: Encoding = field(default_factory=Encoding)
    history: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    notes: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        """Input arrays to the one output array, {"logits": ...} float32, without gradients and in evaluation mode."""
        with _evaluating(self.module):
            parts = [self.module(*batch).float().cpu().numpy() for batch in self._batches(arrays)]
        return {self.spec["output"]["name"]: np.concatenate(parts)}

    @property
    def bits(self) -> int | None:
        """8 where the file is to compute in int8."""
        return self.encoding.bits

    @property
    def identity(self) -> str:
        """SHA-256 over the spec and every weight; taken anew each time, because training changes weights in place."""
        digest = hashlib.sha256(canonical_json(self.spec).encode())
        for name, tensor in sorted(self.module.state_dict().items()):
            values = tensor.detach().cpu().contiguous().numpy()
            digest.update(f"\n{name} {values.dtype.str} {values.shape}\n".encode())
            digest.update(values.tobytes())
        return digest.hexdigest()

    @property
    def parameters_count(self) -> int:
        """How many numbers training sets."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose responses can be seen, in the order of the signal."""
        return tuple(layer["name"] for layer in self.spec["layers"])

    @property
    def removable(self) -> tuple[str, ...]:
        """The layers whose output channels `remove_channels` can take away: those of plain chains."""
        return tuple(layer["name"] for layer in self.spec["layers"] if layer.get("removable"))

    def responses(self, task: Task, dataset: Dataset, *,
                  layers: Iterable[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Each layer's output after its activation, averaged over positions: layer to (samples, channels).

        Channels are the second axis, or the last where the layer's entry in the spec says "axis": -1.
        """
        wanted = self.layers if layers is None else tuple(layers)
        for name in wanted:
            if name not in self.layers:
                raise unknown("layer", name, self.layers)
        seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in wanted}
        with _evaluating(self.module), self._listening(seen):
            for start in range(0, len(dataset), _BATCH):
                part = dataset.take(range(start, min(start + _BATCH, len(dataset))))
                for batch in self._batches(task.prepare(task.read(part))):
                    self.module(*batch)
        return {name: np.concatenate(parts) for name, parts in seen.items()}

    @contextmanager
    def _listening(self, seen: Mapping[str, list[NDArray[np.float32]]]) -> Iterator[None]:
        axes = {layer["name"]: layer.get("axis", 1) for layer in self.spec["layers"]}

        def listener(name: str) -> Any:
            return lambda _module, _inputs, output: seen[name].append(_averaged(output, axes[name]))

        handles = [self.module.get_submodule(f"layers.{name}").register_forward_hook(listener(name)) for name in seen]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _batches(self, arrays: Arrays) -> Iterator[tuple[torch.Tensor, ...]]:
        values = self._inputs(arrays)
        device = next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))
        for start in range(0, len(values[0]), _BATCH):
            yield tuple(torch.from_numpy(np.array(array[start : start + _BATCH])).to(device) for array in values)

    def _inputs(self, arrays: Arrays) -> list[NDArray[Any]]:
        """The arrays in the order in which the network takes them."""
        expected = {entry["name"]: entry for entry in self.spec["inputs"]}
        if set(arrays) != set(expected):
            raise LinnetError(f"model '{self.name}' takes {_named(expected)}; received {_named(arrays)}.")
        rows = {len(values) for values in arrays.values()}
        for name, entry in expected.items():
            values, shape = arrays[name], tuple(entry["shape"])
            fits = len(values.shape) == len(shape) + 1 and all(
                size in (None, found) for size, found in zip(shape, values.shape[1:], strict=True))
            if values.dtype != entry["dtype"] or not fits or len(rows) != 1 or not len(values):
                wanted = ", ".join("any" if size is None else str(size) for size in ("batch", *shape))
                raise LinnetError(f"model '{self.name}': array '{name}' must be {entry['dtype']} of shape ({wanted}); "
                                  f"received {values.dtype} {values.shape}.")
        return [arrays[name] for name in expected]


def _named(names: Iterable[str]) -> str:
    found = [f"'{name}'" for name in names]
    return f"{'one array' if len(found) == 1 else 'the arrays'} {', '.join(found)}" if found else "nothing"


def _averaged(output: torch.Tensor, axis: int) -> NDArray[np.float32]:
    """The mean over every axis but the batch and that of the channels."""
    positions = [place for place in range(1, output.ndim) if place != axis % output.ndim]
    averaged = output.mean(dim=positions) if positions else output
    return np.asarray(averaged.float().cpu().numpy(), np.float32)


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; the mode is as before afterwards."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)
