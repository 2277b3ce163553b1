"""What ships must start at once: heavy packages are loaded where they are used, never on import."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "onnx", "onnxruntime", "pyarrow", "scipy", "sklearn", "soundfile", "soxr", "PIL", "altair")


@pytest.mark.parametrize("room", ["linnet", "linnet.evidence", "linnet.data", "linnet.introspect", "linnet.tasks",
                                  "linnet.runtime", "linnet.runtime.memory", "linnet.runtime.recognizers",
                                  "linnet.watch", "linnet.speech", "linnet.speech.decoding", "linnet.speech.speakers",
                                  "linnet.language", "linnet.language.metrics", "linnet.language.grammar",
                                  "linnet.responses", "linnet.cli"])
def test_importing_a_room_below_the_wall_loads_nothing_heavy(room: str) -> None:
    script = f"import sys, {room}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")
