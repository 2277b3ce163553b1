"""Making: all that a converter is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.nn import Model, fold_normalisation
from linnet.nn.recurrent import in_onnx_order
from linnet.tasks import Arrays

FLOAT_TOLERANCE, INT8_TOLERANCE = 1e-3, 0.05
"""Largest difference from the simulated model, as a share of the largest answer: engines round their sums otherwise."""
_COMPARED = 16


@dataclass(frozen=True)
class Making:
    """A model, samples of what it takes, and the identity of the ONNX file that was made of it."""

    model: Model
    samples: Arrays = field(repr=False)
    identity: str

    @property
    def module(self) -> torch.nn.Module:
        """The network as it ships: in evaluation mode, batch normalisation folded."""
        return in_onnx_order(fold_normalisation(self.model.module).cpu()).eval()

    @property
    def example(self) -> tuple[torch.Tensor, ...]:
        """One sample."""
        return next(self.rows(self.samples))

    @property
    def calibration(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """The calibration samples one by one."""
        return self.rows(self.model.calibration or self.samples)

    def rows(self, arrays: Arrays) -> Iterator[tuple[torch.Tensor, ...]]:
        """Samples one by one, each with a batch axis, in the order in which the network takes its arrays."""
        names = [entry["name"] for entry in self.model.spec["inputs"]]
        for row in range(len(arrays[names[0]])):
            yield tuple(torch.from_numpy(np.ascontiguousarray(arrays[name][row : row + 1])) for name in names)

    @property
    def ports(self) -> dict[str, dict[str, Any]]:
        """What goes in and comes out, as JSON: name to dtype and shape of one sample."""
        output = self.model.spec["output"]
        inputs = {entry["name"]: {"dtype": entry["dtype"], "shape": list(entry["shape"])}
                  for entry in self.model.spec["inputs"]}
        return {"inputs": inputs, "outputs": {output["name"]: {"dtype": "float32", "shape": list(output["shape"])}}}

    def excludes(self, layer: str) -> bool:
        """Whether the module ("layers.stem.conv") is to stay in float: the front end, what is excluded, all in them."""
        return any(layer == name or layer.startswith(f"{name}.") for name in ("front", *self.model.encoding.exclude))

    def compare(self, answers: NDArray[Any], simulated: NDArray[Any], engine: str) -> float:
        """The largest difference as a share of the largest answer; LinnetError where it is too large."""
        tolerance = INT8_TOLERANCE if self.model.bits == 8 else FLOAT_TOLERANCE
        apart = float(np.abs(answers - simulated).max() / max(np.abs(simulated).max(), np.finfo(np.float32).tiny))
        if not apart <= tolerance:
            raise LinnetError(f"the file for {engine} answers otherwise than model '{self.model.name}': by {apart:.3g} "
                              f"of the largest answer, at most {tolerance:g} is allowed. Nothing was written.")
        return apart

    @property
    def few(self) -> Arrays:
        """The first samples, for comparing."""
        return {name: values[:_COMPARED] for name, values in self.samples.items()}
