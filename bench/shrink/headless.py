"""A network without its front end, as the peers take it."""

from __future__ import annotations

import copy
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

from linnet import nn


def headless(module: torch.nn.Module) -> torch.nn.Module:
    """The network that takes what the front end makes; without lengths, so that nothing is padding."""
    body = copy.deepcopy(nn.fold_normalisation(module)).eval()
    if hasattr(body, "front"):
        body.front.forward = lambda picture: picture
    return body


def write(module: torch.nn.Module, picture: np.ndarray, path: Path) -> None:
    """The network as ONNX for pictures (batch 1, 1, any number of frames, bands), named front."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(headless(module), (torch.from_numpy(picture),), plain, dynamo=True, external_data=False,
                          input_names=["front"], dynamic_shapes=({2: torch.export.Dim.DYNAMIC},), verbose=False)
        onnx.save(onnx.load(plain), path)
