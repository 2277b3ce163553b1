"""The file of an engine that takes no ONNX: it lies beside the ONNX file and says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.errors import DamagedFileError, LinnetError
from linnet.runtime.artifact import read
from linnet.runtime.engines.session import Port


@dataclass(frozen=True)
class Facts:
    """What goes in, what comes out, and which operators compute in which precision."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    operators: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, said: Any, path: Path, identity: str | None) -> Facts:
        """From JSON; raises LinnetError where the file at `path` was made for another ONNX file."""
        try:
            if identity not in (None, said["identity"]):
                raise LinnetError(f"{path.name} was made for another file than the ONNX file beside it; convert the "
                                  "model again (export.convert).")
            inputs, outputs = ({name: Port(port["dtype"], (None, *port["shape"])) for name, port in said[side].items()}
                               for side in ("inputs", "outputs"))
            return cls(inputs, outputs, said["operators"])
        except (KeyError, TypeError, AttributeError) as error:
            raise DamagedFileError(f"{path.name} does not say what it takes; convert the model again "
                                   "(export.convert).") from error


def companion(model: Path | bytes, suffix: str, engine: str) -> tuple[Path, str | None]:
    """The engine's file, and the identity that it must have been made for: None where the file itself was named."""
    if isinstance(model, bytes):
        raise LinnetError(f"{engine} cannot load the file: it takes no ONNX, only a {suffix} file beside one. Give the "
                          f"ONNX file's path, and make that file with export.convert(model, path, engine='{engine}').")
    if model.suffix == suffix:
        if not model.exists():
            raise LinnetError(f"there is no file {model}.")
        return model, None
    path = model.with_suffix(suffix)
    if not path.exists():
        raise LinnetError(f"{engine} cannot load the file: it takes no ONNX, and there is no {path.name} beside "
                          f"{model.name}. Make it with export.convert(model, '{model.name}', engine='{engine}').")
    return path, read(model).identity
