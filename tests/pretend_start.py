"""A start of a search that needs no training: removing more channels makes smaller files that are wrong more often."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from linnet.evidence import DataRef, Scores
from linnet.runtime.artifact import read
from linnet.shrink import Plan
from linnet.shrink.search.predict import Count
from linnet.shrink.search.proposals import Draw
from linnet.shrink.search.start import How, Part

CHANNELS = 10


@dataclass(frozen=True)
class PretendStart:
    """`lost` says how many of the rows a file gets wrong, by the channels that were removed."""

    lost: tuple[float, ...] = (0, 0, 0, 0.002, 0.005, 0.1, 0.2, 0.3, 0.5, 0.8)
    rows: int = 2000
    breaks: tuple[int, ...] = ()
    name: str = "pretend"
    methods: tuple[str, ...] = ("remove_channels",)
    first: tuple[Mapping[str, Any], ...] = ({"channels": 2},)

    @property
    def facts(self) -> dict[str, Any]:
        return {"lost": self.lost, "rows": self.rows}

    def propose(self, draw: Draw, goal: str) -> Plan:
        removed = int(draw.number("channels", 0, CHANNELS - 1, 1))
        return Plan({"remove_channels": {"layers": {"a": list(range(removed))}}} if removed else {})

    def write(self, path: Path) -> Path:
        return _write(path, 0)

    def make(self, plan: Plan, path: Path, how: How) -> Mapping[str, float]:
        removed = _removed(plan)
        if removed in self.breaks:
            raise ValueError("cannot\nbe made")
        _write(path, removed)
        return {"tune": 0.0}

    def count(self, plan: Plan) -> Count:
        size = CHANNELS - _removed(plan)
        return Count(size, size)

    def untuned(self, plan: Plan, seed: int) -> bytes:
        with TemporaryDirectory() as folder:
            return _write(Path(folder) / "untuned.onnx", _removed(plan)).read_bytes()

    def scores(self, path: Path, part: Part) -> Scores:
        stored = onnx.load(path).graph.initializer[0]
        removed = CHANNELS - numpy_helper.to_array(stored).shape[0] // 100
        right = np.ones(self.rows)
        right[: round(self.lost[removed] * self.rows)] = 0
        ids = [f"{part}{number}" for number in range(self.rows)]
        answers = ["right" if one else "wrong" for one in right]
        return Scores(ids, answers, ["right"] * self.rows, right, _ref(part, ids), read(path).identity,
                      groups={"voice": [self._voice(number) for number in range(self.rows)]})

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        ids = {voice: [f"{part}{number}" for number in range(self.rows) if self._voice(number) == voice]
               for voice in ("ann", "bob")}
        return {f"voice {voice}": (rows, _ref(part, rows)) for voice, rows in ids.items()}

    def _voice(self, number: int) -> str:
        return "ann" if number < self.rows // 2 else "bob"


def _removed(plan: Plan) -> int:
    return len(plan.methods["remove_channels"]["layers"]["a"])


def _ref(part: str, ids: Sequence[str]) -> DataRef:
    return DataRef(population="made-up rows", rows=len(ids), part=part,
                   fingerprint=hashlib.sha256("".join(ids).encode()).hexdigest())


def _write(path: Path, removed: int) -> Path:
    size = 100 * (CHANNELS - removed)
    weights = numpy_helper.from_array(np.ones((size, 4), np.float32), "weights")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "weights"], ["y"])], "pretend",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", size])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])], [weights])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path
