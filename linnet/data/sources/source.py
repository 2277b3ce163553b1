"""Source: a named corpus that Linnet knows how to find, get and read; and its card, which is a data file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from linnet.data.dataset import Dataset
from linnet.data.download import Remote


@dataclass(frozen=True)
class Card:
    """What is known of a corpus: cards/<name>.json.

    `columns` say what each column of the dataset is; `options` what `load` can be told; `notes` what a user has to
    know; `files` where it comes from, empty where Linnet cannot download it. `fingerprint` is that of the dataset as
    `load` gives it without options; None where it has not been derived.
    """

    name: str
    summary: str
    licence: str
    citation: str
    homepage: str
    rows: int
    size_bytes: int
    columns: Mapping[str, str]
    notes: tuple[str, ...]
    options: Mapping[str, str]
    commit: str | None = None
    fingerprint: str | None = None
    files: tuple[Remote, ...] = ()

    def files_at(self, address: str | None) -> tuple[Remote, ...]:
        """The files, or the same ones in another folder (a mirror), such as https://example.org/mine."""
        if address is None:
            return self.files
        return tuple(replace(file, address=f"{address.rstrip('/')}/{file.name}") for file in self.files)


@dataclass(frozen=True)
class Source:
    """A card, and the functions that find, get and read the corpus."""

    card: Card
    load: Callable[..., Dataset]
    find: Callable[[], Path | None]
    """The folder where the corpus lies on this machine, or None."""
    get: Callable[..., Path]
    """Bring the corpus to this machine: get(progress=None, to=None) gives its folder."""
    recognises: Callable[[Path], bool]
    """Whether a folder has the layout of this corpus."""

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return self.card.summary


def card(name: str) -> Card:
    """The card of a corpus, read from its file."""
    text = resources.files("linnet.data.sources").joinpath("cards", f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    files = tuple(Remote(**file) for file in found.pop("files", ()))
    return Card(name=name, files=files, notes=tuple(found.pop("notes", ())), options=found.pop("options", {}), **found)


__all__ = ["Card", "Source", "card"]
