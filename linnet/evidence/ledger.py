"""The ledger: every look at a split of data is written down, beside the fingerprint of the data.

Who tries ten files on one test part and keeps the best is misled by the choice: `claims.spending` says what the n-th
file pays for it, and the ledger says which one a file is.
One file a fingerprint, one JSON line a look, only ever appended to.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from linnet.errors import LinnetError

_log = logging.getLogger("linnet")
_FILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class Look:
    """One question that one file was asked on one dataset. Looks are equal whenever these three are."""

    subject: str
    question: str
    fingerprint: str
    date: str | None = field(default=None, compare=False)
    """When it was first recorded, in UTC; None for a look that is not in a ledger."""


def default_folder() -> Path:
    """$LINNET_STATE, else $XDG_STATE_HOME/linnet, else ~/.local/state/linnet; in it the folder `ledger`."""
    if state := os.environ.get("LINNET_STATE"):
        return Path(state) / "ledger"
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "linnet" / "ledger"


@dataclass(frozen=True)
class Ledger:
    """The looks of one machine, or of one team where the folder is shared."""

    folder: Path = field(default_factory=default_folder)

    def ready(self) -> None:
        """Make the folder; raises LinnetError where nothing can be written, before anything was looked at."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise LinnetError(f"nothing can be written to the ledger at {self.folder} ({error.strerror}); "
                              "set LINNET_STATE to a folder that can be written to.") from error

    def record(self, look: Look) -> int:
        """Write the look down unless it is there; the number of its file among those held against the data: 1, 2 ...

        A file keeps its number: asked again, or asked something else, it is no new try.

        Safe while others append: a look is one write of one line. Raises LinnetError where nothing can be written.
        """
        if look not in self.looks(look.fingerprint):
            self._append(look)
        return self.subjects(look.fingerprint).index(look.subject) + 1

    def subjects(self, fingerprint: str) -> list[str]:
        """The files that were held against a fingerprint, the first one first."""
        return list(dict.fromkeys(look.subject for look in self.looks(fingerprint)))

    def looks(self, fingerprint: str) -> list[Look]:
        """The distinct looks at a fingerprint, the first one first. A line that cannot be read is said in a warning."""
        return list(dict.fromkeys(self._read(fingerprint)))

    def path(self, fingerprint: str) -> Path:
        """The file of a fingerprint; one that is no plain word (it may come from a file) is named by its hash."""
        is_plain = _FILE_NAME.fullmatch(fingerprint) is not None
        return self.folder / f"{fingerprint if is_plain else hashlib.sha256(fingerprint.encode()).hexdigest()}.jsonl"

    def _append(self, look: Look) -> None:
        date = datetime.now(UTC).isoformat(timespec="seconds")
        row = {"date": date, "subject": look.subject, "question": look.question, "fingerprint": look.fingerprint}
        path = self.path(look.fingerprint)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            line = ("" if _ends_with_line(path) else "\n") + json.dumps(row) + "\n"
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise LinnetError(f"the look could not be written to the ledger at {path} ({error.strerror}); "
                              "set LINNET_STATE to a folder that can be written to.") from error

    def _read(self, fingerprint: str) -> Iterator[Look]:
        path = self.path(fingerprint)
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise LinnetError(f"the ledger at {path} cannot be read ({error.strerror}); "
                              "set LINNET_STATE to a folder that can be.") from error
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                row = json.loads(line)
                yield Look(str(row["subject"]), str(row["question"]), str(row["fingerprint"]), str(row["date"]))
            except (ValueError, KeyError, TypeError, RecursionError):
                _log.warning("%s, line %d cannot be read as a look; it counts as that of a file of its own.", path,
                             number)
                yield Look(f"(line {number}, not readable)", "", fingerprint)


def _ends_with_line(path: Path) -> bool:
    """Whether the next line may be appended as it is: a writer that was killed leaves half a line behind."""
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    except FileNotFoundError:
        return True
