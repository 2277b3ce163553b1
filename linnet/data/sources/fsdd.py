"""The Free Spoken Digit Dataset: six speakers say the digits, fifty times each, at 8 kHz."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from linnet.data import download
from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, ValueColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.sources.source import Progress
from linnet.errors import LinnetError

ROWS = 3000
COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
ADDRESS = f"https://github.com/Jakobovski/free-spoken-digit-dataset/archive/{COMMIT}.tar.gz"
FINGERPRINT = "0082e892feb2cd2ebfde9ed3518baae05d47b09c3b123c81f44b8a7ffd23fefe"
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<index>[0-9]+)")
_LAYOUTS = ("audio/*.flac", "recordings/*.wav")
_TEST_INDICES = range(5)
_log = logging.getLogger("linnet")


def load(*, folder: str | None = None) -> Dataset:
    """Columns: audio, digit (label), speaker (group), index (value), split (group: train or test, as its authors say).

    Looked for in `folder` if it is given, else in $LINNET_DATA/fsdd and in the user's cache; downloaded if it is in
    neither. All columns are read off the files' names, so that every copy of the corpus gives the same dataset.
    """
    root = Path(folder) if folder is not None else find() or get()
    files = _files(root)
    if not files:
        raise LinnetError(f"{root} does not hold the Free Spoken Digit Dataset: expected {' or '.join(_LAYOUTS)}, "
                          "with names such as 3_theo_12.wav.")
    if len(files) != ROWS:
        _log.warning("%s holds %d of the %d recordings of the Free Spoken Digit Dataset", root, len(files), ROWS)
    return _dataset(root, files)


def find() -> Path | None:
    """$LINNET_DATA/fsdd, or the user's cache; None where the corpus is in neither."""
    return next((place for place in places() if recognises(place)), None)


def get(*, progress: Progress | None = None, address: str | None = None) -> Path:
    """Download the corpus (16 MB) into the user's cache unless it is on this machine; its folder.

    `address` is where the archive lies (as given: $LINNET_FSDD_URL, else GitHub). What comes is kept only if its
    content is exactly that of the known corpus.
    """
    found = find()
    if found is not None:
        return found
    address = address or os.environ.get("LINNET_FSDD_URL") or ADDRESS
    _log.warning("downloading the Free Spoken Digit Dataset from %s", address)
    advice = f"Put the corpus at {places()[0]}, or set LINNET_DATA to the folder above it"
    with download.arriving(places()[-1]) as folder:
        download.unpack(address, folder, wanted=_wanted, advice=advice, progress=progress)
        _refuse_other(folder, address)
    return places()[-1]


def recognises(folder: Path) -> bool:
    """Whether a folder has recordings with the names of this corpus, as its authors or as Linnet's data store them."""
    return any(next(iter(folder.glob(layout)), None) is not None for layout in _LAYOUTS) and bool(_files(folder))


def places() -> list[Path]:
    """Where the corpus is looked for, in this order; the last is where it is downloaded to."""
    given = os.environ.get("LINNET_DATA")
    return ([Path(given) / "fsdd"] if given else []) + [download.cache() / "fsdd"]


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


def _refuse_other(folder: Path, address: str) -> None:
    files = _files(folder)
    found = _dataset(folder, files).fingerprint if files else "nothing"
    if found != FINGERPRINT:
        raise LinnetError(f"what came from {address} is not the known corpus ({len(files)} recordings, fingerprint "
                          f"{found[:12]}; expected {ROWS}, {FINGERPRINT[:12]}); nothing was kept. Try again, or get "
                          "the corpus by hand and set LINNET_DATA.")
