"""A shipped file that names the pitch of a tone, and what it scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx_files import tones_bytes

from linnet import data, evidence, runtime, tasks


@pytest.fixture
def tones_file(tmp_path: Path, tone_task: tasks.Classify) -> Path:
    """The file without claims."""
    path = tmp_path / "tones.onnx"
    path.write_bytes(tones_bytes(tone_task))
    return path


@pytest.fixture
def tones_scores(tones_file: Path, tone_task: tasks.Classify, tones: data.Splits) -> evidence.Scores:
    """Its scores on the test part: all right."""
    return tasks.evaluate(runtime.load(tones_file), tone_task, tones.test)
