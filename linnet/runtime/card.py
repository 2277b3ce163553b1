"""Card: what a shipped file expects, what it answers, where it comes from, and how it was converted."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

KEY = "linnet.card"
SCHEMA = "linnet/card/v1"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True,
                              allow_inf_nan=False)


class ArraySpec(_Value):
    """One named array: its dtype ("float32", "uint8") and the shape of one sample; in the graph the batch comes first."""

    dtype: str
    shape: tuple[int, ...]


class Realised(_Value):
    """Which operators ran in which precision when an engine had prepared the file, counted by operator type."""

    engine: str
    version: str
    processor: str
    int8: dict[str, int]
    float_: dict[str, int] = Field(alias="float")
    float_reasons: dict[str, str] = {}
    """For operators that stayed in float though eight bits were asked for: why."""


class Parity(_Value):
    """How the file's outputs compare with what it was made from, over so many samples."""

    compared_with: str
    samples: int
    largest_difference: float
    tolerance: float
    answers_changed: int


class Card(_Value):
    """What travels in the file's metadata under "linnet.card", as JSON."""

    schema_: Literal["linnet/card/v1"] = Field(default=SCHEMA, alias="schema")
    name: str
    task: dict[str, Any]
    """What `tasks.from_json` reads."""
    input: dict[str, ArraySpec]
    output: dict[str, ArraySpec]
    labels: tuple[str, ...] = ()
    parameters: int
    model: dict[str, Any] = {}
    """The network as data: enough to build it again, without its weights."""
    bits: Literal["int8", "float32"] = "float32"
    training: dict[str, Any] = {}
    """Where it comes from: origin and fingerprint of the data, epochs, seed."""
    realised: Realised | None = None
    parity: Parity | None = None
    linnet_version: str
    notes: dict[str, Any] = {}

    def to_json(self) -> str:
        """The text that goes into the metadata; `Card.model_validate_json` reads it."""
        return self.model_dump_json(by_alias=True)
