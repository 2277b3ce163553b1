"""A shipped file with claims that hold, and the recordings they speak of."""

from __future__ import annotations

from pathlib import Path

from onnx_files import tones_bytes

from linnet import data, evidence, export, runtime, tasks


def proven_file(path: Path, task: tasks.Classify, tones: data.Splits) -> Path:
    """Write a file that names the pitch of a tone, with two claims."""
    path.write_bytes(tones_bytes(task))
    after = tasks.evaluate(runtime.load(path), task, tones.test)
    size = evidence.Size(runtime.read(path).size_without_claims_bytes, after.subject)
    return export.prove(path, [evidence.accuracy_at_least(after, bound=0.5), evidence.size_below(size, bound_kb=5000)])
