"""find: every entity of a text, without overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from linnet.errors import LinnetError, unknown
from linnet.language.entities.amounts import amount_entities
from linnet.language.entities.dates import date_entities
from linnet.language.entities.entity import Entity, words_of
from linnet.language.entities.names import Names
from linnet.language.entities.numbers import number_entities, numbers_of
from linnet.language.entities.phones import phone_entities
from linnet.language.entities.times import time_entities

KINDS = ("phone", "amount", "date", "time", "ordinal", "number")
"""Which wins where two are equally long; names from lists come before all."""


def find(text: str, *, now: datetime | None = None, region: str = "US", names: Sequence[Names] = (),
         kinds: Sequence[str] = KINDS) -> list[Entity]:
    """The entities of a text by their start; of two that overlap the longer one stays.

    `now` is what "tomorrow" and "in an hour" count from (the clock's, if none is given), `region` the country of phone
    numbers without a code. Raises LinnetError for what is no text, and for unknown kinds.

    >>> [(entity.kind, entity.value) for entity in find("send two hundred dollars tomorrow at 7 pm",
    ...                                                  now=datetime(2026, 11, 22))]
    [('amount', 'USD 200.00'), ('date', '2026-11-23'), ('time', '19:00')]
    """
    if not isinstance(text, str):
        raise LinnetError(f"entities are found in texts; got {type(text).__name__}.")
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("kind of entity", kind, KINDS)
    now = now or datetime.now()
    words = words_of(text)
    numbers = numbers_of(words) if set(kinds) - {"phone"} else []
    found = [entity for one in names for entity in one.among(words)]
    made = {"phone": lambda: phone_entities(text, words, region), "amount": lambda: amount_entities(words, numbers),
            "date": lambda: date_entities(text, words, numbers, now.date()),
            "time": lambda: time_entities(words, numbers, now)}
    for kind in kinds:
        found += made[kind]() if kind in made else [
            entity for entity in number_entities(words, numbers) if entity.kind == kind]
    return _apart(found, [one.kind for one in names])


def _apart(found: Sequence[Entity], names: Sequence[str]) -> list[Entity]:
    order = {kind: place for place, kind in enumerate((*names, *KINDS))}
    kept: list[Entity] = []
    for entity in sorted(found, key=lambda one: (one.start - one.end, order[one.kind], one.start)):
        if all(entity.end <= other.start or entity.start >= other.end for other in kept):
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity.start)
