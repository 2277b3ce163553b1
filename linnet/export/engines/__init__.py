"""Files for engines that take no ONNX: made from the model, beside the ONNX file that they belong to.

Each says whose it is (the ONNX file's identity), what goes in and comes out, and what runs in which precision.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from linnet.errors import LinnetError, unknown
from linnet.export.engines import coreml, executorch
from linnet.export.engines.making import Making
from linnet.export.samples import made_up
from linnet.nn import Model
from linnet.runtime import read, read_card
from linnet.tasks import Arrays

log = logging.getLogger("linnet")

CONVERTERS: dict[str, Callable[[Making, Path], Path]] = {"executorch": executorch.write, "coreml": coreml.write}
"""By the engine's name."""


def convert(model: Model, path: str | Path, *, engine: str, samples: Arrays | None = None) -> Path:
    """Write `model` for `engine` beside the ONNX file at `path`, which `export.write` made of the same model.

    Answers are compared with the model's on `samples` (without them the calibration samples, or noise) where the engine
    runs on this machine. What the engine computes in another way than asked is said as a warning. Raises LinnetError
    where the file would answer otherwise, or the model's inputs have sizes that the engine must know beforehand.
    """
    if engine not in CONVERTERS:
        raise unknown("engine that takes no ONNX", engine, CONVERTERS)
    artifact = read(path)
    if read_card(artifact).model != dict(model.spec):
        raise LinnetError(f"{artifact.name} was not written from model '{model.name}'; give the file that export.write "
                          "made of it.")
    for entry in model.spec["inputs"]:
        if None in entry["shape"]:
            raise LinnetError(f"{engine} must know every size beforehand; '{entry['name']}' of model '{model.name}' is "
                              f"of any length ({entry['shape']}). Export a model with a fixed window.")
    given = samples or model.calibration or made_up(model.spec)
    return CONVERTERS[engine](Making(model, given, artifact.identity), Path(path))


__all__ = ["CONVERTERS", "Making", "convert"]
