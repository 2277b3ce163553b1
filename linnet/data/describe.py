"""What is in a dataset, and which corpora there are, as plain values for a report or a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linnet.data.columns import AudioColumn, ImageColumn, LabelColumn, ValueColumn
from linnet.data.dataset import Dataset
from linnet.data.media import probe_audio, probe_image
from linnet.data.sources import SOURCES, Card
from linnet.errors import DamagedFileError, LinnetError

_SHOWN = 10


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

    Raises LinnetError where a header cannot be read; `dataset.decode` names every such sample.
    """
    if not isinstance(dataset.column(column), AudioColumn):
        raise LinnetError(f"column '{column}' holds {dataset.column(column).kind}, not recordings.")
    facts = []
    for index, name in enumerate(dataset.ids):
        try:
            facts.append(probe_audio(dataset.file(column, index)))
        except DamagedFileError as error:
            raise DamagedFileError(f"'{column}' of sample '{name}' {error}. Repair the file, or take the sample out of "
                                   f"the data; dataset.decode('{column}') lists every such sample.") from error
    formats = Counter((fact.sample_rate_hz, fact.channels) for fact in facts)
    return AudioSummary(len(facts), dict(formats), tuple(fact.seconds for fact in facts))


def describe(dataset: Dataset) -> dict[str, Any]:
    """What `linnet data show` shows: name, part, rows, fingerprint, and each column with what it holds (plain JSON)."""
    return {"name": dataset.name, "part": dataset.part, "rows": len(dataset), "fingerprint": dataset.fingerprint,
            "origin": dict(dataset.origin), "columns": {name: _column(dataset, name) for name in dataset.columns}}


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
    if isinstance(column, AudioColumn):
        return {"kind": "audio", **_audio(dataset, name)}
    if isinstance(column, ImageColumn):
        sizes = Counter(probe_image(dataset.file(name, index)) for index in range(len(dataset)))
        named = {f"{size.width} x {size.height}, {_channels(size.channels, 'grey', 'colour')}": count
                 for size, count in sizes.most_common(_SHOWN)}
        return {"kind": "image", "sizes": named, "different_sizes": len(sizes)}
    values = dataset.values(name)
    if isinstance(column, ValueColumn):
        return {"kind": "value", "least": min(values, default=None), "most": max(values, default=None)}
    counts = Counter(values)
    order = column.labels if isinstance(column, LabelColumn) else sorted(counts)
    return {"kind": column.kind, "counts": {value: counts[value] for value in order}}


def _audio(dataset: Dataset, name: str) -> dict[str, Any]:
    summary = describe_audio(dataset, name)
    formats = {f"{rate} Hz {_channels(channels)}": count for (rate, channels), count in summary.formats.items()}
    lengths = sorted(summary.seconds)
    return {"formats": formats, "seconds": {"total": round(sum(lengths), 3), "least": lengths[0],
                                            "median": lengths[len(lengths) // 2], "most": lengths[-1]}}


def _channels(count: int, one: str = "mono", more: str = "stereo") -> str:
    return one if count == 1 else more if count in (2, 3) else f"{count} channels"
