"""What is particular about OpenVINO: it would report to its maker, and round float files to bfloat16."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from onnx_files import digits_bytes

from linnet.runtime.engines import start

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason='needs: pip install "linnet[openvino]"')

SCRIPT = """
import sys
from linnet.runtime.engines import start
start(sys.stdin.buffer.read(), engine="openvino")
print("openvino_telemetry" in sys.modules)
"""


def test_it_reports_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], input=digits_bytes(), capture_output=True, check=True,
                          env={**plain, "HOME": str(tmp_path)})
    assert (done.stdout.strip(), done.stderr) == (b"False", b"")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_it_computes_float_files_in_float32_on_the_threads_that_were_asked_for() -> None:
    session = start(digits_bytes(), engine="openvino", threads=2)
    assert session.compiled.get_property("INFERENCE_PRECISION_HINT").to_dtype() == np.float32
    assert session.compiled.get_property("INFERENCE_NUM_THREADS") == 2


def test_answers_of_one_run_are_not_those_of_the_next() -> None:
    session = start(digits_bytes(), engine="openvino")
    image = np.ones((1, 8, 8, 1), np.uint8)
    before = session.run({"image": image})["logits"]
    kept = before.copy()
    session.run({"image": 200 * image})
    assert (before == kept).all()
