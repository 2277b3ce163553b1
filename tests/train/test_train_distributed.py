"""Two processes against one that accumulates the same half-batches; real processes, over the loopback."""

import json
import os
import runpy
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.train import distributed

SCRIPT = """
import json, sys
import numpy as np, pyarrow as pa
from linnet import data, nn, tasks, train
from linnet.train import distributed

wanted = json.loads(sys.argv[1])
rng = np.random.default_rng(0)
rows, family = wanted["rows"], wanted["family"]
first, second = rng.normal(size=rows), rng.normal(size=rows)
names = [f"r{number}" for number in range(rows)]
label = np.where(first * second > 0, "same", "other").tolist()
table = pa.table({"id": names, "first": first, "second": second, "label": label})
columns = {"first": data.ValueColumn(), "second": data.ValueColumn(), "label": data.LabelColumn(("other", "same"))}
splits = data.Dataset("signs", table, columns).split(seed=0)
task = tasks.Classify(splits, input=["first", "second"], target="label")
options = train.Options(batch=16, device="cpu", accumulate=wanted["accumulate"], **wanted["options"])
losses = []
fitted = train.fit(nn.zoo.mlp(task, width=16, seed=0), task, splits, epochs=wanted["epochs"], options=options,
                   folder=wanted["folder"], progress=lambda done, total, text: losses.append(done))
if distributed.join().is_first:
    print(json.dumps({"losses": [row["train_loss"] for row in fitted.history], "identity": fitted.identity,
                      "steps": losses, "validation": [row["validation_loss"] for row in fitted.history],
                      "notes": fitted.notes.get("processes"),
                      "weights": [p.detach().numpy().tolist() for p in fitted.module.parameters()]}))
else:
    print(json.dumps({"steps": losses, "identity": fitted.identity}))
"""


def start(script: Path, wanted: dict[str, Any], rank: int, size: int, port: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RANK": str(rank), "LOCAL_RANK": str(rank),
                   "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return subprocess.Popen([sys.executable, str(script), json.dumps(wanted)], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def here(script: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """What the script prints when this process runs it alone."""
    before, sys.argv = sys.argv, [str(script), json.dumps(wanted)]
    try:
        with redirect_stdout(StringIO()) as out:
            runpy.run_path(str(script))
    finally:
        sys.argv = before
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    answer: dict[str, Any] = json.loads(out)
    return answer


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def compared(folder: Path, epochs: int, rows: int, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The first of two processes, and one process that accumulates two batches."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    wanted = {"family": "mlp", "epochs": epochs, "rows": rows, "accumulate": 1, "options": options,
              "folder": str(folder / "two")}
    port = free_port()
    both = [start(script, wanted, rank, 2, port) for rank in (0, 1)]
    one = here(script, {**wanted, "accumulate": 2, "folder": str(folder / "one")})
    first, second = (finished(process) for process in both)
    assert second["identity"] == first["identity"]
    assert second["steps"] == []
    return first, one


def test_two_processes_are_one_that_accumulates(tmp_path: Path) -> None:
    first, one = compared(tmp_path, epochs=5, rows=90)  # a last step with one batch for two processes
    assert first["steps"] == one["steps"] == list(range(1, 11))
    assert first["losses"] == pytest.approx(one["losses"], abs=1e-4)
    assert (first["notes"], one["notes"]) == (2, None)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"optimizer": "muon", "clip": 0.5, "ema": 0.9}, {"optimizer": "sam"}])
def test_the_same_loss_for_fifty_steps(tmp_path: Path, options: dict[str, Any]) -> None:
    first, one = compared(tmp_path, epochs=50, rows=40, **options)  # 24 rows to learn from: one step an epoch
    assert first["steps"] == one["steps"] == list(range(1, 51))
    assert np.abs(np.array(first["losses"]) - np.array(one["losses"])).max() < 1e-4
    assert np.abs(np.array(first["validation"]) - np.array(one["validation"])).max() < 1e-4
    for two, alone in zip(first["weights"], one["weights"], strict=True):
        assert np.allclose(two, alone, atol=1e-4)


def test_one_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = distributed.join()
    assert (group.rank, group.size, group.is_first) == (0, 1, True)
    assert group.agree([1.5]) == [1.5]


def test_processes_that_cannot_find_each_other_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT", "RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(LinnetError, match="WORLD_SIZE says that 2 processes train together"):
        distributed.join()
