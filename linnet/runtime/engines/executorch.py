"""The adapter for ExecuTorch: it runs the .pte file that `export.convert` wrote beside an ONNX file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from linnet.errors import LinnetError, missing_extra
from linnet.runtime.engines.companion import Facts, companion
from linnet.runtime.engines.session import Fitting, Port, one_line
from linnet.tasks import Arrays

SUFFIX = ".pte"
FACTS = "linnet"
"""The file's method that gives, as bytes of JSON: ports, the ONNX file's identity, operators by precision."""


@dataclass(frozen=True)
class ExecuTorchSession:
    """A file loaded by ExecuTorch; it takes one sample at a time, so a batch is asked row by row."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    facts: Facts = field(repr=False)
    loaded: Any = field(repr=False)
    fitting: Fitting = field(repr=False)
    engine: str = "executorch"

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        from torch import from_numpy  # the engine takes nothing else

        self.fitting.check(arrays)
        given = [np.ascontiguousarray(arrays[name]) for name in self.inputs]
        try:
            rows = [self.loaded.run_method("forward", tuple(from_numpy(values[row : row + 1]) for values in given))
                    for row in range(len(given[0]))]
            answers = [np.concatenate([row[place].numpy() for row in rows]) for place in range(len(self.outputs))]
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"executorch {self.version} cannot run the file: {one_line(error)}") from error
        return dict(zip(self.outputs, answers, strict=True))

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """As they were when the file was converted; the engine decides nothing later."""
        self.fitting.check(arrays)
        return {precision: dict(found) for precision, found in self.facts.operators.items()}


def load(model: Path | bytes, *, threads: int = 1) -> ExecuTorchSession:
    """ExecuTorch with XNNPACK; pip install "linnet[executorch]". Runs the .pte file beside an ONNX file."""
    try:
        version = metadata.version("executorch")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from executorch.extension.pybindings import portable_lib
    except (metadata.PackageNotFoundError, ImportError) as error:
        raise missing_extra("executorch", "executorch") from error
    path, identity = companion(model, SUFFIX, "executorch")
    try:
        portable_lib._unsafe_reset_threadpool(threads)
        loaded = portable_lib._load_for_executorch(str(path))
        (told,) = loaded.run_method(FACTS, ())
        facts = Facts.read(json.loads(bytes(told.numpy())), path, identity)
    except LinnetError:
        raise
    except Exception as error:  # the engine's errors have no class in common
        raise LinnetError(f"executorch {version} cannot load the file {path.name}: {one_line(error)}") from error
    return ExecuTorchSession(version, threads, facts.inputs, facts.outputs, facts, loaded, Fitting(facts.inputs))
