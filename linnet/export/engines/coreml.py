"""Core ML: a .mlpackage for Apple's devices, https://apple.github.io/coremltools. Made and inspected on any system.

Core ML's own ranges of activations can be read on a Mac only, so 8 bits here are those of the weights; palettes and
zeros are stored as such. It is said which.
"""

from __future__ import annotations

import json
import logging
import shutil
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from linnet.errors import LinnetError, missing_extra
from linnet.export.engines.making import Making
from linnet.runtime.engines.coreml import FACTS, SUFFIX
from linnet.runtime.engines.session import FLOAT, INT8

log = logging.getLogger("linnet")
_DATA = ("const", "constexpr_")
"""Operators that hold weights and compute nothing."""


def write(making: Making, path: Path) -> Path:
    """The .mlpackage beside the ONNX file at `path`; a package that was there is replaced."""
    try:
        import coremltools
    except ModuleNotFoundError as error:
        raise missing_extra("coremltools", "coreml") from error
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            example = tuple(map(_as_taken, making.example))
            program = torch.export.export(making.module, example).run_decompositions({})
            output = making.model.spec["output"]["name"]
            made = coremltools.convert(
                program, convert_to="mlprogram", minimum_deployment_target=coremltools.target.iOS17,
                compute_precision=coremltools.precision.FLOAT32, outputs=[coremltools.TensorType(name=output)])
            made = _narrowed(coremltools, made, making)
    except Exception as error:  # torch's and the package's errors have no class in common
        raise LinnetError(f"model '{making.model.name}' cannot be converted for coreml: "
                          f"{' '.join(str(error).split())[:400]}") from error
    operators = inspect(made)
    stored = {name: count for name, count in operators[INT8].items() if name.startswith("constexpr_")}
    if making.model.bits == 8:
        log.warning("coreml: %s; weights are stored in 8 bits, activations are computed in float.",
                    ", ".join(f"{count} {name}" for name, count in stored.items()) or "nothing became narrow")
    made.user_defined_metadata[FACTS] = json.dumps(
        {**making.ports, "identity": making.identity, "operators": operators})
    target = path.with_suffix(SUFFIX)
    partial = target.with_name(f"{target.stem}.partial{SUFFIX}")
    shutil.rmtree(partial, ignore_errors=True)
    made.save(str(partial))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def _as_taken(values: torch.Tensor) -> torch.Tensor:
    """Core ML's arrays are floats or int32; the adapter hands whole numbers over as such."""
    return values if values.is_floating_point() else values.to(torch.int32)


def inspect(package: Any) -> dict[str, dict[str, int]]:
    """Operators of a package by precision: the narrow ones hold weights in few bits, all others compute in float."""
    found: dict[str, Counter[str]] = {INT8: Counter(), FLOAT: Counter()}
    for function in package.get_spec().mlProgram.functions.values():
        for block in function.block_specializations.values():
            for operation in block.operations:
                if operation.type.startswith("constexpr_"):
                    found[INT8][operation.type] += 1
                elif not operation.type.startswith(_DATA):
                    found[FLOAT][operation.type] += 1
    return {precision: dict(sorted(counts.items())) for precision, counts in found.items()}


def _narrowed(coremltools: Any, made: Any, making: Making) -> Any:
    """The package with palettes, zeros and 8-bit weights stored as the model's encoding asks."""
    optimize = coremltools.optimize.coreml
    encoding = making.model.encoding
    if encoding.sparse:
        config = optimize.OptimizationConfig(optimize.OpThresholdPrunerConfig(threshold=1e-12,
                                                                              minimum_sparsity_percentile=0.3))
        made = optimize.prune_weights(made, config)
    if encoding.palettes:
        made = optimize.palettize_weights(made, optimize.OptimizationConfig(optimize.OpPalettizerConfig(mode="unique")))
    if encoding.bits == 8:
        config = optimize.OptimizationConfig(optimize.OpLinearQuantizerConfig(mode="linear_symmetric"))
        made = optimize.linear_quantize_weights(made, config)
    return made
