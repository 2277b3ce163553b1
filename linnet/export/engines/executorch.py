"""ExecuTorch with its XNNPACK backend: a .pte file, https://docs.pytorch.org/executorch.

In 8 bits by XNNPACK's own quantizer: weights per channel, activations per tensor, ranges from the calibration samples.
What XNNPACK does not take runs in ExecuTorch's portable kernels, in float, and splits the graph; it is said.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from linnet.errors import LinnetError, missing_extra
from linnet.export.engines.making import Making
from linnet.files import replacing
from linnet.runtime.engines import start
from linnet.runtime.engines.executorch import FACTS, SUFFIX
from linnet.runtime.engines.session import counted

log = logging.getLogger("linnet")
_WRITTEN_OTHERWISE = ("view_copy", "_clone_dim_order", "unsqueeze_copy", "squeeze_copy", "slice_copy", "permute_copy",
                      "getitem", "quantize_per", "dequantize_per")
"""Operators that compute nothing."""


def write(making: Making, path: Path) -> Path:
    """The .pte file beside the ONNX file at `path`."""
    try:
        with _quiet():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
            from executorch.exir import to_edge_transform_and_lower
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "executorch", "executorch") from error
    target = path.with_suffix(SUFFIX)
    try:
        with _quiet(), torch.no_grad():
            module = _quantized(making) if making.model.bits == 8 else making.module
            program = torch.export.export(module, making.example)
            edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
            operators, outside = _operators(edge.exported_program().graph_module)
            facts = {**making.ports, "identity": making.identity, "operators": operators}
            edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()],
                                               constant_methods={FACTS: _as_tensor(facts)})
            content = edge.to_executorch().buffer
            simulated = np.concatenate([module(*row).numpy() for row in making.rows(making.few)])
    except LinnetError:
        raise
    except Exception as error:  # torch's and the package's errors have no class in common
        raise LinnetError(f"model '{making.model.name}' cannot be converted for executorch: "
                          f"{' '.join(str(error).split())[:400]}") from error
    if outside:
        log.warning("executorch: outside of XNNPACK, in portable float kernels: %s.", ", ".join(
            f"{count} {name}" for name, count in sorted(outside.items())))
    if making.model.bits == 8 and not operators["int8"]:
        raise LinnetError(f"executorch computes nothing of model '{making.model.name}' in int8, though 8 bits were "
                          "asked for. Convert the float model.")
    with replacing(target) as partial:
        partial.write_bytes(content)
    try:
        ((_, answers),) = start(target, engine="executorch").run(making.few).items()
        making.compare(answers, simulated, "executorch")
    except LinnetError:
        target.unlink()
        raise
    return target


def _quantized(making: Making) -> torch.nn.Module:
    """The network with quantization around the layers that are to compute in 8 bits."""
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    config = get_symmetric_quantization_config(is_per_channel=True)
    module = making.module
    quantizer = XNNPACKQuantizer().set_global(config).set_filter_function(
        lambda node: not any(making.excludes(path) for path in _modules(node)))
    prepared = prepare_pt2e(torch.export.export(module, making.example).module(), quantizer)
    for row in making.calibration:
        prepared(*row)
    converted: torch.nn.Module = convert_pt2e(prepared)
    return converted


def _modules(node: Any) -> list[str]:
    """The modules that the operator lies in."""
    return [path for path, _ in node.meta.get("nn_module_stack", {}).values()]


def _operators(graph: Any) -> tuple[dict[str, dict[str, int]], Counter[str]]:
    """What computes, by precision; and what is left outside of the backend."""
    inside = [node for _, part in graph.named_children() if hasattr(part, "original_module")
              for node in part.original_module.graph.nodes if _computes(node)]
    outside = [node for node in graph.graph.nodes if _computes(node) and "call_delegate" not in str(node.target)]
    found = [(_name(node), _is_narrow(node)) for node in inside] + [(_name(node), False) for node in outside]
    return counted(found), Counter(_name(node) for node in outside)


def _computes(node: Any) -> bool:
    return node.op == "call_function" and not _name(node).startswith(_WRITTEN_OTHERWISE)


def _name(node: Any) -> str:
    """ "convolution" for aten.convolution.default."""
    parts = getattr(node.target, "__name__", str(node.target)).split(".")
    return parts[1] if len(parts) > 2 else parts[0]


def _is_narrow(node: Any) -> bool:
    """Whether what goes in was made of 8 bits just before: the backend melts the two into one."""
    sources = [source for source in node.all_input_nodes if source.op == "call_function"]
    return bool(sources) and all(_name(source).startswith("dequantize_per") for source in sources)


def _as_tensor(facts: dict[str, Any]) -> torch.Tensor:
    """A text as the file can keep it."""
    return torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
