"""What is in a dataset, what of it is broken, and which corpora there are: plain values for a report or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from linnet.data.columns import MEDIA, AudioColumn, Column, GroupColumn
from linnet.data.dataset import Dataset
from linnet.data.media import probe_audio, probe_image
from linnet.data.sources import SOURCES, Card
from linnet.errors import DamagedFileError, LinnetError
from linnet.progress import Progress

_SHOWN, _BINS = 10, 24


@dataclass(frozen=True)
class Broken:
    """A recording or image that cannot be used, and why."""

    sample: str
    column: str
    reason: str


@dataclass(frozen=True)
class AudioSummary:
    """What the headers of a column's recordings say: how many have which rate and channels; lengths in seconds."""

    recordings: int
    formats: Mapping[tuple[int, int], int]
    """(sample rate in Hz, channels) to how many recordings have them."""
    seconds: tuple[float, ...]

    def changes_to(self, sample_rate_hz: int) -> str | None:
        """What has to be said when recordings are brought to one rate and one channel; None where nothing changes.

        >>> AudioSummary(5, {(8000, 1): 3, (44100, 2): 2}, (1.0,) * 5).changes_to(8000)
        '2 of 5 recordings were 44100 Hz stereo: mixed to mono and resampled to 8000 Hz'
        """
        other = {form: count for form, count in self.formats.items() if form != (sample_rate_hz, 1)}
        if not other:
            return None
        found = ", ".join(f"{rate} Hz {_channels(channels)}" for rate, channels in sorted(other))
        done = [words for words, is_done in (("mixed to mono", any(channels > 1 for _, channels in other)),
                (f"resampled to {sample_rate_hz} Hz", any(rate != sample_rate_hz for rate, _ in other))) if is_done]
        return f"{sum(other.values())} of {self.recordings} recordings were {found}: {' and '.join(done)}"


def describe_audio(dataset: Dataset, column: str) -> AudioSummary:
    """Rates, channels and lengths of a column's recordings, from their headers alone.

    Raises one DamagedFileError for all whose header cannot be read.
    """
    return describe_audio_parts([dataset], column)[0]


def describe_audio_parts(parts: Sequence[Dataset], column: str) -> list[AudioSummary]:
    """`describe_audio` of each part; one DamagedFileError for what is broken in any of them."""
    for part in parts:
        if not isinstance(part.column(column), AudioColumn):
            raise LinnetError(f"column '{column}' holds {part.column(column).kind}, not recordings.")
    probed = [_probed(part, column) for part in parts]
    bad = [one for _, found in probed for one in found]
    if bad:
        more = f"\n  ... and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        named = "\n".join(f"  sample '{one.sample}' {one.reason}" for one in bad[:_SHOWN])
        raise DamagedFileError(f"{len(bad)} of {sum(map(len, parts))} samples of '{parts[0].name}' have a column "
                               f"'{column}' that cannot be used:\n{named}{more}\nRepair these files, or take the "
                               "samples out of the data.")
    return [summary for summary, _ in probed]


def broken(dataset: Dataset, progress: Progress | None = None) -> list[Broken]:
    """Every recording and image that cannot be decoded to its end, with the reason; nothing stops at the first."""
    found = []
    for column in (name for name, kind in dataset.columns.items() if kind.kind in MEDIA):
        for index, sample in enumerate(dataset.ids):
            try:
                dataset.media(column, index)
            except DamagedFileError as error:
                found.append(Broken(sample, column, str(error.__cause__ or error)))
            if progress is not None and (index % 100 == 99 or index + 1 == len(dataset)):
                progress(index + 1, len(dataset), f"reading '{column}'")
    return found


def describe(dataset: Dataset, progress: Progress | None = None) -> dict[str, Any]:
    """What `linnet data show` shows: name, part, rows, fingerprint, each column with what it holds, and what is broken.

    Plain JSON. Every recording and image is decoded; what cannot be is in "broken" and in no other figure.
    """
    bad = broken(dataset, progress)
    return {"name": dataset.name, "part": dataset.part, "rows": len(dataset), "fingerprint": dataset.fingerprint,
            "origin": dict(dataset.origin), "columns": {name: _column(dataset, name) for name in dataset.columns},
            "broken": [{"sample": one.sample, "column": one.column, "reason": one.reason} for one in bad]}


def sources_table() -> list[dict[str, Any]]:
    """What `linnet data ls` shows, one row a corpus: its card in plain values, and where it was found (or None)."""
    found = {name: source.find() for name, source in SOURCES.items()}
    return [{**_card(source.card), "found": str(found[name]) if found[name] else None}
            for name, source in SOURCES.items()]


def _card(card: Card) -> dict[str, Any]:
    return {"name": card.name, "summary": card.summary, "licence": card.licence, "citation": card.citation,
            "homepage": card.homepage, "rows": card.rows, "size_bytes": card.size_bytes, "notes": list(card.notes),
            "options": dict(card.options), "columns": dict(card.columns), "can_be_downloaded": bool(card.files)}


def _column(dataset: Dataset, name: str) -> dict[str, Any]:
    column = dataset.columns[name]
    if column.kind in MEDIA:
        return {"kind": column.kind, **(_audio if column.kind == "audio" else _images)(dataset, name)}
    values = dataset.values(name)
    if column.kind == "value":
        return {"kind": "value", **_spread(values)}
    if column.kind == "text":
        return {"kind": "text", "different": len(set(values)), "characters": _spread([len(text) for text in values])}
    if column.kind in ("label", "group"):
        return {"kind": column.kind, "counts": _counts(values, column)}
    items = [item["label"] if isinstance(item, dict) else item for cell in values for item in cell]
    return {"kind": column.kind, "counts": _counts(items, column), "in_a_row": _spread([len(cell) for cell in values])}


def _counts(values: Sequence[str], column: Column) -> dict[str, int]:
    counts = Counter(values)
    order = sorted(counts) if isinstance(column, GroupColumn) else getattr(column, "labels", ())
    return {value: counts[value] for value in order}


def _spread(values: Sequence[float]) -> dict[str, Any]:
    """The least, the median, the most, and how many lie in each of up to 24 equal parts between them."""
    if not values:
        return {"least": None, "median": None, "most": None, "histogram": []}
    least, most = min(values), max(values)
    bins = min(_BINS, most - least + 1) if isinstance(most - least, int) else _BINS
    return {"least": least, "median": median(values), "most": most,
            "histogram": np.histogram(np.asarray(values, float), bins=bins)[0].tolist()}


def _audio(dataset: Dataset, name: str) -> dict[str, Any]:
    summary, _ = _probed(dataset, name)
    formats = {f"{rate} Hz {_channels(channels)}": count for (rate, channels), count in summary.formats.items()}
    return {"formats": formats, "seconds": {"total": round(sum(summary.seconds), 3), **_spread(summary.seconds)}}


def _images(dataset: Dataset, name: str) -> dict[str, Any]:
    sizes: Counter[Any] = Counter()
    for index in range(len(dataset)):
        try:
            sizes[probe_image(dataset.file(name, index))] += 1
        except DamagedFileError:
            continue
    named = {f"{size.width} x {size.height}, {_channels(size.channels, 'grey', 'colour')}": count
             for size, count in sizes.most_common(_SHOWN)}
    return {"sizes": named, "different_sizes": len(sizes)}


def _probed(dataset: Dataset, column: str) -> tuple[AudioSummary, list[Broken]]:
    facts, bad = [], []
    for index, name in enumerate(dataset.ids):
        try:
            facts.append(probe_audio(dataset.file(column, index)))
        except DamagedFileError as error:
            bad.append(Broken(name, column, str(error)))
    formats = Counter((fact.sample_rate_hz, fact.channels) for fact in facts)
    return AudioSummary(len(facts), dict(formats), tuple(fact.seconds for fact in facts)), bad


def _channels(count: int, one: str = "mono", more: str = "stereo") -> str:
    return one if count == 1 else more if count in (2, 3) else f"{count} channels"
