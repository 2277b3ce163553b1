"""JSON documents from untrusted files, read into pydantic models."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from linnet.errors import DamagedFileError

LIMIT_CHARACTERS = 64 * 1024 * 1024

Document = TypeVar("Document", bound=BaseModel)


def parse(model: type[Document], text: str, *, what: str, limit_characters: int = LIMIT_CHARACTERS) -> Document:
    """Read `text` as a `model`; raises DamagedFileError naming `what` and the first thing that is wrong with it."""
    if len(text) > limit_characters:
        raise DamagedFileError(f"{what} has {len(text)} characters; at most {limit_characters} are read.")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise DamagedFileError(f"{what} cannot be read: {place + ': ' if place else ''}{fault['msg']}.") from None
