"""Where a corpus lies on this machine, and bringing it there."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linnet.data import download
from linnet.data.download import Remote
from linnet.data.sources.source import Card
from linnet.errors import LinnetError, NotAvailableError
from linnet.progress import BytesProgress

_log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Place:
    """How a corpus is found: its card, whether a folder has its layout, and that layout in words."""

    card: Card
    recognises: Callable[[Path], bool]
    layout: str

    def places(self) -> list[Path]:
        """Where it is looked for, in this order: $LINNET_DATA/<name>, then the cache, to which it is downloaded."""
        given = os.environ.get("LINNET_DATA")
        return ([Path(given) / self.card.name] if given else []) + [download.cache() / self.card.name]

    def find(self) -> Path | None:
        """The folder where the corpus lies, or None; a folder of its name with something else in it is said."""
        for place in self.places():
            if self.recognises(place):
                return place
            if place.is_dir():
                _log.warning("%s does not hold %s: expected %s; looking elsewhere", place, self.card.name, self.layout)
        return None

    def root(self, folder: str | None, get: Callable[[], Path]) -> Path:
        """The given folder; else where the corpus is found; else where `get` brings it."""
        if folder is None:
            return self.find() or get()
        if not self.recognises(Path(folder)):
            raise LinnetError(f"{folder} does not hold {self.card.name} ({self.card.summary}): expected {self.layout}.")
        return Path(folder)

    @property
    def advice(self) -> str:
        """What to do where it cannot be downloaded."""
        given = os.environ.get("LINNET_DATA")
        where = self.places()[0] if given else Path("FOLDER") / self.card.name
        then = "" if given else " and set LINNET_DATA to FOLDER"
        return f"Put the corpus at {where} ({self.layout}){then}, or set LINNET_DATA to the folder above another copy"

    def there(self, to: Path | None = None) -> Path:
        """Where a corpus lies that Linnet does not download. Raises NotAvailableError where it is not there."""
        found = self.find() if to is None else to if self.recognises(to) else None
        if found is None:
            raise NotAvailableError(f"{self.card.name} is not {'on this machine' if to is None else f'at {to}'}, and "
                                    f"Linnet does not download it: what lies at {self.card.homepage} has another form. "
                                    f"{self.advice}.")
        return found

    def bring(self, make: Callable[[Mapping[str, Path], Path], None], *, progress: BytesProgress | None = None,
              to: Path | None = None, files: Sequence[Remote] | None = None) -> Path:
        """The corpus's folder: where it is found (or `to`, if given), else downloaded to there.

        `make` turns the downloaded files (those of the card, if no others are given), by name, into the folder. What
        has come of an interrupted download is gone on with; files that make no corpus are not kept.
        """
        found = self.find() if to is None else to if self.recognises(to) else None
        if found is not None:
            return found
        target = to or self.places()[-1]
        files = self.card.files if files is None else files
        waiting = download.cache() / f".{self.card.name}.downloads"
        _log.warning("downloading %s from %s", self.card.name, files[0].address.rsplit("/", 1)[0])
        come: dict[str, Path] = {}
        whole = sum(file.size_bytes or 0 for file in files) if all(file.size_bytes for file in files) else None
        for file in files:
            before = sum(path.stat().st_size for path in come.values())
            come[file.name] = download.fetch(file, waiting, advice=self.advice,
                                             progress=_after(progress, before, whole))
        try:
            with download.arriving(target) as folder:
                make(come, folder)
        except LinnetError:
            shutil.rmtree(waiting, ignore_errors=True)
            raise
        shutil.rmtree(waiting, ignore_errors=True)
        return target


def _after(progress: BytesProgress | None, before: int, whole: int | None) -> BytesProgress | None:
    return (lambda done, total: progress(before + done, whole or (before + total if total else None))
            ) if progress is not None else None
