"""The Free Spoken Digit Dataset: six speakers say the digits, fifty times each, at 8 kHz."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, ValueColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.download import Remote
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.data.unpacking import unpack
from linnet.errors import LinnetError
from linnet.progress import BytesProgress

_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<index>[0-9]+)")
_LAYOUTS = ("audio/*.flac", "recordings/*.wav")
_TEST_INDICES = range(5)
_log = logging.getLogger("linnet")


def load(*, folder: str | None = None) -> Dataset:
    """Columns: audio, digit (label), speaker (group), index (value), split (group: train or test, as its authors say).

    Looked for in `folder` if it is given, else in $LINNET_DATA/fsdd and in the user's cache; downloaded if it is in
    neither. All columns are read off the files' names, so that every copy of the corpus gives the same dataset.
    """
    root = PLACE.root(folder, get)
    files = _files(root)
    if len(files) != PLACE.card.rows:
        _log.warning("%s holds %d of the %d recordings of the Free Spoken Digit Dataset",
                     root, len(files), PLACE.card.rows)
    return _dataset(root, files)


def get(*, progress: BytesProgress | None = None, to: Path | None = None, address: str | None = None) -> Path:
    """Download the corpus (16 MB) unless it is on this machine; its folder.

    `address` is where the archive lies (as given: $LINNET_FSDD_URL, else GitHub). What comes is kept only if its
    content is exactly that of the known corpus.
    """
    address = address or os.environ.get("LINNET_FSDD_URL")
    return PLACE.bring(_make, progress=progress, to=to, files=[Remote(address)] if address else None)


def _files(root: Path) -> list[Path]:
    for layout in _LAYOUTS:
        files = sorted(file for file in root.glob(layout) if _NAME.fullmatch(file.stem))
        if files:
            return files
    return []


def _dataset(root: Path, files: list[Path]) -> Dataset:
    import pyarrow as pa

    names = [_NAME.fullmatch(file.stem) for file in files]
    digits, speakers, numbers = ([str(name[part]) for name in names if name] for part in ("digit", "speaker", "index"))
    indices = [int(number) for number in numbers]
    table = pa.table({"id": [file.stem for file in files],
                      "audio": media_cells([file.relative_to(root) for file in files]),
                      "digit": digits, "speaker": speakers, "index": indices,
                      "split": ["test" if index in _TEST_INDICES else "train" for index in indices]})
    columns: dict[str, Column] = {"audio": AudioColumn(), "digit": label_column(digits), "speaker": GroupColumn(),
                                  "index": ValueColumn(), "split": GroupColumn()}
    return Dataset("fsdd", table, columns, root=root)


def _wanted(member: str) -> str | None:
    """Where a member of the archive goes, or None for one that is not a recording of this corpus."""
    parts = member.split("/")
    is_recording = len(parts) == 3 and parts[1] == "recordings" and parts[2].endswith(".wav")
    return f"recordings/{parts[2]}" if is_recording and _NAME.fullmatch(parts[2][:-4]) else None


def _make(come: Mapping[str, Path], folder: Path) -> None:
    (archive,) = come.values()
    unpack(archive, folder, wanted=_wanted)
    files = _files(folder)
    found = _dataset(folder, files).fingerprint if files else "nothing"
    if found != PLACE.card.fingerprint:
        raise LinnetError(f"{archive.name.split('-', 1)[-1]} is not the known corpus ({len(files)} recordings, "
                          f"fingerprint {found[:12]}; expected {PLACE.card.rows}, {str(PLACE.card.fingerprint)[:12]}); "
                          "nothing was kept. Try again, or get the corpus by hand and set LINNET_DATA.")


def _recognises(folder: Path) -> bool:
    return any(next(iter(folder.glob(layout)), None) is not None for layout in _LAYOUTS) and bool(_files(folder))


PLACE = Place(card("fsdd"), _recognises, " or ".join(_LAYOUTS) + " with names such as 3_theo_12.wav")
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
