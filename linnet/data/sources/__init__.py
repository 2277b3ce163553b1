"""Where data comes from: the named corpora, folders and manifests. Knows nothing about tasks or models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from linnet.data.dataset import Dataset
from linnet.data.sources import folder, fsdd, handwritten, manifest
from linnet.data.sources.source import Progress, Source
from linnet.errors import LinnetError, unknown

SOURCES: dict[str, Source] = {
    "fsdd": Source(
        name="fsdd",
        summary="Free Spoken Digit Dataset: spoken digits 0 to 9, six speakers, 8 kHz",
        licence="CC BY-SA 4.0",
        citation="Jackson et al., Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        rows=fsdd.ROWS, load=fsdd.load, find=fsdd.find, get=fsdd.get, recognises=fsdd.recognises,
    ),
    "handwritten": Source(
        name="handwritten",
        summary="Handwritten digits 0 to 9, grey, 8 x 8 pixels; comes with scikit-learn",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49",
        homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        rows=1797, load=handwritten.load, find=handwritten.find, get=handwritten.get,
        recognises=handwritten.recognises,
    ),
}


def load(source: str | Path, **options: Any) -> Dataset:
    """A dataset: a named corpus (see SOURCES), a folder of labelled files, or a manifest (.csv, .jsonl).

    Options are those of the source: `folder` for "fsdd"; `prefix` for a folder; `columns`, `root` and `prefix` for a
    manifest. A name of SOURCES wins over a folder of that name; write "./fsdd" for the folder.
    """
    reader = _reader(source)
    _refuse_unknown(reader, options)
    dataset = reader(**options)
    return replace(dataset, origin={"source": str(source), "options": _json(options), "steps": []})


def _reader(source: str | Path) -> Callable[..., Dataset]:
    if isinstance(source, str) and source in SOURCES:
        return SOURCES[source].load
    path = Path(source)
    if path.is_dir():
        return _at(folder.load, path)
    if path.is_file() and path.suffix.lower() in manifest.SUFFIXES:
        return _at(manifest.load, path)
    if path.is_file():
        raise LinnetError(f"{path} is neither a folder nor a manifest ({', '.join(manifest.SUFFIXES)}).")
    if path.suffix or len(path.parts) > 1:
        raise LinnetError(f"{path} is not there. Give a folder of labelled files, a manifest "
                          f"({', '.join(manifest.SUFFIXES)}), or one of: {', '.join(sorted(SOURCES))}.")
    raise unknown("data source", str(source), SOURCES)


def _at(read: Callable[..., Dataset], path: Path) -> Callable[..., Dataset]:
    def reader(**options: Any) -> Dataset:
        return read(path, **options)

    reader.__signature__ = inspect.signature(read)  # type: ignore[attr-defined]
    return reader


def _refuse_unknown(reader: Callable[..., Dataset], options: Mapping[str, Any]) -> None:
    known = [name for name, parameter in inspect.signature(reader).parameters.items()
             if parameter.kind is inspect.Parameter.KEYWORD_ONLY]
    for name in options:
        if name not in known:
            raise unknown("option", name, known)
        kind, said = (Mapping, "a mapping") if name == "columns" else (str | Path, "a text")
        if options[name] is not None and not isinstance(options[name], kind):
            raise LinnetError(f"option '{name}' takes {said}; got {options[name]!r}.")


def _json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else dict(value) if isinstance(value, Mapping) else value
            for name, value in options.items()}


__all__ = ["SOURCES", "Progress", "Source", "load"]
