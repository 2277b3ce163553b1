"""Claim: a statement about one file, with what it rests on and what is needed to derive it again."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from linnet.errors import DamagedFileError
from linnet.evidence.scores import DataRef

Verdict = Literal["holds", "fails", "undecided"]
SCHEMA = "linnet/claim/v1"
_ROWS_LIMIT_BYTES = 256 * 1024 * 1024


class Clusters(BaseModel):
    """Rows that belong together (one speaker, one writer): the unit that was sampled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    count: int
    needed: int


class OtherSide(BaseModel):
    """The other side of a comparison, kept so that the claim can be derived again without it.

    `rows` is base64 of zlib of JSON `[[id, score], ...]`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    subject: str
    size_bytes: int | None = None
    rows: str

    @classmethod
    def pack(cls, name: str, subject: str, rows: Mapping[str, float], size_bytes: int | None = None) -> OtherSide:
        """Keep the rows of the other side, sorted by id."""
        text = json.dumps(sorted(rows.items()), separators=(",", ":"))
        packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        return cls(name=name, subject=subject, size_bytes=size_bytes, rows=packed)

    def unpack(self) -> dict[str, float]:
        """The rows as id to score. Raises DamagedFileError for anything else than what `pack` writes."""
        try:
            engine = zlib.decompressobj()
            text = engine.decompress(base64.b64decode(self.rows, validate=True), _ROWS_LIMIT_BYTES)
            if not engine.eof:
                raise ValueError("too large")
            return {str(name): float(score) for name, score in json.loads(text)}
        except (ValueError, TypeError, zlib.error) as error:
            raise DamagedFileError(f"the rows of the other side '{self.name}' cannot be read ({error}).") from error


class Claim(BaseModel):
    """Statement, population, estimate, interval, bound, level, method, n, clusters, fingerprint; and the verdict.

    `kind` and `settings` name the function of `evidence.KINDS` and its keywords, so that `verify` can ask the same
    question again. `conditions` hold what a measurement depends on (engine, version, processor, threads).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    settings: dict[str, Any]
    statement: str
    verdict: Verdict
    reason: str | None = None
    """Why the claim is undecided, and what would decide it."""
    estimate: float
    interval: tuple[float, float]
    bound: float
    level: float
    unit: str
    method: str
    n: int
    clusters: Clusters | None = None
    subject: str
    """Identity of the file that the claim speaks of."""
    data: DataRef | None = None
    than: OtherSide | None = None
    conditions: dict[str, str] = {}
    looks: int | None = None
    """How many different looks the ledger had counted at this split when the claim was made, this one included."""

    @property
    def holds(self) -> bool:
        """Whether the statement was shown at its level."""
        return self.verdict == "holds"

    def seal(self) -> str:
        """SHA-256 over every field: an edit by hand is seen, though no secret protects against a forger."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def verdict_of(claims: Sequence[Claim]) -> Verdict:
    """The verdict of all together: fails if one fails, else undecided if one is, else holds."""
    verdicts = {claim.verdict for claim in claims}
    return "fails" if "fails" in verdicts else "undecided" if "undecided" in verdicts else "holds"
