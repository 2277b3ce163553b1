"""SNIPS: seven intents of a voice assistant, and the slots that each sentence fills."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from linnet.data.columns import Column, GroupColumn, LabelColumn, SpansColumn, TextColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.lines import json_lines, write_lines
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.errors import DamagedFileError, unknown
from linnet.progress import BytesProgress

VARIANTS = {"full": "train", "small": "train_small"}
INTENTS = ("AddToPlaylist", "BookRestaurant", "GetWeather", "PlayMusic", "RateBook", "SearchCreativeWork",
           "SearchScreeningEvent")
_KEYS = {"text": str, "intent": str, "slots": list}
_FILES = ("train.jsonl", "train_small.jsonl", "test.jsonl")
_VALIDATION_ROWS = {"full": 100, "small": 30}
_ORIGIN = {"train": "train_{}_full.json", "train_small": "train_{}.json", "test": "validate_{}.json"}


def load(*, folder: str | None = None, variant: str = "full", validation: bool = True) -> Dataset:
    """Columns: text, intent (label), slots (spans of text), split (group: train, validation, test).

    `variant` is "full" (13,784 training rows) or "small" (2,100). The corpus has no validation part: the last 100
    training rows of each intent ("small": 30) are called so, unless `validation` is False.
    """
    if variant not in VARIANTS:
        raise unknown("variant", variant, VARIANTS)
    root = PLACE.root(folder, get)
    found = {stem: json_lines(root / f"{stem}.jsonl", _KEYS) for stem in ("train", "train_small", "test")}
    labels = sorted({slot["slot"] for rows in found.values() for row in rows for slot in row["slots"]})
    train = found[VARIANTS[variant]]
    splits = _validation(train, _VALIDATION_ROWS[variant]) if validation else ["train"] * len(train)
    rows = [(f"{stem}/{number:05d}", split, row) for stem, parts in
            ((VARIANTS[variant], splits), ("test", ["test"] * len(found["test"])))
            for number, (split, row) in enumerate(zip(parts, found[stem], strict=True))]
    return _dataset(root, rows, tuple(labels))


def get(*, progress: BytesProgress | None = None, to: Path | None = None, address: str | None = None) -> Path:
    """Download the corpus (6 MB) unless it is there; `address` is where the files lie, in place of GitHub."""
    return PLACE.bring(_make, progress=progress, to=to, files=PLACE.card.files_at(address))


def _validation(rows: list[dict[str, Any]], last: int) -> list[str]:
    left = Counter(row["intent"] for row in rows)
    parts = []
    for row in rows:
        parts.append("validation" if left[row["intent"]] <= last else "train")
        left[row["intent"]] -= 1
    return parts


def _dataset(root: Path, rows: list[tuple[str, str, dict[str, Any]]], slots: tuple[str, ...]) -> Dataset:
    import pyarrow as pa

    span = pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    spans = [[{"label": slot["slot"], "start": slot["start"], "end": slot["end"]} for slot in row["slots"]]
             for _, _, row in rows]
    table = pa.table({"id": [name for name, _, _ in rows], "text": [row["text"] for _, _, row in rows],
                      "intent": [row["intent"] for _, _, row in rows], "slots": pa.array(spans, pa.list_(span)),
                      "split": [split for _, split, _ in rows]})
    columns: dict[str, Column] = {"text": TextColumn(), "intent": LabelColumn(INTENTS),
                                  "slots": SpansColumn(slots, of="text"), "split": GroupColumn()}
    return Dataset("snips", table, columns, root=root)


def _make(files: Mapping[str, Path], folder: Path) -> None:
    """The authors' files, one an intent, as JSON lines with spans in place of pieces."""
    for stem, name in _ORIGIN.items():
        write_lines(folder / f"{stem}.jsonl", [{**_joined(row["data"]), "intent": intent, "split": stem.split("_")[0]}
                                               for intent in INTENTS
                                               for row in _origin_rows(files[name.format(intent)], intent)])


def _origin_rows(file: Path, intent: str) -> list[dict[str, Any]]:
    """Bytes that are not UTF-8 (one file has some) are read as Windows-1252, one by one."""
    text = file.read_bytes().decode("utf-8", "surrogateescape")
    mended = "".join(bytes([ord(sign) - 0xDC00]).decode("cp1252") if 0xDC80 <= ord(sign) <= 0xDCFF else sign
                     for sign in text)
    try:
        rows: list[dict[str, Any]] = json.loads(mended)[intent]
    except (json.JSONDecodeError, KeyError) as error:
        raise DamagedFileError(f"{file} is not the file of {intent} that was expected ({error}).") from error
    return rows


def _joined(pieces: list[dict[str, str]]) -> dict[str, Any]:
    """The sentence without spaces around it, and its slots without spaces around them."""
    whole = "".join(piece["text"] for piece in pieces)
    begin = len(whole) - len(whole.lstrip())
    return {"text": whole.strip(), "slots": list(_slots(pieces, begin))}


def _slots(pieces: list[dict[str, str]], begin: int) -> Iterator[dict[str, Any]]:
    at = -begin
    for piece in pieces:
        value = piece["text"].strip()
        if piece.get("entity"):
            start = at + len(piece["text"]) - len(piece["text"].lstrip())
            yield {"slot": piece["entity"], "start": start, "end": start + len(value), "value": value}
        at += len(piece["text"])


def _recognises(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _FILES)


PLACE = Place(card("snips"), _recognises, ", ".join(_FILES))
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
