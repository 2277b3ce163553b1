import json
from pathlib import Path

import jsonschema
import pytest
from onnx_files import digits_bytes, tones_card
from pydantic import ValidationError

from linnet import tasks
from linnet.runtime import Card, Parity, Realised, read_card
from linnet.runtime.artifact import read, with_metadata
from linnet.runtime.card import card_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "card.v1.json"


@pytest.fixture
def card(tone_task: tasks.Classify) -> Card:
    realised = Realised.model_validate({"engine": "onnxruntime", "version": "1", "processor": "p", "int8": {"Conv": 2},
                                        "float": {"Gemm": 1}, "float_reasons": {"Gemm": "kept"}})
    parity = Parity(compared_with="torch", samples=8, largest_difference=1e-6, tolerance=1e-4, answers_changed=0)
    return tones_card(tone_task, 10).model_copy(update={"realised": realised, "parity": parity})


def test_a_card_travels_in_the_file(card: Card) -> None:
    content = with_metadata(digits_bytes(), {"linnet.card": card.to_json()})
    assert read_card(read(content)) == card
    assert json.loads(card.to_json())["realised"]["float"] == {"Gemm": 1}
    assert json.loads(card.to_json())["schema"] == "linnet/card/v1"


def test_a_card_is_frozen_and_takes_no_unknown_field(card: Card) -> None:
    with pytest.raises(ValidationError):
        card.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Card.model_validate_json(card.to_json().replace('"name"', '"nmae"'))


def test_the_published_schema_has_not_drifted() -> None:
    written = json.loads(SCHEMA.read_text())
    assert written == card_schema(), (
        "write it anew: python -c 'import json; from linnet.runtime.card import card_schema; "
        f"print(json.dumps(card_schema(), indent=2))' > {SCHEMA.relative_to(SCHEMA.parents[2])}")


def test_what_is_written_fits_the_published_schema(card: Card) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(card.to_json()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(card.to_json()) | {"extra": 1}, schema)
