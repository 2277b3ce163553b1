"""The adapter for OpenVINO on the processor: https://docs.openvino.ai."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError, missing_extra
from linnet.runtime.engines.session import Fitting, Port, counted, one_line
from linnet.tasks import Arrays

_TELEMETRY = "openvino_telemetry"
_NOT_COMPUTED = frozenset({"Const", "Input", "Output"})
_EIGHT_BITS = ("i8", "u8")
_BORDERS = frozenset({"Convert", "Reorder"})
"""They only change how numbers are written."""
_WANTED = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
"""Left alone, the engine computes float files in bfloat16 on processors that have it, and answers otherwise."""


@dataclass(frozen=True)
class OpenVinoSession:
    """A file loaded by OpenVINO; `run` is for one thread at a time."""

    version: str
    threads: int
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    compiled: Any
    """The openvino.CompiledModel."""
    request: Any
    """Its inference request."""
    fitting: Fitting = field(repr=False)
    engine: str = "openvino"

    def run(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays."""
        self.fitting.check(arrays)
        try:
            answers = self.request.infer(dict(arrays), share_inputs=True)
        except Exception as error:  # the engine's errors have no class in common
            raise LinnetError(f"openvino {self.version} cannot run the file: {one_line(error)}") from error
        return {name: answers[place] for place, name in enumerate(self.outputs)}

    def operators(self, arrays: Arrays) -> dict[str, dict[str, int]]:
        """From the graph that the engine compiled."""
        self.fitting.check(arrays)
        return counted(_computed(self.compiled.get_runtime_model().get_ordered_ops()))


def load(model: Path | bytes, *, threads: int = 1) -> OpenVinoSession:
    """OpenVINO on the processor; pip install "linnet[openvino]". An ONNX file by its path or its bytes."""
    openvino = _imported()
    version = openvino.__version__.partition("-")[0]
    try:
        core = openvino.Core()
        read = core.read_model(str(model) if isinstance(model, Path) else model)
        compiled = core.compile_model(read, "CPU", {**_WANTED, "INFERENCE_NUM_THREADS": threads})
        request = compiled.create_infer_request()
    except Exception as error:  # the engine's errors have no class in common
        raise LinnetError(f"openvino {version} cannot load the file: {one_line(error)}") from error
    inputs, outputs = _ports(compiled.inputs), _ports(compiled.outputs)
    return OpenVinoSession(version, threads, inputs, outputs, compiled, request, Fitting(inputs))


def _imported() -> Any:
    try:
        with _without_telemetry():
            import openvino
    except ModuleNotFoundError as error:
        if error.name != "openvino":
            raise
        raise missing_extra("openvino", "openvino") from error
    return openvino


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """The package reports its import to its maker and keeps an identifier in the home folder, unless this is absent."""
    if _TELEMETRY in sys.modules:
        yield
        return
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]


def _computed(nodes: list[Any]) -> Iterator[tuple[str, bool]]:
    """Each operator of the compiled graph, and whether it computes on 8 bits."""
    for node in nodes:
        said = node.get_rt_info()
        kind = str(said["layerType"].value)
        if kind not in _NOT_COMPUTED:
            yield kind, said["runtimePrecision"].value in _EIGHT_BITS and kind not in _BORDERS


def _ports(sides: list[Any]) -> dict[str, Port]:
    return {side.get_any_name(): Port(
        _dtype(side.get_element_type()), tuple(int(size.get_length()) if size.is_static else None
                                               for size in side.get_partial_shape())) for side in sides}


def _dtype(kind: Any) -> str:
    """NumPy's name of the engine's element type."""
    return "string" if kind.get_type_name() == "string" else "bool" if kind.get_type_name() == "boolean" else str(
        kind.to_dtype().name)
