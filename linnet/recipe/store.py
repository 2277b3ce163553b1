"""What a run leaves in its folder: JSON and Parquet, written beside and renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from linnet.errors import DamagedFileError
from linnet.evidence import DataRef, Scores
from linnet.files import replacing

_PLAIN = ("subject", "subject_name", "metric")


def write_text(path: Path, text: str) -> None:
    """Write beside, then rename."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """A readable JSON file."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file; DamagedFileError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path} cannot be read: {error}. Delete {path.parent} and run again.") from error


def write_scores(measured: Mapping[str, Scores | None], folder: Path) -> None:
    """Each role's Scores as <role>.parquet, one row a sample; None takes away those that were there."""
    import pyarrow as pa
    from pyarrow import parquet

    for role, scores in measured.items():
        if scores is None:
            (folder / f"{role}.parquet").unlink(missing_ok=True)
            continue
        columns = {"id": list(scores.ids), "answer": list(scores.answers), "target": list(scores.targets),
                   "score": scores.score, **{f"group:{name}": list(values) for name, values in scores.groups.items()}}
        if scores.seconds is not None:
            columns["seconds"] = scores.seconds
        facts = {name: getattr(scores, name) for name in _PLAIN} | {"data": scores.data.model_dump_json()}
        with replacing(folder / f"{role}.parquet") as partial:
            parquet.write_table(pa.table(columns).replace_schema_metadata(facts), partial)


def read_scores(path: Path) -> Scores:
    """Read what `write_scores` wrote; DamagedFileError where it cannot be read."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except pa.ArrowException as error:
        raise DamagedFileError(f"{path} cannot be read: {error} Delete {path.parent} and run again.") from error
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    columns = {name: table[name].to_pylist() for name in table.column_names}
    groups = {name.removeprefix("group:"): values for name, values in columns.items() if name.startswith("group:")}
    return Scores(ids=columns["id"], answers=columns["answer"], targets=columns["target"],
                  score=np.array(columns["score"]), groups=groups,
                  seconds=np.array(columns["seconds"]) if "seconds" in columns else None,
                  data=DataRef.model_validate_json(facts["data"]), **{name: facts[name] for name in _PLAIN})
