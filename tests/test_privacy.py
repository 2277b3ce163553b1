"""Nothing leaves the machine unasked, and nothing is prepared to leave."""

import os
import subprocess
import sys
from pathlib import Path

from onnx_files import digits_bytes

SCRIPT = "import sys; from linnet import runtime; print(runtime.bench(sys.argv[1], runs=1, seconds=0.01).p50_ms)"


def test_the_engine_leaves_no_device_identifier_and_no_queue_of_events(tmp_path: Path) -> None:
    (tmp_path / "digits.onnx").write_bytes(digits_bytes())
    home = tmp_path / "home"
    home.mkdir()
    plain = {name: value for name, value in os.environ.items()
             if not name.startswith("XDG_") and name != "ORT_DISABLE_TELEMETRY"}
    asked = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "digits.onnx")], check=True,
                           capture_output=True, text=True, env={**plain, "HOME": str(home)})
    assert float(asked.stdout) > 0
    assert [path for path in home.rglob("*") if path.is_file()] == []
