"""Which unit (a row, or a whole group) goes to which part: by hash, so that the order of rows never matters."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from linnet.data.leaks import listed
from linnet.errors import LinnetError, unknown

Amount = float | int | Sequence[str]
"""A share in (0, 1), a number of units, or the names of the units."""
PARTS = ("train", "validation", "test")
_WRITTEN = {"train": "train", "training": "train", "validation": "validation", "valid": "validation",
            "val": "validation", "dev": "validation", "test": "test", "testing": "test"}


def assign(units: Sequence[str], *, of: str, seed: int, validation: Amount | None, test: Amount | None,
           strata: Sequence[str] | None = None) -> dict[str, str]:
    """Each unit's part: "train", "validation" or "test".

    Units stand in the order of a hash of seed and name; test is taken from its beginning and validation from its end,
    so that a unit that is added later never moves another one between the two. `of` says what a unit is. A part whose
    amount is None gets nothing. `strata` names each unit's stratum (its label): then every part has each stratum in
    proportion, give or take one unit.

    >>> parts = assign(["ann", "bob", "cleo"], of="speaker", seed=0, validation=1, test=["bob"])
    >>> sorted(parts.values()), parts["bob"]
    (['test', 'train', 'validation'], 'test')
    """
    order = _order(units, seed) if strata is None else _spread(_order(units, seed), dict(zip(units, strata,
                                                                                             strict=True)))
    chosen = {unit: part for part, amount in (("validation", validation), ("test", test))
              for unit in _named(amount, order, of)}
    _refuse_both(validation, test, of)
    free = [unit for unit in order if unit not in chosen]
    tests, validations = (0 if amount is None or _is_names(amount) else _count(amount, len(order), name)
                          for amount, name in ((test, "test"), (validation, "validation")))
    if tests + validations >= len(free):
        needed = tests + validations + len(order) - len(free) + 1
        raise LinnetError(f"split: {len(order)} of '{of}' found, {needed} are needed: {tests} for test, {validations} "
                          f"for validation, {len(order) - len(free)} named, and at least one to train on. Give more "
                          "data, smaller shares, or split by something else.")
    chosen |= dict.fromkeys(free[:tests], "test") | dict.fromkeys(free[len(free) - validations:], "validation")
    return {unit: chosen.get(unit, "train") for unit in order}


def part_named(name: str) -> str | None:
    """The part that a name means: "Train", "dev", "valid" and "val" are understood; None for any other.

    >>> part_named("Valid"), part_named("yes")
    ('validation', None)
    """
    return _WRITTEN.get(name.strip().lower())


def written_parts(values: Sequence[str], column: str) -> list[str]:
    """The parts that a column names, as `part_named` understands them.

    Raises LinnetError for any other name, and where no row is called train.
    """
    meant = {value: part_named(value) for value in values}
    strange = sorted(value for value, part in meant.items() if part is None)
    if strange:
        raise LinnetError(f"split: column '{column}' is to say train, validation or test; it also says "
                          f"{listed(strange)}. Name them so, or leave these rows out with where(...).")
    parts = [meant[value] or "" for value in values]
    if "train" not in parts:
        raise LinnetError(f"split: column '{column}' calls no row train; it says "
                          f"{', '.join(sorted(set(values))) or 'nothing'}.")
    return parts


def _order(units: Sequence[str], seed: int) -> list[str]:
    return sorted(set(units), key=lambda unit: (hashlib.sha256(f"{seed}:{unit}".encode()).digest(), unit))


def _spread(order: Sequence[str], stratum: Mapping[str, str]) -> list[str]:
    """By the place of each unit within its stratum, so that any stretch of the order has every stratum in it."""
    sizes = Counter(stratum[unit] for unit in order)
    seen: defaultdict[str, int] = defaultdict(int)
    place = {}
    for unit in order:
        place[unit] = (seen[stratum[unit]] + 0.5) / sizes[stratum[unit]]
        seen[stratum[unit]] += 1
    return sorted(order, key=place.__getitem__)


def _is_names(amount: Amount) -> bool:
    return isinstance(amount, Sequence)


def _named(amount: Amount | None, known: Sequence[str], of: str) -> list[str]:
    if not isinstance(amount, Sequence):
        return []
    if isinstance(amount, str) or not amount:
        raise LinnetError(f"split: give the names of '{of}' as a list with at least one name; got {amount!r}.")
    names = set(known)
    for name in amount:
        if name not in names:
            raise unknown(of, name, known)
    return list(amount)


def _refuse_both(validation: Amount | None, test: Amount | None, of: str) -> None:
    if isinstance(validation, Sequence) and isinstance(test, Sequence):
        both = sorted(set(validation) & set(test))
        if both:
            raise LinnetError(f"split: {', '.join(both)} of '{of}' would be in validation and in test; name each once.")


def _count(amount: Amount, units: int, part: str) -> int:
    if isinstance(amount, float) and 0 < amount < 1:
        return max(1, round(amount * units))
    if isinstance(amount, int) and not isinstance(amount, bool) and amount >= 1:
        return amount
    raise LinnetError(f"split: {part} is a share between 0 and 1, a whole number of at least 1, or a list of names; "
                      f"got {amount!r}.")
