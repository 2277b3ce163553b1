"""What Label Studio reads and writes: tasks with predictions, the labelling interface, exports with annotations."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from linnet.data import Dataset
from linnet.data.columns import MEDIA
from linnet.data.magic import suffix_of_bytes
from linnet.errors import DamagedFileError

_SHOWS = {"audio": '<Audio name="sample" value="$sample"/>', "image": '<Image name="sample" value="$sample"/>',
          "text": '<Text name="sample" value="$sample"/>'}
_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg", ".png": "image/png",
          ".jpg": "image/jpeg", ".bmp": "image/bmp", ".webp": "image/webp"}


@dataclass(frozen=True)
class Answer:
    """What a person said of a sample that was shown with its given label: another or the same label, or to drop it."""

    id: str
    given: str
    label: str | None
    drop: bool


def task(row: Mapping[str, Any]) -> dict[str, Any]:
    """One task, with the suggested label (or else the given one) chosen beforehand."""
    label = row["suggested"] or row["given"]
    prediction: dict[str, Any] = {"model_version": "linnet", "result": [_choice("label", label)]}
    if row["probability"] != "":
        prediction["score"] = row["probability"]
    shown = {"id": row["id"], "given": row["given"], "why": row["why"], "sample": row["sample"] or row["id"]}
    return {"data": shown, "predictions": [prediction]}


def interface(labels: Sequence[str], kind: str) -> str:
    """The labelling interface: the sample, why it is shown, one choice of a label, and whether to drop it."""
    choices = "\n".join(f"    <Choice value={quoteattr(label)}/>" for label in labels)
    return f"""<View>
  <Header value="$why"/>
  {_SHOWS.get(kind, _SHOWS["text"])}
  <Choices name="label" toName="sample" choice="single" showInLine="true">
{choices}
  </Choices>
  <Choices name="drop" toName="sample" choice="multiple">
    <Choice value="drop"/>
  </Choices>
</View>
"""


def read(path: Path) -> list[Answer]:
    """The answers of an export: annotations that were not cancelled; a task without any has none."""
    try:
        tasks = json.loads(path.read_text("utf-8"))
        return [answer for one in tasks for answer in _answers(one)]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DamagedFileError(f"{path} is no export of Label Studio's tasks (JSON) that were written here: "
                               f"{type(error).__name__} {error}.") from error


def shown(dataset: Dataset, column: str | None, row: int, prefix: str, *, inline: bool) -> str:
    """What stands for a sample: its text, the path of its file, or the file itself as a data URI."""
    if column is None:
        return ""
    kind = dataset.column(column).kind
    if kind not in MEDIA:
        return str(dataset.values(column)[row])
    file = dataset.file(column, row)
    if not isinstance(file, bytes):
        return prefix + (dataset.path(column, row) or file.name)
    kind_of = _TYPES.get(suffix_of_bytes(file[:64]), "application/octet-stream")
    return f"data:{kind_of};base64,{base64.b64encode(file).decode()}" if inline else ""


def _answers(given: Mapping[str, Any]) -> list[Answer]:
    data, found = given["data"], []
    for annotation in given.get("annotations", ()):
        if annotation.get("was_cancelled"):
            continue
        chosen = {result["from_name"]: result["value"]["choices"] for result in annotation["result"]}
        label = chosen.get("label", [])
        found.append(Answer(str(data["id"]), str(data["given"]), str(label[0]) if label else None,
                            bool(chosen.get("drop"))))
    return found


def _choice(name: str, value: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "sample", "type": "choices", "value": {"choices": [value]}}
