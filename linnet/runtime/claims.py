"""The claims document: what a file's metadata holds under "linnet.claims", sealed claim by claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from linnet.errors import DamagedFileError
from linnet.evidence import Claim, Look, canonical_json
from linnet.runtime.artifact import CLAIMS_KEY, Artifact, with_metadata
from linnet.runtime.document import parse

SCHEMA: Literal["linnet/claims/v1"] = "linnet/claims/v1"


@dataclass(frozen=True)
class SealedClaim:
    """A claim as it was read from a file, and whether it still is what was sealed."""

    claim: Claim
    is_intact: bool


def read_claims(artifact: Artifact) -> tuple[SealedClaim, ...]:
    """The claims that the file carries; raises DamagedFileError where they cannot be read or speak of another file."""
    text = artifact.metadata.get(CLAIMS_KEY)
    if text is None:
        return ()
    document = parse(_Document, text, what=f"the claims in {artifact.name}")
    if document.file != artifact.identity:
        raise DamagedFileError(
            f"{artifact.name} was changed after its claims were made: its identity is {artifact.identity[:12]}, "
            f"its claims speak of {document.file[:12]}. Take the file as it was written, or export and prove it again.")
    return tuple(SealedClaim(sealed.claim, sealed.claim.seal() == sealed.seal) for sealed in document.claims)


def with_claims(artifact: Artifact, claims: Sequence[Claim]) -> bytes:
    """The bytes of the same file carrying these claims and no others; its identity stays."""
    sealed = tuple(_Sealed(claim=claim, seal=claim.seal()) for claim in claims)
    document = _Document.model_validate({"schema": SCHEMA, "file": artifact.identity, "claims": sealed})
    return with_metadata(artifact.content, {CLAIMS_KEY: document.model_dump_json(by_alias=True)})


def question(claim: Claim) -> str:
    """What the claim asks, as canonical JSON, whatever the answer: kind, settings, data and the other side.

    Claims of the same question replace each other in a file, and are the same look in the ledger.
    """
    return canonical_json({"kind": claim.kind, "settings": claim.settings,
                           "fingerprint": claim.data.fingerprint if claim.data else None,
                           "than": claim.than.subject if claim.than else None})


def look_of(claim: Claim) -> Look | None:
    """The look that the claim took at its data; None for a claim that rests on none."""
    return Look(claim.subject, question(claim), claim.data.fingerprint) if claim.data else None


class _Sealed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: Claim
    seal: str


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["linnet/claims/v1"] = Field(alias="schema")
    file: str
    claims: tuple[_Sealed, ...]
