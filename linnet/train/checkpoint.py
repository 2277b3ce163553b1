"""The whole state of a training in one safetensors file, its plain values as JSON in the header."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from linnet.errors import LinnetError
from linnet.files import replacing

log = logging.getLogger("linnet")


def save(path: Path, key: str, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Write beside, then rename: a kill leaves the old checkpoint or the new one, never half of one."""
    flat = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        with replacing(path) as partial:
            save_file(flat, partial, metadata={"key": key, "state": json.dumps(state)})
    except (SafetensorError, OSError) as error:
        raise LinnetError(f"{path} cannot be written ({error}); the checkpoint before it is as it was, training "
                          "resumes there. Is the disk full?") from error


def load(path: Path, key: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """The tensors and plain values of the training `key`; None (and said) where there is another or a broken one."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("key") == key:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(header["state"])  # noqa: SIM118
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        log.warning("the checkpoint %s cannot be read (%s): training starts anew.", path, error)
        return None
    log.warning("the checkpoint %s is of another training (data, model or settings changed): it starts anew.", path)
    return None


def prefixed(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors with a name in front."""
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors that carry the prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
