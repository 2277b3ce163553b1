"""Where data comes from: the named corpora, folders and manifests. Knows nothing about tasks or models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from linnet.data.dataset import Dataset
from linnet.data.sources import (
    cifar10,
    clinc150,
    digit_streams,
    fashion_mnist,
    formats,
    fsdd,
    handwritten,
    mot15,
    snips,
    speech_activity,
    speech_commands,
    speechocean762,
    tables,
)
from linnet.data.sources.source import Card, Source
from linnet.errors import LinnetError, NotFoundError, unknown

SOURCES: dict[str, Source] = {source.card.name: source for source in (
    fsdd.SOURCE, speech_commands.SOURCE, speechocean762.SOURCE, speech_activity.SOURCE,
    digit_streams.SOURCE, handwritten.SOURCE, fashion_mnist.SOURCE, cifar10.SOURCE, clinc150.SOURCE, snips.SOURCE,
    mot15.SOURCE, tables.BREAST_CANCER, tables.DIABETES)}


def load(source: str | Path, **options: Any) -> Dataset:
    """A dataset: a named corpus (see SOURCES), a folder or zip of labelled files, a table, Parquet, or tar shards.

    Options are those of the source: `folder` for a corpus, and what its card says; `prefix` and `parts` for a folder;
    `columns` and `prefix` for everything with columns, `root` for a manifest. A name of SOURCES wins over a folder of
    that name: write "./fsdd" for that.
    """
    reader = _reader(source)
    _refuse_unknown(reader, options)
    dataset = reader(**options)
    return replace(dataset, origin={"source": str(source), "options": _json(options), "steps": []})


def _reader(source: str | Path) -> Callable[..., Dataset]:
    if isinstance(source, str) and source in SOURCES:
        return SOURCES[source].load
    path = Path(source)
    read = formats.reader_of(path) if path.exists() else None
    if read is not None:
        return _at(read, path)
    if path.exists():
        raise LinnetError(f"{path} is no data that can be read. Give {formats.KNOWN}.")
    if path.suffix or len(path.parts) > 1:
        raise NotFoundError(f"{path} is not there. Give {formats.KNOWN}; or one of: {', '.join(sorted(SOURCES))}.")
    raise NotFoundError(f"no folder or file '{source}' here, and {unknown('corpus', str(source), SOURCES)}")


def _at(read: Callable[..., Dataset], path: Path) -> Callable[..., Dataset]:
    def reader(**options: Any) -> Dataset:
        return read(path, **options)

    reader.__signature__ = inspect.signature(read)  # type: ignore[attr-defined]
    return reader


def _refuse_unknown(reader: Callable[..., Dataset], options: Mapping[str, Any]) -> None:
    known = {name: parameter.default for name, parameter in inspect.signature(reader).parameters.items()
             if parameter.kind is inspect.Parameter.KEYWORD_ONLY}
    for name in options:
        if name not in known:
            raise unknown("option", name, known)
        is_switch = isinstance(known[name], bool)
        kind, said = (bool, "true or false") if is_switch else (
            (Mapping, "a mapping") if name == "columns" else (str | Path, "a text"))
        if options[name] is not None and not isinstance(options[name], kind):
            raise LinnetError(f"option '{name}' takes {said}; got {options[name]!r}.")


def _json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else dict(value) if isinstance(value, Mapping) else value
            for name, value in options.items()}


__all__ = ["SOURCES", "Card", "Source", "load"]
