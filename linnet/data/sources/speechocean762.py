"""speechocean762: English sentences read by Mandarin speakers, half of them children, scored by five experts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, SequenceColumn, TextColumn, ValueColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.lines import json_lines, text_of
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.errors import LinnetError, unknown
from linnet.progress import BytesProgress

_log = logging.getLogger("linnet")

VARIANTS = ("opus", "flac")
SCORES = ("accuracy", "fluency", "prosodic", "completeness", "total")
_VALIDATION_SPEAKERS, _FLAC_FILES = 5, 625
_GROWN = 18
"""Years; nobody here is between 16 and 18."""
NO_MARK = "none"
"""The mark of a phone to which none of the experts' could be assigned."""
_LONGEST_WORD = 20
_KEYS = {"utterance": str, "split": str, "speaker": str, "gender": str, "age": int, "text": str, "words": list,
         "approximate": bool} | dict.fromkeys(SCORES, (int, float))
_FILES = ("scores_train.jsonl", "scores_test.jsonl", "lexicon.txt", "opus_train.zip", "opus_test.zip")


def load(*, folder: str | None = None, variant: str = "opus", approximate: bool = True,
         validation: bool = False, stress: bool = True, marks: bool = False) -> Dataset:
    """Columns: audio, text, phones (sequence), speaker, gender, age, age_group, scores (0 to 10), approximate, split.

    `variant` "opus" is all 5,000 utterances, read out of their zip archives in place; "flac" the 625 test utterances
    that are sample for sample the recording; a copy that lacks some of them is said. `approximate=False` leaves out the
    610 rows whose scores their authors changed later. `validation=True` calls the training speakers so whose number is
    divisible by 5. `stress=False` takes the stress digits off the phones: 39 in place of 67. `marks=True` adds what the
    experts gave each phone (phone_marks, "0.0" to "2.0", or "none") and each word (word_marks, "0" to "10"), and how
    many phones each word has (word_lengths).
    """
    if variant not in VARIANTS:
        raise unknown("variant", variant, VARIANTS)
    root = PLACE.root(folder, get)
    rows = [row for split in ("train", "test") for row in json_lines(root / f"scores_{split}.jsonl", _KEYS)]
    if variant == "flac":
        rows = _exact(root, rows)
    if not approximate:
        rows = [row for row in rows if not row["approximate"]]
    return _dataset(root, rows, variant, validation, stress=stress, marks=marks)


def get(*, progress: BytesProgress | None = None, to: Path | None = None) -> Path:
    """The folder; raises NotAvailableError where it is not on this machine: the scores were put together by hand."""
    del progress
    return PLACE.there(to)


def _dataset(root: Path, rows: list[dict[str, Any]], variant: str, validation: bool, *,
             stress: bool, marks: bool) -> Dataset:
    import pyarrow as pa

    given = _marks(rows) if marks else {}
    phones = [[_plain(phone, stress) for word in row["words"] for phone in word["phones"]] for row in rows]
    table = pa.table({
        "id": [row["utterance"] for row in rows],
        "audio": media_cells([_path(row, variant) for row in rows]),
        "text": [row["text"] for row in rows], "phones": pa.array(phones, pa.list_(pa.string())),
        **{name: [row[name] for row in rows] for name in ("speaker", "gender", "age", *SCORES)},
        "age_group": ["child" if row["age"] < _GROWN else "adult" for row in rows],
        "approximate": ["yes" if row["approximate"] else "no" for row in rows],
        "split": [_split(row, validation) for row in rows],
        **{name: pa.array(values, pa.list_(pa.string())) for name, (values, _) in given.items()}})
    columns: dict[str, Column] = {
        "audio": AudioColumn(), "text": TextColumn(), "phones": SequenceColumn(_phones(root, stress)),
        "speaker": GroupColumn(), "gender": GroupColumn(), "age": ValueColumn(),
        "age_group": GroupColumn(),
        **{name: ValueColumn() for name in SCORES}, "approximate": GroupColumn(), "split": GroupColumn(),
        **{name: SequenceColumn(labels) for name, (_, labels) in given.items()}}
    return Dataset("speechocean762", table, columns, root=root)


def _marks(rows: list[dict[str, Any]]) -> dict[str, tuple[list[list[str]], tuple[str, ...]]]:
    """By column: what each phone and word was given, as texts, and all that may be given."""
    words = [row["words"] for row in rows]
    return {
        "phone_marks": ([[NO_MARK if mark is None else f"{mark:.1f}" for word in said
                          for mark in word["phones_accuracy"]] for said in words],
                        (*(f"{tenth / 10:.1f}" for tenth in range(21)), NO_MARK)),
        "word_marks": ([[f"{word['accuracy']:.0f}" for word in said] for said in words], tuple(map(str, range(11)))),
        "word_lengths": ([[str(len(word["phones"])) for word in said] for said in words],
                         tuple(map(str, range(1, _LONGEST_WORD + 1)))),
    }


def _exact(root: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows whose FLAC file is there; how many are missing is said."""
    there = [row for row in rows if (root / "flac" / f"{row['utterance']}.flac").is_file()]
    if not there:
        raise LinnetError(f"{root / 'flac'} holds none of the {_FLAC_FILES} recordings of {PLACE.card.name}: copy them "
                          "there, or use variant='opus'.")
    if len(there) < _FLAC_FILES:
        _log.warning("%s holds %d of the %d recordings of %s: %d are left out. Copy the others there too, or use "
                     "variant='opus'.", root / "flac", len(there), _FLAC_FILES, PLACE.card.name,
                     _FLAC_FILES - len(there))
    return there


def _path(row: dict[str, Any], variant: str) -> str:
    name = row["utterance"]
    return f"flac/{name}.flac" if variant == "flac" else f"opus_{row['split']}.zip!/{name}.opus"


def _split(row: dict[str, Any], validation: bool) -> str:
    held = validation and row["split"] == "train" and int(row["speaker"]) % _VALIDATION_SPEAKERS == 0
    return "validation" if held else str(row["split"])


def _plain(phone: str, stress: bool) -> str:
    return phone if stress else phone.rstrip("012")


def _phones(root: Path, stress: bool) -> tuple[str, ...]:
    """Every phone of the lexicon, so that the set is the same whatever rows are left."""
    lines = [line.split("\t", 1)[1] for line in text_of(root / "lexicon.txt").split("\n") if "\t" in line]
    return tuple(sorted({_plain(phone, stress) for line in lines for phone in line.split()}))


def _recognises(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _FILES)


PLACE = Place(card("speechocean762"), _recognises, ", ".join(_FILES))
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
