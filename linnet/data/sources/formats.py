"""Which reader a path has: by whether it is a folder, by its suffix, and by what a folder holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from linnet.data.dataset import Dataset
from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from linnet.data.sources import folder, manifest, parquet, rows, webdataset

KNOWN = (f"a folder of labelled files or of shards; a table ({', '.join(rows.SUFFIXES[:3])}, also with .gz; "
         f"{parquet.SUFFIX}); an archive of labelled files (.zip); a "
         "WebDataset shard (.tar)")


def reader_of(path: Path) -> Callable[..., Dataset] | None:
    """The reader of a folder or file that is there, to be called with the path; None where there is none."""
    if path.is_dir():
        return manifest.load if manifest.described(path) else _reader_of_shards(path) or folder.load
    suffix = path.suffix.lower()
    if suffix in _READERS:
        return _READERS[suffix]
    return manifest.load if rows.form(path) else None


def _reader_of_shards(path: Path) -> Callable[..., Dataset] | None:
    """That of Parquet files or tar shards below a folder, where they do not lie beside recordings or images."""
    suffixes = {file.suffix.lower() for file in path.rglob("*") if file.is_file()}
    if suffixes & {*AUDIO_SUFFIXES, *IMAGE_SUFFIXES}:
        return None
    return next((_READERS[suffix] for suffix in (parquet.SUFFIX, webdataset.SUFFIX) if suffix in suffixes), None)


_READERS: dict[str, Callable[..., Dataset]] = {parquet.SUFFIX: parquet.load, ".zip": folder.load,
                                              webdataset.SUFFIX: webdataset.load}
