"""Claim: a statement about one file, with what it rests on and what is needed to derive it again."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, FiniteFloat, PlainSerializer, PrivateAttr, WithJsonSchema

from linnet.errors import DamagedFileError, LinnetError
from linnet.evidence.scores import DataRef, Scores
from linnet.evidence.settings import Verdict

SCHEMA = "linnet/claim/v1"
_ROWS_LIMIT_BYTES = 256 * 1024 * 1024


def _read_upper(value: Any) -> Any:
    if isinstance(value, float) and (math.isnan(value) or value == -math.inf):
        raise ValueError("an upper bound is a number, or infinite where nothing bounds")
    return math.inf if value is None else value


def _write_upper(value: float) -> float | None:
    return None if value == math.inf else value


UpperBound = Annotated[
    float, BeforeValidator(_read_upper), PlainSerializer(_write_upper, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}], "description": "null: nothing bounds it"}),
]
"""A number, or infinity where too little was seen to bound it; JSON has no infinity, so it is null there."""


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
    def of(cls, scores: Scores, size_bytes: int | None = None) -> OtherSide:
        """The other side of a comparison, from its scores."""
        rows = dict(zip(scores.ids, scores.score.tolist(), strict=True))
        return cls.pack(scores.subject_name, scores.subject, rows, size_bytes)

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
            rows = json.loads(text)
            scores = {str(name): float(score) for name, score in rows}
            if len(scores) != len(rows) or not all(0 <= score <= 1 for score in scores.values()):
                raise ValueError("an id is there twice, or a score is not from 0 to 1")
            return scores
        except (ValueError, TypeError, RecursionError, zlib.error) as error:
            raise DamagedFileError(f"the rows of the other side '{self.name}' cannot be read ({error}).") from error


@dataclass(eq=False)
class _Again:
    """How a claim is asked again. It is no part of what the claim says, so any two count as equal."""

    ask: Callable[..., Claim] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Again)

    __hash__ = None  # type: ignore[assignment]


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
    estimate: FiniteFloat
    interval: tuple[FiniteFloat, UpperBound]
    """The two one-sided bounds, each sure at `level`; both together at 2 * level - 1."""
    bound: FiniteFloat
    level: FiniteFloat
    unit: str
    """Of estimate, interval and bound: "share" (of the samples), "score" (graded, 0 to 1), "ms", "KB" (1,000 bytes)."""
    method: str
    n: int
    clusters: Clusters | None = None
    subject: str
    """Identity of the file that the claim speaks of."""
    data: DataRef | None = None
    than: OtherSide | None = None
    conditions: dict[str, str] = {}
    looks: int | None = None
    """How many files had been held against these data when this one first was, itself included (see the ledger)."""
    tested_level: FiniteFloat | None = None
    """At which level it was tested, so that all those files together keep `level`; None where no look was paid for."""
    _again: _Again = PrivateAttr(default_factory=_Again)

    @property
    def holds(self) -> bool:
        """Whether the statement was shown at its level."""
        return self.verdict == "holds"

    def derivable(self, ask: Callable[..., Claim]) -> Claim:
        """The same claim, knowing how it is asked again as the claim of the n-th file: `ask(look=n)`."""
        self._again.ask = ask
        return self

    def at_look(self, look: int) -> Claim:
        """The claim as that of the n-th file held against its data: tested at `spending.level_at(look, level)`.

        Raises LinnetError for a claim that was read from a file: what it was derived from is not at hand.
        """
        if self.tested_level is not None and self.looks == look:
            return self
        if self._again.ask is None:
            raise LinnetError(f"the claim '{self.statement}' was read, not derived here, so it cannot pay for look "
                              f"{look} at its data; derive it again from the scores of its file.")
        return self._again.ask(look=look)

    def seal(self) -> str:
        """SHA-256 over every field: an edit by hand is seen, though no secret protects against a forger."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()


def claim_schema() -> dict[str, Any]:
    """The published JSON schema of a claim (docs/schemas/claim.v1.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA,
            **Claim.model_json_schema(mode="serialization")}


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def verdict_of(claims: Sequence[Claim]) -> Verdict:
    """The verdict of all together: fails if one fails, else undecided if one is, else holds."""
    verdicts = {claim.verdict for claim in claims}
    return "fails" if "fails" in verdicts else "undecided" if "undecided" in verdicts else "holds"
