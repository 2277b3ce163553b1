"""A dataset as the command line names it: a source, --option KEY=VALUE, --columns NAME=KIND."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.data import Dataset


def loaded(source: str, option: Sequence[str] | None, columns: Sequence[str] | None) -> Dataset:
    """The dataset; raises LinnetError for an option that is no pair."""
    from linnet import data

    options: dict[str, Any] = {key: _plain(value) for key, value in _pairs(option, "--option").items()}
    return data.load(source, **options, **({"columns": _pairs(columns, "--columns")} if columns else {}))


def _pairs(given: Sequence[str] | None, option: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    wrong = [one for one, (key, sign, _) in zip(given or (), pairs, strict=True) if not key or not sign]
    if wrong:
        expected = "NAME=KIND, such as --columns age=group" if option == "--columns" else \
            "KEY=VALUE, such as --option variant=small"
        raise LinnetError(f"{option} {wrong[0]}: expected {expected}.")
    return {key: value for key, _, value in pairs}


def _plain(value: str) -> str | bool:
    return {"true": True, "false": False}.get(value.lower(), value)
