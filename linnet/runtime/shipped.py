"""Shipped: an ONNX file with its card, loaded into an engine; a predictor like any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from linnet.errors import DamagedFileError, LinnetError
from linnet.evidence import Claim, Size
from linnet.runtime.artifact import Artifact, read
from linnet.runtime.beside import with_acoustic
from linnet.runtime.card import GIVEN_ON, KEPT, ArraySpec, Card, read_card
from linnet.runtime.claims import SealedClaim, read_claims
from linnet.runtime.engines import COMPANIONS, Port, Session, start
from linnet.runtime.inputs import beginning
from linnet.tasks import Arrays, Task, from_json

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Shipped:
    """A file that ships, ready to answer: `shipped({"audio": (batch, samples)})` gives {"logits": (batch, classes)}.

    `task` is made from the card: `tasks.evaluate(shipped, shipped.task, dataset)` asks what the file was made for.
    """

    path: Path
    card: Card
    task: Task
    sealed: tuple[SealedClaim, ...]
    artifact: Artifact = field(repr=False)
    session: Session = field(repr=False)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims as they are recorded; `runtime.verify` says what they are worth."""
        return tuple(entry.claim for entry in self.sealed)

    @property
    def name(self) -> str:
        """The model's name, from the card."""
        return self.card.name

    @property
    def identity(self) -> str:
        """SHA-256 of the file without its claims."""
        return self.artifact.identity

    @property
    def size(self) -> Size:
        """The size of the file without its claims, for `evidence.size_below`."""
        return Size(self.artifact.size_without_claims_bytes, self.identity, self.name)

    def __call__(self, arrays: Arrays) -> Arrays:
        """Named input arrays to named output arrays; raises LinnetError where they do not fit.

        A file that takes a stream begins with silence here, and keeps nothing: `runtime.Stream` goes on.
        """
        if not self.card.state:
            return self.session.run(arrays)
        answers = self.session.run({**arrays, **beginning(self.session.inputs, len(next(iter(arrays.values()), ())))})
        return {name: answers[name] for name in self.card.output}


def load(path: str | Path, *, engine: str = "onnxruntime", threads: int = 1) -> Shipped:
    """Load a file that `export.write` made. Raises LinnetError for any other, DamagedFileError for a broken one.

    The engine is given the very bytes whose identity was taken. A claim that was edited is said as a warning.
    """
    shipped = unpack(path, engine=engine, threads=threads)
    for number, entry in enumerate(shipped.sealed, start=1):
        if not entry.is_intact:
            log.warning("claim %d in %s was changed after it was made: do not trust it.", number, shipped.artifact.name)
    return shipped


def unpack(path: str | Path, *, engine: str = "onnxruntime", threads: int = 1) -> Shipped:
    """The same as `load`, silently."""
    artifact = read(path)
    card = read_card(artifact)
    sealed = read_claims(artifact)
    if artifact.external_files:
        raise LinnetError(f"{artifact.name} keeps weights in other files ({', '.join(artifact.external_files)}), of "
                          "which its claims cannot speak; export it as one file.")
    model = Path(path) if engine in COMPANIONS else artifact.content
    session = start(model, engine=engine, threads=threads)
    taken, given = ({prefix + name: spec for name, spec in card.state.items()} for prefix in (KEPT, GIVEN_ON))
    _check("input", {**card.input, **taken}, session.inputs, artifact.name)
    _check("output", {**card.output, **given}, session.outputs, artifact.name)
    task = with_acoustic(from_json(card.task), Path(path), load)
    return Shipped(Path(path), card, task, sealed, artifact, session)


def _check(side: str, said: Mapping[str, ArraySpec], found: Mapping[str, Port], name: str) -> None:
    expected = {key: str(Port(spec.dtype, (None, *spec.shape))) for key, spec in said.items()}
    actual = {key: str(Port(port.dtype, (None, *port.shape[1:]))) for key, port in found.items()}
    if expected != actual:
        raise DamagedFileError(f"the card in {name} does not fit its graph: the card says {side} {expected}, "
                               f"the graph has {actual}.")
