"""The adapter for ONNX Runtime on the processor: https://onnxruntime.ai/docs/api/python/api_summary.html."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from linnet.errors import LinnetError
from linnet.runtime.engines.session import Fitting, Port, counted, one_line
from linnet.tasks import Arrays

_DTYPES = {"float": "float32", "double": "float64"}
_SILENT = 4
_BORDERS = frozenset({"Cast", "DequantizeLinear", "QuantizeLinear"})
"""They only lead from 8 bits to float, or back."""
_EIGHT_BITS = {"int8", "uint8"}


@dataclass(frozen=True)
class OnnxRuntimeSession:
    """A file loaded by ONNX Runtime; `run` may be called from several threads."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    loaded: Any
    """The onnxruntime.InferenceSession."""
    fitting: Fitting = field(repr=False)
    engine: str = "onnxruntime"
    names: list[str] = field(default_factory=list, repr=False)
    """Of the outputs: the engine would list them anew for every run."""
    model: Path | bytes = field(default=b"", repr=False)
    without: tuple[str, ...] = field(default=(), repr=False)
    """Rewrites of the graph that the engine was asked to leave out."""

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        self.fitting.check(arrays)
        try:
            outputs = self.loaded.run(self.names, arrays)
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"onnxruntime {self.version} cannot run the file: {one_line(error)}") from error
        return dict(zip(self.names, outputs, strict=True))

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """From the engine's own profile of one run: what it made of the graph, not what the file says."""
        self.fitting.check(arrays)
        with TemporaryDirectory() as folder:
            options = _options(self.threads)
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "profile")
            loaded = _session(self.model, options, self.without)
            loaded.run(self.names, arrays)
            events = json.loads(Path(loaded.end_profiling()).read_text(encoding="utf-8"))
        return counted(_computed(events))


def load(model: Path | bytes, *, threads: int = 1, without: tuple[str, ...] = ()) -> OnnxRuntimeSession:
    """ONNX Runtime on the processor. An ONNX file by its path (where its weights lie in other files) or its bytes.

    `without` names the engine's own rewrites of the graph that it is to leave out.
    """
    import onnxruntime

    try:
        loaded = _session(model, _options(threads), without)
    except Exception as error:  # the engine's errors have no class in common
        raise LinnetError(f"onnxruntime {onnxruntime.__version__} cannot load the file: {one_line(error)}") from error
    inputs, outputs = _ports(loaded.get_inputs()), _ports(loaded.get_outputs())
    return OnnxRuntimeSession(onnxruntime.__version__, threads, inputs, outputs, loaded, Fitting(inputs),
                              names=list(outputs), model=model, without=without)


def _options(threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    return options


def _session(model: Path | bytes, options: Any, without: tuple[str, ...]) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"],
        disabled_optimizers=list(without))


def _computed(events: list[Any]) -> Iterator[tuple[str, bool]]:
    """Each operator that ran, and whether one of its inputs has 8 bits."""
    for event in events:
        said = event.get("args", {})
        if "op_name" in said:
            kinds = {kind for given in said.get("input_type_shape", []) for kind in given}
            yield said["op_name"], bool(kinds & _EIGHT_BITS) and said["op_name"] not in _BORDERS


def _ports(nodes: list[Any]) -> dict[str, Port]:
    return {node.name: Port(_dtype(node.type), tuple(size if isinstance(size, int) else None for size in node.shape))
            for node in nodes}


def _dtype(name: str) -> str:
    """NumPy's name of the engine's "tensor(float)"."""
    inner = name.removeprefix("tensor(").removesuffix(")")
    return _DTYPES.get(inner, inner)
