"""The adapter for Core ML: it runs the .mlpackage that `export.convert` wrote beside an ONNX file, on a Mac."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra
from linnet.runtime.engines.companion import Facts, companion
from linnet.runtime.engines.session import Fitting, Port, one_line
from linnet.tasks import Arrays

SUFFIX = ".mlpackage"
FACTS = "linnet"
"""The entry of the package's metadata that holds ports, the ONNX file's identity, and operators by precision."""


@dataclass(frozen=True)
class CoreMlSession:
    """A package loaded by Core ML; it takes one sample at a time, so a batch is asked row by row."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    facts: Facts = field(repr=False)
    loaded: Any = field(repr=False)
    fitting: Fitting = field(repr=False)
    engine: str = "coreml"

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        self.fitting.check(arrays)
        count = len(next(iter(arrays.values())))
        try:
            rows = [self.loaded.predict({name: _as_taken(values[row : row + 1]) for name, values in arrays.items()})
                    for row in range(count)]
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"coreml {self.version} cannot run the file: {one_line(error)}") from error
        return {name: np.concatenate([np.asarray(row[name]) for row in rows]) for name in self.outputs}

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """As the package says them; which unit of the device computes them is decided there."""
        self.fitting.check(arrays)
        return {precision: dict(found) for precision, found in self.facts.operators.items()}


def _as_taken(values: NDArray[Any]) -> NDArray[Any]:
    """Core ML's arrays are floats or int32."""
    return values if values.dtype.kind == "f" else values.astype(np.int32)


def load(model: Path | bytes, *, threads: int = 1) -> CoreMlSession:
    """Core ML on a Mac's processor; pip install "linnet[coreml]". Runs the .mlpackage beside an ONNX file."""
    try:
        import coremltools
    except ModuleNotFoundError as error:
        raise missing_extra("coremltools", "coreml") from error
    path, identity = companion(model, SUFFIX, "coreml")
    if platform.system() != "Darwin":
        raise LinnetError(f"coreml cannot run {path.name} here: Core ML runs on macOS only. export.convert inspects "
                          "what it writes on any system.")
    try:
        loaded = coremltools.models.MLModel(str(path), compute_units=coremltools.ComputeUnit.CPU_ONLY)
        facts = Facts.read(json.loads(loaded.user_defined_metadata[FACTS]), path, identity)
    except LinnetError:
        raise
    except Exception as error:  # the engine's errors have no class in common
        raise LinnetError(f"coreml {coremltools.__version__} cannot load the file {path.name}: {one_line(error)}"
                          ) from error
    return CoreMlSession(coremltools.__version__, threads, facts.inputs, facts.outputs, facts, loaded,
                         Fitting(facts.inputs))
