"""Writing nodes and constants in front of a graph; numbers of one base share one unpacking over all layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.export.packing.digits import words_for

Part = tuple[str, NDArray[np.integer[Any]]]

_UNPACKING_BYTES = 230
"""What the operators that unpack one base take, beside the powers of the base."""


class Writing:
    """Collects what unpacks; `into` puts it in front of everything else."""

    def __init__(self) -> None:
        self.constants: list[onnx.TensorProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._streams: dict[int, list[Part]] = defaultdict(list)
        self._names = count()

    def constant(self, values: NDArray[Any]) -> str:
        """The name under which these values are stored; the same ones are stored once."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._known:
            self._known[key] = self._fresh()
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), self._known[key]))
        return self._known[key]

    def node(self, operator: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Add an operator; the name of what it gives."""
        given = output or self._fresh()
        self._nodes.append(onnx.helper.make_node(operator, list(inputs), [given], **attributes))
        return given

    def digits(self, values: NDArray[np.integer[Any]], base: int) -> str:
        """The name of these numbers below `base`, int64 (count,), which the graph unpacks."""
        name = self._fresh()
        self._streams[base].append((name, values))
        return name

    def split(self, name: str, parts: Mapping[str, NDArray[Any]]) -> list[str]:
        """Cut a row into parts as long as these, under their names, which are given back."""
        outputs = list(parts)
        if len(outputs) == 1:
            self.node("Identity", [name], outputs[0])
        else:
            lengths = self.constant(np.array([len(values) for values in parts.values()], np.int64))
            self._nodes.append(onnx.helper.make_node("Split", [name, lengths], outputs))
        return outputs

    def into(self, graph: onnx.GraphProto) -> None:
        """Put it all in front."""
        collected, self._nodes = self._nodes, []
        for base, parts in sorted(_merged(self._streams).items()):
            self._unpack(base, parts)
        behind = [*self._nodes, *collected, *graph.node]
        del graph.node[:]
        graph.node.extend(behind)
        graph.initializer.extend(self.constants)

    def _unpack(self, base: int, parts: Sequence[Part]) -> None:
        words = words_for(base)
        stored = self.constant(words.pack(np.concatenate([values for _, values in parts])))
        if words.dtype is np.uint8:
            stored = self.node("Cast", [stored], to=onnx.TensorProto.INT64)
        shifted = self.node("Div", [stored, self.constant(words.powers)])
        digits = self.node("Mod", [shifted, self.constant(np.array(base, np.int64))])
        row = self.node("Reshape", [digits, self.constant(np.array([-1], np.int64))])
        sizes = [len(values) for _, values in parts]
        left = -sum(sizes) % words.per_word
        outputs = [name for name, _ in parts] + ([self._fresh()] if left else [])
        lengths = self.constant(np.array(sizes + ([left] if left else []), np.int64))
        self._nodes.append(onnx.helper.make_node("Split", [row, lengths], outputs))

    def _fresh(self) -> str:
        return f"packed.{next(self._names)}"


def _merged(streams: Mapping[int, list[Part]]) -> dict[int, list[Part]]:
    """Few numbers of a base join those of the next one where that takes less than to unpack them apart."""
    merged = {base: list(parts) for base, parts in streams.items()}
    for base in sorted(merged):
        larger = min((other for other in merged if other > base), default=None)
        if larger is not None:
            added = words_for(larger).bits - words_for(base).bits
            if sum(len(values) for _, values in merged[base]) * added / 8 < _UNPACKING_BYTES:
                merged[larger] = [*merged.pop(base), *merged[larger]]
    return merged
