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

if TYPE_CHECKING:
    from linnet.data import Dataset
    from linnet.tasks import Arrays, Task

_BATCH = 256


@dataclass(frozen=True, eq=False)
class Model:
    """A network, and what is needed to build, ship and explain it. Verbs return new models.

    `spec` is JSON: family, input array, every layer's size. `bits` and `calibration` (input arrays, the batch first)
    ask `export.write` for a quantized file. `history` has one row an epoch; `notes` are facts for the card.
    """

    module: torch.nn.Module = field(repr=False)
    spec: Mapping[str, Any]
    name: str = "model"
    calibration: Mapping[str, NDArray[Any]] | None = field(default=None, repr=False)
    bits: int | None = None
    history: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    notes: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.bits not in (None, 8):
            raise LinnetError(f"bits must be 8 (or left out for float); got {self.bits!r}.")

    def __call__(self, arrays: Arrays) -> dict[str, NDArray[np.float32]]:
        """Input arrays to {"logits": (batch, classes) float32}, without gradients and in evaluation mode."""
        with _evaluating(self.module):
            logits = [self.module(batch).cpu().numpy() for batch in self._batches(arrays)]
        return {"logits": np.concatenate(logits)}

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
        """The layers whose output channels `remove_channels` can take away."""
        return self.layers

    def responses(self, task: Task, dataset: Dataset, *,
                  layers: Iterable[str] | None = None) -> dict[str, NDArray[np.float32]]:
        """Each layer's output after its activation, averaged over positions: layer to (samples, channels)."""
        wanted = self.layers if layers is None else tuple(layers)
        for name in wanted:
            if name not in self.layers:
                raise unknown("layer", name, self.layers)
        seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in wanted}
        with _evaluating(self.module), self._listening(seen):
            for start in range(0, len(dataset), _BATCH):
                part = dataset.take(range(start, min(start + _BATCH, len(dataset))))
                for batch in self._batches(task.prepare(part.decode(task.input))):
                    self.module(batch)
        return {name: np.concatenate(parts) for name, parts in seen.items()}

    @contextmanager
    def _listening(self, seen: Mapping[str, list[NDArray[np.float32]]]) -> Iterator[None]:
        def listener(parts: list[NDArray[np.float32]]) -> Any:
            return lambda _module, _inputs, output: parts.append(output.mean(dim=(2, 3)).cpu().numpy())

        handles = [self.module.get_submodule(f"layers.{name}").register_forward_hook(listener(parts))
                   for name, parts in seen.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _batches(self, arrays: Arrays) -> Iterator[torch.Tensor]:
        values = self._input(arrays)
        device = next(self.module.parameters()).device
        for start in range(0, len(values), _BATCH):
            yield torch.from_numpy(np.array(values[start : start + _BATCH])).to(device)

    def _input(self, arrays: Arrays) -> NDArray[Any]:
        expected = self.spec["input"]
        if list(arrays) != [expected["name"]]:
            raise LinnetError(f"model '{self.name}' takes one array '{expected['name']}'; "
                              f"received {', '.join(sorted(arrays)) or 'nothing'}.")
        values = arrays[expected["name"]]
        shape = tuple(expected["shape"])
        if values.dtype != expected["dtype"] or values.shape[1:] != shape or not len(values):
            raise LinnetError(f"model '{self.name}': array '{expected['name']}' must be {expected['dtype']} of shape "
                              f"(batch, {', '.join(map(str, shape))}); received {values.dtype} {values.shape}.")
        return values


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
