import base64
import json
import math
import zlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from linnet.errors import DamagedFileError
from linnet.evidence import KINDS, Claim, OtherSide, Size, claim_schema, size_below, verdict_of

PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas" / "claim.v1.json"


def claim() -> Claim:
    return size_below(Size(1000, "a" * 64), bound_kb=2)


def packed(value: object) -> OtherSide:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return OtherSide(name="big", subject="b", rows=base64.b64encode(zlib.compress(text)).decode())


def test_the_published_schema_has_not_drifted() -> None:
    again = 'python -c "import json, linnet.evidence as e; print(json.dumps(e.claim_schema(), indent=2))"'
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == claim_schema(), f"write it again: {again} > {PUBLISHED}"


def test_a_claim_is_valid_under_the_published_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(claim_schema())
    jsonschema.validate(claim().model_dump(mode="json"), claim_schema())


def test_every_edit_changes_the_seal() -> None:
    original = claim()
    for change in ({"verdict": "fails"}, {"estimate": 0.9}, {"statement": "better"}, {"settings": {"bound_kb": 3}}):
        assert original.model_copy(update=change).seal() != original.seal()


@pytest.mark.parametrize("change", [
    {"estimate": math.nan}, {"bound": math.inf}, {"interval": (math.nan, 1)}, {"interval": (0, math.nan)},
    {"interval": (0, -math.inf)}, {"verdict": "maybe"}, {"extra": 1},
])
def test_a_claim_of_no_number_or_an_unknown_field_cannot_be_made(change: dict) -> None:
    with pytest.raises(ValidationError):
        Claim.model_validate({**claim().model_dump(), **change})


def test_the_other_side_survives_packing() -> None:
    rows = {"b": 0.0, "ä": 1.0}
    side = OtherSide.pack("big", "s", rows)
    assert side.unpack() == rows
    assert OtherSide.pack("big", "s", dict(reversed(rows.items()))) == side


@pytest.mark.parametrize("side", [
    OtherSide(name="big", subject="b", rows="no base64!"), OtherSide(name="big", subject="b", rows="AAAA"),
    packed({"a": 1}), packed([["a", 2]]), packed([["a", 1], ["a", 0]]), packed(b"[[\"a\", NaN]]"), packed([1]),
    packed(b"[" * 100_000), packed(7),
])
def test_rows_that_pack_does_not_write_are_damage_not_a_crash(side: OtherSide) -> None:
    with pytest.raises(DamagedFileError, match="other side 'big'"):
        side.unpack()


def test_rows_that_unfold_without_end_are_damage() -> None:
    with pytest.raises(DamagedFileError, match="too large"):
        packed(b" " * (257 * 1024 * 1024)).unpack()


def test_the_verdict_of_many_is_that_of_the_worst() -> None:
    holds, fails = claim(), size_below(Size(9000, "a"), bound_kb=2)
    undecided = holds.model_copy(update={"verdict": "undecided"})
    assert verdict_of([]) == verdict_of([holds]) == "holds"
    assert verdict_of([holds, undecided]) == "undecided"
    assert verdict_of([undecided, fails, holds]) == "fails"


def test_kinds_are_named_as_their_functions() -> None:
    assert all(function.__name__ == name for name, function in KINDS.items())
