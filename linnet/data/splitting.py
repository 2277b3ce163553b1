"""Which unit (a row, or a whole group) goes to which part: by hash, so that the order of rows never matters."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from linnet.errors import LinnetError, unknown

Amount = float | int | Sequence[str]
"""A share in (0, 1), a number of units, or the names of the units."""
PARTS = ("train", "validation", "test")


def assign(units: Sequence[str], *, of: str, seed: int, validation: Amount, test: Amount) -> Mapping[str, str]:
    """Each unit's part: "train", "validation" or "test".

    Units stand in the order of a hash of seed and name; test is taken from its beginning and validation from its end,
    so that a unit that is added later never moves another one between the two. `of` says what a unit is.

    >>> parts = assign(["ann", "bob", "cleo"], of="speaker", seed=0, validation=1, test=["bob"])
    >>> sorted(parts.values()), parts["bob"]
    (['test', 'train', 'validation'], 'test')
    """
    order = sorted(set(units), key=lambda unit: (hashlib.sha256(f"{seed}:{unit}".encode()).digest(), unit))
    chosen = {unit: part for part, amount in (("validation", validation), ("test", test))
              for unit in _named(amount, order, of)}
    _refuse_both(validation, test, of)
    free = [unit for unit in order if unit not in chosen]
    tests, validations = (0 if _is_names(amount) else _count(amount, len(order), name)
                          for amount, name in ((test, "test"), (validation, "validation")))
    if tests + validations >= len(free):
        needed = tests + validations + len(order) - len(free) + 1
        raise LinnetError(f"split: {len(order)} of '{of}' found, {needed} are needed: {tests} for test, {validations} "
                          f"for validation, {len(order) - len(free)} named, and at least one to train on. Give more "
                          "data, smaller shares, or split by something else.")
    chosen |= dict.fromkeys(free[:tests], "test") | dict.fromkeys(free[len(free) - validations:], "validation")
    return {unit: chosen.get(unit, "train") for unit in order}


def _is_names(amount: Amount) -> bool:
    return isinstance(amount, Sequence)


def _named(amount: Amount, known: Sequence[str], of: str) -> list[str]:
    if not isinstance(amount, Sequence):
        return []
    if isinstance(amount, str) or not amount:
        raise LinnetError(f"split: give the names of '{of}' as a list with at least one name; got {amount!r}.")
    for name in amount:
        if name not in known:
            raise unknown(of, name, known)
    return list(amount)


def _refuse_both(validation: Amount, test: Amount, of: str) -> None:
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
