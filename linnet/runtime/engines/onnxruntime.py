"""The adapter for ONNX Runtime on the processor: https://onnxruntime.ai/docs/api/python/api_summary.html."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError
from linnet.runtime.engines.session import Port, check_inputs
from linnet.tasks import Arrays

_DTYPES = {"float": "float32", "double": "float64"}
_SILENT = 4
_FORMS = 1000
"""So many forms are kept; recordings of any length have no end of them."""

Form = tuple[tuple[str, Any, tuple[int, ...]], ...]
"""Names, dtypes and shapes of inputs."""


@dataclass(frozen=True)
class OnnxRuntimeSession:
    """A file loaded by ONNX Runtime; `run` may be called from several threads."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    loaded: Any
    """The onnxruntime.InferenceSession."""
    engine: str = "onnxruntime"
    names: list[str] = field(default_factory=list, repr=False)
    """Of the outputs: the engine would list them anew for every run."""
    fitting: set[Form] = field(default_factory=set, repr=False, compare=False)
    """Forms of inputs that were checked before: a check takes longer than a small file runs."""

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        form = tuple([(name, array.dtype, array.shape) for name, array in arrays.items()])
        if form not in self.fitting:
            check_inputs(arrays, self.inputs)
            if len(self.fitting) < _FORMS:
                self.fitting.add(form)
        try:
            outputs = self.loaded.run(self.names, arrays)
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"onnxruntime {self.version} cannot run the file: {_one_line(error)}") from error
        return dict(zip(self.names, outputs, strict=True))


def load(model: Path | bytes, *, threads: int = 1) -> OnnxRuntimeSession:
    """Load an ONNX file (by its path, where its weights lie in other files) or its bytes, on so many threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    try:
        loaded = onnxruntime.InferenceSession(
            str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the engine's errors have no class in common
        raise LinnetError(f"onnxruntime {onnxruntime.__version__} cannot load the file: {_one_line(error)}") from error
    inputs, outputs = _ports(loaded.get_inputs()), _ports(loaded.get_outputs())
    return OnnxRuntimeSession(onnxruntime.__version__, threads, inputs, outputs, loaded, names=list(outputs))


def _ports(nodes: list[Any]) -> dict[str, Port]:
    return {node.name: Port(_dtype(node.type), tuple(size if isinstance(size, int) else None for size in node.shape))
            for node in nodes}


def _dtype(name: str) -> str:
    """NumPy's name of the engine's "tensor(float)"."""
    inner = name.removeprefix("tensor(").removesuffix(")")
    return _DTYPES.get(inner, inner)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
