"""CLINC150: what people ask an assistant, 150 intents of ten domains, and questions that are none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.data.columns import Column, GroupColumn, LabelColumn, TextColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.lines import json_file, json_lines, write_lines
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.errors import unknown
from linnet.progress import BytesProgress

VARIANTS = ("full", "small", "imbalanced", "oos_plus")
OUT_OF_SCOPE = "oos"
_KEYS = {"text": str, "intent": str, "domain": str}
_FILES = ("train_full.jsonl", "validation.jsonl", "test.jsonl", "domains.json")


def load(*, folder: str | None = None, variant: str = "full", oos: bool = True) -> Dataset:
    """Columns: text, intent (label), domain (group), split (group: train, validation, test).

    `variant` names the training rows: "full" (100 an intent), "small" (50), "imbalanced" (25 to 100) or "oos_plus"
    (full with 250 out-of-scope rows, not 100); validation and test are the same for all. Out-of-scope rows have the
    intent and the domain "oos"; with `oos=False` they are left out, and the label too (the closed set).
    """
    if variant not in VARIANTS:
        raise unknown("variant", variant, VARIANTS)
    root = PLACE.root(folder, get)
    domains: dict[str, list[str]] = json_file(root / "domains.json")
    intents = sorted(intent for names in domains.values() for intent in names)
    rows = [(f"{stem}/{number:05d}", split, row)
            for split, stem in (("train", f"train_{variant}"), ("validation", "validation"), ("test", "test"))
            for number, row in enumerate(json_lines(root / f"{stem}.jsonl", _KEYS))]
    if not oos:
        rows = [row for row in rows if row[2]["intent"] != OUT_OF_SCOPE]
    return _dataset(root, rows, (*intents, OUT_OF_SCOPE) if oos else tuple(intents))


def get(*, progress: BytesProgress | None = None, to: Path | None = None, address: str | None = None) -> Path:
    """Download the corpus (9 MB) unless it is there; `address` is where the files lie, in place of GitHub."""
    return PLACE.bring(_make, progress=progress, to=to, files=PLACE.card.files_at(address))


def _dataset(root: Path, rows: list[tuple[str, str, dict[str, Any]]], labels: tuple[str, ...]) -> Dataset:
    import pyarrow as pa

    table = pa.table({"id": [name for name, _, _ in rows], "text": [row["text"].strip() for _, _, row in rows],
                      "intent": [row["intent"] for _, _, row in rows], "domain": [row["domain"] for _, _, row in rows],
                      "split": [split for _, split, _ in rows]})
    columns: dict[str, Column] = {"text": TextColumn(), "intent": LabelColumn(labels), "domain": GroupColumn(),
                                  "split": GroupColumn()}
    return Dataset("clinc150", table, columns, root=root)


def _make(files: Mapping[str, Path], folder: Path) -> None:
    """The authors' files (one a variant, a list of pairs a part) as JSON lines, in the same order."""
    domains: dict[str, list[str]] = json_file(files["domains.json"])
    domain_of = {intent: domain for domain, intents in domains.items() for intent in intents}
    (folder / "domains.json").write_text(json.dumps(domains, indent=1), encoding="utf-8")

    def rows(found: Mapping[str, Any], part: str, split: str) -> list[dict[str, Any]]:
        return [{"text": text, "intent": intent, "domain": domain_of.get(intent, OUT_OF_SCOPE), "split": split}
                for text, intent in [*found[part], *found[f"oos_{part}"]]]

    for variant in VARIANTS:
        found = json_file(files[f"data_{variant}.json"])
        write_lines(folder / f"train_{variant}.jsonl", rows(found, "train", "train"))
        if variant == "full":
            write_lines(folder / "validation.jsonl", rows(found, "val", "validation"))
            write_lines(folder / "test.jsonl", rows(found, "test", "test"))


def _recognises(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _FILES)


PLACE = Place(card("clinc150"), _recognises, ", ".join(_FILES))
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
