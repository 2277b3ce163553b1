"""Speech Commands v0.02: 35 short words, said by 2,618 speakers, one second each, at 16 kHz."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, LabelColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.lines import text_of
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.data.unpacking import Limits, unpack
from linnet.errors import LinnetError
from linnet.progress import BytesProgress

WORDS = ("backward", "bed", "bird", "cat", "dog", "down", "eight", "five", "follow", "forward", "four", "go", "happy",
         "house", "learn", "left", "marvin", "nine", "no", "off", "on", "one", "right", "seven", "sheila", "six",
         "stop", "three", "tree", "two", "up", "visual", "wow", "yes", "zero")
_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_NAME = re.compile(r"(?P<speaker>[0-9a-f]+)_nohash_(?P<index>[0-9]+)")
_LIMITS = Limits(size_bytes=6_000_000_000)
_log = logging.getLogger("linnet")


def load(*, folder: str | None = None) -> Dataset:
    """Columns: audio, word (label), speaker (group), split (group: train, validation, test, as the authors' lists say).

    No speaker is in two parts. The six long recordings of noise (`_background_noise_`) are no rows.
    """
    root = PLACE.root(folder, get)
    files = _files(root)
    if len(files) != PLACE.card.rows:
        _log.warning("%s holds %d of the %d recordings of Speech Commands", root, len(files), PLACE.card.rows)
    return _dataset(root, files)


def get(*, progress: BytesProgress | None = None, to: Path | None = None, address: str | None = None) -> Path:
    """Download the corpus (2.4 GB) unless it is there; `address` is the folder where the archive lies, if elsewhere."""
    return PLACE.bring(_make, progress=progress, to=to, files=PLACE.card.files_at(address))


def _dataset(root: Path, files: list[str]) -> Dataset:
    import pyarrow as pa

    parts = {name: part for part, listed in _LISTS.items() for name in text_of(root / listed).split()}
    names = [_NAME.fullmatch(Path(file).stem) for file in files]
    table = pa.table({"id": [file.removesuffix(".wav") for file in files], "audio": media_cells(files),
                      "word": [file.split("/")[0] for file in files],
                      "speaker": [name["speaker"] for name in names if name],
                      "split": [parts.get(file, "train") for file in files]})
    columns: dict[str, Column] = {"audio": AudioColumn(), "word": LabelColumn(WORDS), "speaker": GroupColumn(),
                                  "split": GroupColumn()}
    return Dataset("speech_commands", table, columns, root=root)


def _files(root: Path) -> list[str]:
    return sorted(f"{word}/{file.name}" for word in WORDS for file in (root / word).glob("*.wav")
                  if _NAME.fullmatch(file.stem))


def _make(come: Mapping[str, Path], folder: Path) -> None:
    (archive,) = come.values()
    unpack(archive, folder, wanted=_wanted, limits=_LIMITS)
    files = _files(folder)
    if not _recognises(folder) or len(files) != PLACE.card.rows:
        raise LinnetError(f"the archive of Speech Commands holds {len(files):,} recordings; expected "
                          f"{PLACE.card.rows:,} and {', '.join(_LISTS.values())}. Nothing was kept.")


def _wanted(member: str) -> str | None:
    """Where a member of the archive goes: recordings of words, the lists, the noise, and what the authors say."""
    name = member.removeprefix("./")
    folder, _, file = name.rpartition("/")
    is_noise = folder == "_background_noise_" and re.fullmatch(r"[\w-]+\.(wav|md)", file)
    is_word = folder in WORDS and file.endswith(".wav") and _NAME.fullmatch(file[:-4])
    return name if is_word or is_noise or name in (*_LISTS.values(), "README.md", "LICENSE") else None


def _recognises(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _LISTS.values()) and bool((folder / WORDS[0]).is_dir())


PLACE = Place(card("speech_commands"), _recognises, "<word>/<speaker>_nohash_<n>.wav, " + ", ".join(_LISTS.values()))
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
