"""prove: write claims into a shipped file, or refuse them; the file's identity stays what it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from linnet.errors import LinnetError
from linnet.evidence import Claim, Ledger
from linnet.runtime.artifact import Artifact, read, write
from linnet.runtime.card import read_card
from linnet.runtime.claims import look_of, question, read_claims, with_claims


def prove(file: str | Path, claims: Sequence[Claim], *, require: Literal["holds"] | None = None,
          keep: bool = True, ledger: Ledger | None = None) -> Path:
    """Write `claims` into the metadata of `file`; a claim of the same question is replaced, all others stay.

    With `keep=False` the file carries these claims and no others.

    With `require="holds"` nothing is written unless every claim holds. Looks at data are recorded in `ledger`
    (default: the user's own), also those of claims that were refused.
    Raises LinnetError for a claim about another file.
    """
    path = Path(file)
    artifact = read(path)
    read_card(artifact)
    _check(artifact, claims, require)
    ledger = Ledger() if ledger is None else ledger
    looked = [counted(claim, ledger) for claim in claims]
    _refuse_unproven(artifact, looked, require)
    kept = _kept(artifact) if keep else []
    together = {question(claim): claim for claim in [*kept, *looked]}
    write(path, with_claims(artifact, list(together.values())))
    return path


def counted(claim: Claim, ledger: Ledger | None = None) -> Claim:
    """The claim as that of the n-th file held against its data, paying for it; its look is recorded in `ledger`."""
    look = look_of(claim)
    return claim if look is None else claim.at_look((ledger or Ledger()).record(look))


def _check(artifact: Artifact, claims: Sequence[Claim], require: str | None) -> None:
    if require not in (None, "holds"):
        raise LinnetError(f"require is 'holds' or left out; got {require!r}.")
    if not claims:
        raise LinnetError("there is nothing to prove: give at least one claim.")
    for claim in claims:
        if claim.subject != artifact.identity:
            raise LinnetError(f"the claim '{claim.statement}' speaks of {claim.subject[:12] or '(nothing)'}, the file "
                              f"{artifact.name} is {artifact.identity[:12]}: evaluate runtime.load('{artifact.name}'), "
                              "not the model that it was made from.")


def _refuse_unproven(artifact: Artifact, claims: Sequence[Claim], require: str | None) -> None:
    unproven = [claim for claim in claims if not claim.holds]
    if require == "holds" and unproven:
        lines = "".join(f"\n  {_reason(claim)}" for claim in unproven)
        raise LinnetError(f"{len(unproven)} of {len(claims)} claims do not hold; {artifact.name} was left as it is:"
                          f"{lines}")


def _reason(claim: Claim) -> str:
    verdict = "is undecided" if claim.verdict == "undecided" else claim.verdict
    return f"{claim.kind} {verdict}: {claim.statement}{' ' + claim.reason if claim.reason else ''}"


def _kept(artifact: Artifact) -> list[Claim]:
    """The claims that the file carries already. Sealing an edited one again would make it look sound."""
    sealed = read_claims(artifact)
    edited = [entry.claim.statement for entry in sealed if not entry.is_intact]
    if edited:
        raise LinnetError(f"{artifact.name} carries claims that were changed after they were made: {'; '.join(edited)} "
                          "Export it again, then prove it.")
    return [entry.claim for entry in sealed]
