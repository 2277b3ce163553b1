"""A file to start from: an ONNX file, ours or anyone's; only what can be done after training can be done to it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet import export, tasks
from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.nn import Encoding
from linnet.runtime.artifact import read
from linnet.runtime.engines import Session
from linnet.runtime.engines import start as load
from linnet.runtime.inputs import beginning
from linnet.shrink.method import Materials
from linnet.shrink.methods import check
from linnet.shrink.methods.int8 import Int8
from linnet.shrink.plan import Plan
from linnet.shrink.search.predict import Count, count
from linnet.shrink.search.proposals import CALIBRATIONS, Draw, propose
from linnet.shrink.search.samples import Samples, read_samples
from linnet.shrink.search.start import How, Part, groups_of
from linnet.tasks import Arrays, Task

FIRST: tuple[Mapping[str, Any], ...] = tuple({"arithmetic": "int8", "int8.calibration": name, "int8.repairs": "none"}
                                             for name in CALIBRATIONS)


class Asking(Protocol):
    """The data that a file is asked about."""

    def scores(self, file: Asked, part: Part) -> Scores:
        """Of every row of the part."""
        ...

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """By "column value"."""
        ...

    def calibration(self, rows: int, seed: int) -> Arrays:
        """Rows that are neither validation nor test."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What the scores depend on."""
        ...


@dataclass(frozen=True)
class Asked:
    """A loaded file; a predictor like any other, with a card or without."""

    session: Session = field(repr=False)
    identity: str
    name: str

    def __call__(self, arrays: Arrays) -> Arrays:
        return self.session.run({**arrays, **beginning(self.session.inputs, len(next(iter(arrays.values()), ())))})

    def first(self, arrays: Arrays) -> NDArray[Any]:
        """Its first output."""
        return next(iter(self(arrays).values()))


@dataclass(frozen=True)
class OfTask:
    """A task and its splits."""

    task: Task
    data: Splits

    def scores(self, file: Asked, part: Part) -> Scores:
        """As `tasks.evaluate`."""
        return tasks.evaluate(file, self.task, getattr(self.data, part))

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """The values of the task's groups."""
        return groups_of(self.task, getattr(self.data, part))

    def calibration(self, rows: int, seed: int) -> Arrays:
        """Training samples."""
        return Materials(self.task, self.data, seed).samples(rows)

    @property
    def facts(self) -> dict[str, Any]:
        """The task and every part."""
        return {"task": self.task.to_json(), "data": {part: dataset.fingerprint for part, dataset in self.data}}


@dataclass(frozen=True)
class OfArrays:
    """Arrays from a file."""

    samples: Samples

    def scores(self, file: Asked, part: Part) -> Scores:
        """As `Samples.scores`."""
        return self.samples.scores(file.first, part, subject=file.identity, subject_name=file.name)

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """Those that the arrays name."""
        return self.samples.grouped(part)

    def calibration(self, rows: int, seed: int) -> Arrays:
        """Of the part that is kept for this."""
        some = np.random.default_rng(seed).permutation(self.samples.parts["train"])[:rows]
        return self.samples.some(np.sort(some))

    @property
    def facts(self) -> dict[str, Any]:
        """All rows."""
        return {"samples": self.samples.fingerprint, "seed": self.samples.seed}


@dataclass(frozen=True)
class FileStart:
    """An ONNX file and the data to ask it about."""

    path: Path
    asking: Asking
    engine: str = "onnxruntime"
    threads: int = 1

    methods = ("int8",)
    first = FIRST

    @property
    def name(self) -> str:
        """That of the file."""
        return self.path.stem

    @property
    def facts(self) -> dict[str, Any]:
        """The file and its data."""
        return {"file": read(self.path).identity, **self.asking.facts}

    def propose(self, draw: Draw, goal: str) -> Plan:
        """Eight bits, in one way or another."""
        return propose(draw, None, self.methods, goal)

    def write(self, path: Path) -> Path:
        """A copy without claims, which speak of the file's name and place of old."""
        artifact = read(self.path)
        if artifact.external_files:
            raise LinnetError(f"{self.path.name} keeps weights in other files ({', '.join(artifact.external_files)}); "
                              "save it as one file: onnx.save(onnx.load(path), path).")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.path, path)
        return path

    def make(self, plan: Plan, path: Path, how: How) -> Mapping[str, float]:
        """Quantize the file after training."""
        begin = time.perf_counter()
        settings = check(plan)["int8"]
        assert isinstance(settings, Int8)
        encoding = Encoding(bits=8, calibration=settings.calibration, repairs=tuple(settings.repairs),
                            exclude=tuple(settings.exclude))
        export.quantize_file(self.path, path, self.asking.calibration(settings.samples, how.seed), encoding=encoding)
        return {"tune": 0.0, "export": time.perf_counter() - begin}

    def count(self, plan: Plan) -> Count:
        """Of the file; no method here changes what is computed."""
        del plan
        return count(onnx.load(self.path))

    def untuned(self, plan: Plan, seed: int) -> bytes:
        """The file itself; no method here needs tuning."""
        del plan, seed
        return self.path.read_bytes()

    def scores(self, path: Path, part: Part) -> Scores:
        """Ask a file."""
        return self.asking.scores(asked(path, self.name, engine=self.engine, threads=self.threads), part)

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """Those of the data."""
        return self.asking.groups(part)


def asked(path: Path, name: str, *, engine: str = "onnxruntime", threads: int = 1) -> Asked:
    """Load any ONNX file."""
    artifact = read(path)
    return Asked(load(artifact.content, engine=engine, threads=threads), artifact.identity, name)


def arrays_of(model: Path, samples: Path, *, engine: str = "onnxruntime", threads: int = 1, seed: int = 0) -> OfArrays:
    """The arrays in an .npz for a file; LinnetError where they do not fit its inputs."""
    right = asked(model, model.stem, engine=engine, threads=threads)
    found = read_samples(samples, list(right.session.inputs), right.first, seed=seed)
    right.first(found.some(np.array([0])))  # says what does not fit
    return OfArrays(found)

