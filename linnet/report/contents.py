"""Contents: everything that a report may hold; what was not made is simply absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.evidence import Claim, Scores
from linnet.introspect import Findings

if TYPE_CHECKING:
    from linnet.evidence import Look
    from linnet.runtime import Bench, Card
    from linnet.tasks import Task


@dataclass(frozen=True)
class Contents:
    """What a run made. Everything but the name is optional; a section without contents does not appear."""

    name: str
    task: Task | None = None
    data: Sequence[Mapping[str, Any]] = ()
    """The parts as `data.describe` tells them: part, rows, groups, fingerprint, origin."""
    histories: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """A model's epochs: epoch, train_loss, validation_loss, validation_accuracy, learning_rate, seconds."""
    before: Scores | None = None
    """The model that the shipped file was made from, on the same samples as `after`."""
    after: Scores | None = None
    """The shipped file on the test part."""
    claims: Sequence[Claim] = ()
    benches: Sequence[Bench] = ()
    """The float file first, where there is one, and the shipped file."""
    card: Card | None = None
    findings: Mapping[str, Findings] = field(default_factory=dict)
    looks: Sequence[Look] = ()
    """Every look that the ledger holds at the test part."""
    environment: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    file: Path | None = None
    verify_command: str = ""
