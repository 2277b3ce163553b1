"""Card: what a shipped file expects, what it answers, where it comes from, and how it was converted."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from linnet.errors import LinnetError
from linnet.runtime.artifact import Artifact
from linnet.runtime.document import parse

KEY = "linnet.card"
"""The metadata entry that holds it."""

SCHEMA: Literal["linnet/card/v1"] = "linnet/card/v1"

KEPT, GIVEN_ON = "state.", "next."
"""How the inputs and outputs of the graph are called that hold what a stream keeps: these before the state's name."""

_CONFIG = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True, allow_inf_nan=False)


class ArraySpec(BaseModel):
    """One named array: dtype and shape of one sample, null where it varies; in the graph the batch comes first."""

    model_config = _CONFIG

    dtype: str
    shape: tuple[int | None, ...]


class Realised(BaseModel):
    """Which operators ran in which precision when an engine had prepared the file, counted by operator type."""

    model_config = _CONFIG

    engine: str
    version: str
    processor: str
    int8: dict[str, int]
    float_: dict[str, int] = Field(alias="float")
    float_reasons: dict[str, str] = {}
    """For operators that stayed in float though eight bits were asked for: why."""


class Parity(BaseModel):
    """How the file's outputs compare with what it was made from, over so many samples."""

    model_config = _CONFIG

    compared_with: str
    samples: int
    largest_difference: float
    tolerance: float
    answers_changed: int


class Card(BaseModel):
    """What travels in the file's metadata under "linnet.card", as JSON."""

    model_config = _CONFIG

    schema_: Literal["linnet/card/v1"] = Field(default=SCHEMA, alias="schema")
    name: str
    task: dict[str, Any]
    """What `tasks.from_json` reads."""
    input: dict[str, ArraySpec]
    output: dict[str, ArraySpec]
    state: dict[str, ArraySpec] = {}
    """What a stream keeps from chunk to chunk, zeros at first: the graph takes "state.<name>", gives "next.<name>"."""
    step_samples: int | None = None
    """Of a streaming file: it answers for every so many samples; the last are filled with silence."""
    labels: tuple[str, ...] = ()
    parameters: int
    model: dict[str, Any] = {}
    """The network as data: enough to build it again, without its weights."""
    bits: Literal["int8", "float32"] = "float32"
    stored: dict[str, int] = {}
    """How many tensors are stored smaller than plainly, by form: palette, mask (of zeros), gaps (between weights)."""
    training: dict[str, Any] = {}
    """Where it comes from: fingerprints of the data, epochs, seed, settings."""
    realised: Realised | None = None
    parity: Parity | None = None
    linnet_version: str
    notes: dict[str, Any] = {}

    def to_json(self) -> str:
        """The text that goes into the metadata; `Card.model_validate_json` reads it."""
        return self.model_dump_json(by_alias=True)


def read_card(artifact: Artifact) -> Card:
    """The card that the file carries; raises LinnetError where it has none, DamagedFileError for a broken one."""
    text = artifact.metadata.get(KEY)
    if text is None:
        raise LinnetError(f"{artifact.name} was not written by Linnet: it carries no card (metadata entry '{KEY}'). "
                          "Give a file that export.write made; bench works on any ONNX file.")
    return parse(Card, text, what=f"the card in {artifact.name}")


def card_schema() -> dict[str, Any]:
    """The published JSON schema of a card (docs/schemas/card.v1.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA,
            **Card.model_json_schema(mode="serialization")}
