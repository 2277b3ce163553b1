"""Which reader a path has: by whether it is a folder, by its suffix, and by what a folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from linnet.data.dataset import Dataset
from linnet.data.sources import folder, manifest, parquet, rows

KNOWN = (f"a folder of labelled files or of shards; a table ({', '.join(rows.SUFFIXES[:3])}, also with .gz; "
         f"{parquet.SUFFIX}); an archive of labelled files (.zip)")


def reader_of(path: Path) -> Callable[..., Dataset] | None:
    """The reader of a folder or file that is there, to be called with the path; None where there is none."""
    if path.is_dir():
        return parquet.load if parquet.shards(path) else folder.load
    suffix = path.suffix.lower()
    if suffix in _READERS:
        return _READERS[suffix]
    return manifest.load if rows.form(path) else None


_READERS: dict[str, Callable[..., Dataset]] = {parquet.SUFFIX: parquet.load, ".zip": folder.load}
