"""A model as a folder with one safetensors file: weights, calibration, the rest as JSON in its header. No pickle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from linnet.errors import DamagedFileError, LinnetError
from linnet.files import replacing
from linnet.nn.encoding import Encoding
from linnet.nn.model import Model
from linnet.nn.own import FAMILY, wrap
from linnet.nn.zoo import build

SCHEMA = "linnet/model/v2"
FILE = "model.safetensors"
_FACTS = ("schema", "name", "identity", "spec", "encoding", "history", "notes")
_BEFORE = "linnet/model/v1"
"""Said only the bits where now an encoding stands."""


def save(model: Model, folder: str | Path) -> None:
    """Write `folder`/model.safetensors beside and rename it, so that a kill leaves the old model or the new one."""
    path = Path(folder) / FILE
    arrays = {f"weights.{name}": tensor.detach().cpu().numpy() for name, tensor in model.module.state_dict().items()}
    arrays |= {f"calibration.{name}": values for name, values in (model.calibration or {}).items()}
    facts = {"schema": SCHEMA, "name": model.name, "identity": model.identity, "spec": model.spec,
             "encoding": model.encoding.to_json(), "history": model.history, "notes": model.notes}
    try:
        with replacing(path) as partial:
            save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, partial,
                      metadata={"model": json.dumps(facts, default=dict)})
    except SafetensorError as error:
        raise LinnetError(f"{path} cannot be written ({error}); what was there is as it was. "
                          "Is the disk full?") from error


def load(folder: str | Path, *, into: torch.nn.Module | None = None) -> Model:
    """Read what `save` wrote. Raises DamagedFileError for a file that is cut off, or whose weights were changed.

    A model around a module of your own (`nn.own`) needs that module again, with any weights: `into` is copied.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise LinnetError(f"there is no model in {folder}: {FILE} is missing. Give a folder that nn.save wrote.")
    facts, arrays = _read(path)
    model = _built(facts["spec"], into, path)
    weights = {name: torch.from_numpy(values) for name, values in _named(arrays, "weights.").items()}
    try:
        model.module.load_state_dict(weights)
    except RuntimeError as error:
        raise DamagedFileError(f"the weights in {path} do not fit the network: {error}") from error
    loaded = replace(model, name=facts["name"], encoding=Encoding.from_json(facts["encoding"]),
                     calibration=_named(arrays, "calibration.") or None, history=tuple(facts["history"]),
                     notes=facts["notes"])
    if loaded.identity != facts["identity"]:
        raise DamagedFileError(f"the weights in {path} were changed after they were saved; save the model again.")
    loaded.module.eval()
    return loaded


def _built(spec: dict[str, Any], into: torch.nn.Module | None, path: Path) -> Model:
    if spec.get("family") != FAMILY:
        return build(spec)
    if into is None:
        raise LinnetError(f"{path} holds a module of your own, {spec['class']}, without its code: "
                          f"nn.load(folder, into={spec['class']}(...)), made as it was before nn.own.")
    return Model(wrap(into, spec), spec)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {})["model"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DamagedFileError(f"{path} cannot be read as a saved model ({error!r}); save the model again.") from error
    if isinstance(facts, dict) and facts.get("schema") == _BEFORE and "bits" in facts:
        facts |= {"schema": SCHEMA, "encoding": Encoding(bits=facts.pop("bits")).to_json()}
    if not isinstance(facts, dict) or set(facts) != set(_FACTS) or facts["schema"] != SCHEMA:
        raise DamagedFileError(f"{path} does not describe a model of schema '{SCHEMA}'; save the model again.")
    return facts, arrays


def _named(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
