"""A first recipe for someone's own data: what goes in, what is asked, a family that fits, and what to claim."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from linnet import data
from linnet.data import Dataset
from linnet.errors import LinnetError, unknown

_INPUTS = ("audio", "image", "text")
_TASKS = {"label": "classify", "labels": "classify", "spans": "tag", "sequence": "transcribe", "value": "regress"}
_FAMILIES = {  # by kind of input and task; the dial's default stands in `linnet list models`
    ("audio", "classify"): "dscnn", ("audio", "regress"): "dscnn", ("audio", "transcribe"): "conformer",
    ("image", "classify"): "resnet", ("image", "regress"): "resnet",
    ("text", "classify"): "textcnn", ("text", "regress"): "textcnn", ("text", "tag"): "gru",
    ("table", "classify"): "mlp", ("table", "regress"): "mlp"}
_SMALL_PIXELS, _TINY_PIXELS = 64, 16
_STEPS_OF_TRAINING = 4_000
_TEST_SHARE, _MARGIN = 0.2, 0.03
_ROWS_TIMES_MARGIN = 3.5
"""So many rows times the margin, and a file whose answers did not change is shown to be no worse at 95 %."""
_BATCH = 64
_FEWEST_GROUPS = 3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_RAISE = "raise it to what you need"
_TOGETHER = "if samples belong together (one person, one device), name the column that says so: split: {by: COLUMN}"
_FEW_VALUES = 10


@dataclass(frozen=True)
class _Question:
    """What the data can be asked: columns in, column out, and the name of the task."""

    kind: str
    inputs: list[str]
    target: str
    task: str


def start(source: str, *, target: str | None = None, name: str | None = None,
          options: Mapping[str, Any] | None = None) -> tuple[str, str]:
    """The name and the text of a recipe that trains, shrinks, exports and proves a model of the data at `source`.

    `target` is the column to be answered; it need not be said where there is one candidate only. Raises LinnetError
    where nothing can be asked of the data, or more than one thing.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise LinnetError("a recipe's name is made of letters, digits, '_', '-' and '.', such as birds-2; "
                          f"got '{name}'.")
    dataset = data.load(source, **(options or {}))
    asked = _question(dataset, target)
    title = name or re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(source).name.split(".")[0]).strip("-.") or "model"
    return title, _text(title, source, options or {}, dataset, asked)


def _question(dataset: Dataset, target: str | None) -> _Question:
    kinds = {name: column.kind for name, column in dataset.columns.items()}
    candidates = [name for name, kind in kinds.items() if kind in _TASKS]
    if target is not None and target not in candidates:
        raise unknown("column that can be asked for", target, candidates)
    found = [target] if target else [name for name in candidates if kinds[name] != "value"] or candidates
    if len(found) != 1:
        found = candidates
        raise LinnetError(f"'{dataset.name}' has {len(found) or 'no'} columns that can be asked for"
                          f"{': ' + ', '.join(found) if found else ''}. "
                          + ("Say which with --target." if found else "A label, a list of them, spans or a number is "
                             "needed; `linnet data show` lists the columns."))
    _refuse_one_label(dataset, found[0])
    kind, columns = _input(kinds, found[0])
    task = _TASKS[kinds[found[0]]]
    if (kind, task) not in _FAMILIES:
        raise LinnetError(f"there is no family of networks that answers '{found[0]}' ({kinds[found[0]]}) from "
                          f"{kind}s; `linnet list models` says what there is.")
    return _Question(kind, columns, found[0], task)


def _refuse_one_label(dataset: Dataset, target: str) -> None:
    if dataset.columns[target].kind == "label" and len(set(dataset.values(target))) < 2:
        raise LinnetError(f"every sample of '{dataset.name}' has the same '{target}' ({dataset.values(target)[0]}): "
                          "there is nothing to tell apart. Add samples of another label.")


def _input(kinds: Mapping[str, str], target: str) -> tuple[str, list[str]]:
    """The media or the text; without one, every number and label of the row (groups tell results apart, no more)."""
    for wanted in _INPUTS:
        for name, kind in kinds.items():
            if kind == wanted:
                return kind, [name]
    numbers = [name for name, kind in kinds.items() if kind in ("value", "label") and name != target]
    if not numbers:
        raise LinnetError("the data have no column of sounds, images, texts or numbers to go in; `linnet data show` "
                          "lists the columns.")
    return "table", numbers


def _text(name: str, source: str, options: Mapping[str, Any], dataset: Dataset, asked: _Question) -> str:
    epochs = max(10, min(60, _STEPS_OF_TRAINING * _BATCH // max(1, len(dataset))))
    split, why = _split(dataset, asked)
    groups = [name for name, column in dataset.columns.items() if column.kind == "group" and name != "split"]
    given = _flow({"source": source, **({"options": dict(options)} if options else {}), "split": split})
    keywords = {"input": asked.inputs[0] if asked.kind != "table" else asked.inputs, "target": asked.target,
                **({"tolerance": _tolerance(dataset, asked)} if asked.task == "regress" else {}),
                **({"groups": groups} if groups else {})}
    family, changes = _network(dataset, asked)
    augment = f", augment: {changes}" if changes else ""
    bound, meaning = _bound(dataset, asked)
    margin, shown = _margin(dataset)
    return f"""\
# Made by `linnet init`; run it with: linnet run {name}.yaml. Change what you like: only what changed is done again.
name: {name}
seed: 0
data: {given}   # {why}
task: {_flow({asked.task: keywords})}{_hint(dataset, asked)}
steps:
  big:    {{fit: {{model: {{{family}: {{}}}}, epochs: {epochs}{augment}}}}}
  small:  {{shrink: {{model: big, plan: {{bits: 8}}}}}}        # weights and activations in 8 bits
  whole:  {{export: {{model: big, path: {name}-float.onnx}}}}
  file:   {{export: {{model: small, path: {name}.onnx}}}}    # the file that ships
  proof:                                             # the test part is looked at here, and nowhere else
    prove:
      file: file
      claims:
        - accuracy_at_least: {{bound: {bound}}}              # {meaning}
        - no_worse: {{than: whole, margin: {margin}}}       # {shown}
  timing: {{bench: {{files: [whole, file]}}}}
"""


def _network(dataset: Dataset, asked: _Question) -> tuple[str, str | None]:
    """The family, and the augmentation that leaves right answers right; None where that is not known."""
    family = _FAMILIES[asked.kind, asked.task]
    if asked.kind == "audio":
        return family, None if asked.task == "transcribe" else "speech"
    if asked.kind != "image":
        return family, None
    height, width, channels = data.read_image(dataset.file(asked.inputs[0], 0)).shape
    side = min(height, width)
    if side < _TINY_PIXELS:
        return "smallcnn", "handwriting"
    if channels == 1:
        return family, "handwriting"
    return family, "small_photographs" if side <= _SMALL_PIXELS else "photographs"


def _split(dataset: Dataset, asked: _Question) -> tuple[dict[str, Any], str]:
    columns = dataset.columns
    groups = {name: len(set(dataset.values(name))) for name, column in columns.items()
              if column.kind == "group" and name != "split" and not _follows(dataset, name, asked.target)}
    enough = {name: count for name, count in groups.items() if count >= _FEWEST_GROUPS}
    named = set(map(str, dataset.values("split"))) if "split" in columns else set()
    if {"train", "test"} <= named:
        both = [name for name in enough if _crosses(dataset, name)]
        apart = [name for name in enough if name not in both]
        by = {"by": max(apart, key=lambda name: enough[name])} if apart and "validation" not in named else {}
        return {"parts": "split", **by}, "the parts that the data themselves name" + (
            f"; the same {both[0]} is in several: {{by: {both[0]}}} asks the harder question" if both else "")
    if enough:
        by_fewest = min(enough, key=lambda name: enough[name])
        return {"by": by_fewest}, f"no {by_fewest} is in two parts"
    if columns[asked.target].kind == "label":
        return {"stratify": asked.target}, _TOGETHER
    return {}, _TOGETHER


def _crosses(dataset: Dataset, group: str) -> bool:
    """Whether a value of the group is in two of the data's own parts."""
    values = dataset.values(group)
    return len(set(zip(values, dataset.values("split"), strict=True))) > len(set(values))


def _follows(dataset: Dataset, group: str, target: str) -> bool:
    """Whether the target says the group (an intent its domain): parts by it would not have the same labels."""
    if dataset.columns[target].kind != "label":
        return False
    labels = dataset.values(target)
    return len(set(zip(labels, dataset.values(group), strict=True))) == len(set(labels))


def _bound(dataset: Dataset, asked: _Question) -> tuple[float, str]:
    """What any model must beat: always giving the most frequent answer."""
    if asked.task != "classify" or dataset.columns[asked.target].kind != "label":
        return 0.05, _RAISE
    counts = Counter(map(str, dataset.values(asked.target)))
    label, count = counts.most_common(1)[0]
    share = min(0.99, -(-100 * count // len(dataset)) / 100)
    return share, f"better than always saying '{label}'; {_RAISE}"


def _margin(dataset: Dataset) -> tuple[float, str]:
    """What eight bits may cost; on few rows no less can be shown, even where no answer changes."""
    parts = list(map(str, dataset.values("split"))) if "split" in dataset.columns else []
    tested = parts.count("test") or max(1, round(_TEST_SHARE * len(dataset)))
    least = math.ceil(100 * _ROWS_TIMES_MARGIN / tested) / 100
    if least <= _MARGIN:
        return _MARGIN, "what 8 bits may cost, as a share of the answers"
    return min(least, 0.9), f"about {tested} test rows can show no less; 0.01 takes {round(_ROWS_TIMES_MARGIN / 0.01)}"


def _hint(dataset: Dataset, asked: _Question) -> str:
    """What may have been meant otherwise."""
    if asked.task != "regress":
        return ""
    few = len(set(dataset.values(asked.target)))
    return f"   # {few} different numbers: --columns {asked.target}=label asks for labels" if few <= _FEW_VALUES else (
        "   # right is what comes within the tolerance, half a standard deviation: set what you need")


def _tolerance(dataset: Dataset, asked: _Question) -> float:
    """Half a standard deviation, in two digits: a first idea of what counts as right."""
    return float(f"{np.std(dataset.values(asked.target)) / 2:.2g}")


def _flow(value: Any) -> str:
    """YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(str(name))}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    is_plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", value) is not None
    return str(value) if is_plain and value not in ("true", "false", "null") else json.dumps(value, ensure_ascii=False)
