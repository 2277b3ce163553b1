"""MOT15: boxes of people in ten street scenes, as a detector found them; for one scene also as people marked them."""

from __future__ import annotations

import math
from pathlib import Path

from linnet.data.columns import Column, GroupColumn, ValueColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.lines import text_of
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.errors import DamagedFileError, unknown
from linnet.progress import BytesProgress

BOXES = {"detections": "det/det.txt", "truth": "gt/gt.txt", "example": "example_tracker.txt"}
_VALUES = ("frame", "left", "top", "width", "height", "confidence")
_CELLS = 10


def load(*, folder: str | None = None, boxes: str = "detections") -> Dataset:
    """Columns: frame, left, top, width, height (pixels), sequence (group); each row is a box.

    `boxes`: "detections" have a confidence (0.5 to 1); "truth" and "example" (a tracker's answer) have a track
    (group), and are there for TUD-Campus only. Frames count from 1; a frame without a box has no row.
    """
    if boxes not in BOXES:
        raise unknown("kind of boxes", boxes, BOXES)
    root = PLACE.root(folder, get)
    files = sorted(root.glob(f"*/{BOXES[boxes]}"))
    rows = [(file.relative_to(root).parts[0], number, cells)
            for file in files for number, cells in enumerate(_boxes(file))]
    return _dataset(root, rows, boxes)


def get(*, progress: BytesProgress | None = None, to: Path | None = None) -> Path:
    """The folder; raises NotAvailableError where it is not on this machine: its parts come from three places."""
    del progress
    return PLACE.there(to)


def _dataset(root: Path, rows: list[tuple[str, int, list[float]]], boxes: str) -> Dataset:
    import pyarrow as pa

    at = {"frame": 0, "left": 2, "top": 3, "width": 4, "height": 5, "confidence": 6}
    names = _VALUES if boxes == "detections" else _VALUES[:-1]
    cells = {name: [row[at[name]] for _, _, row in rows] for name in names}
    cells["frame"] = [int(frame) for frame in cells["frame"]]
    columns: dict[str, Column] = {**{name: ValueColumn() for name in names}, "sequence": GroupColumn()}
    groups = {"sequence": [sequence for sequence, _, _ in rows]}
    if boxes != "detections":
        groups["track"], columns["track"] = [str(int(row[1])) for _, _, row in rows], GroupColumn()
    ids = [f"{sequence}/{number:05d}" for sequence, number, _ in rows]
    return Dataset("mot15", pa.table({"id": ids, **cells, **groups}), columns, root=root)


def _boxes(file: Path) -> list[list[float]]:
    rows, wrong = [], []
    for number, line in enumerate(text_of(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = [float(cell) for cell in line.split(",")]
        except ValueError:
            cells = []
        if len(cells) != _CELLS or not all(map(math.isfinite, cells)):
            wrong.append(f"line {number}: {line!r:.60}")
        rows.append(cells)
    if wrong:
        raise DamagedFileError(f"{file}, {wrong[0]}: expected {_CELLS} numbers with commas between them "
                               f"({len(wrong)} lines are otherwise).")
    return rows


def _recognises(folder: Path) -> bool:
    return next(iter(folder.glob("*/det/det.txt")), None) is not None


PLACE = Place(card("mot15"), _recognises, "<sequence>/det/det.txt")
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
