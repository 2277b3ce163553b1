"""What a file adds to the memory of a process in which the engine already runs a model of one operator.

Run as `python -m linnet.runtime.memory`: a process of its own, because a peak that was reached stays, and here nothing
but the file can have reached it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path

from linnet.errors import LinnetError
from linnet.runtime.artifact import read
from linnet.runtime.engines import COMPANIONS, start
from linnet.runtime.inputs import random_inputs, varying_samples
from linnet.runtime.wire import encode_bytes, encode_varint

_STATUS = Path("/proc/self/status")


def main(arguments: list[str]) -> None:
    """Load the file, run it, and print {"bytes": ...} to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args(arguments)
    samples = varying_samples(read(given.path))
    _warm_up(given.engine, given.threads)
    before = _reset_peak()
    session = start(given.path, engine=given.engine, threads=given.threads)
    inputs = random_inputs(session, samples=samples)
    for _ in range(given.runs):
        session.run(inputs)
    sys.stdout.write(json.dumps({"bytes": _peak() - before}))


def _warm_up(engine: str, threads: int) -> None:
    """Run a model of one operator; an engine that takes no ONNX is loaded by the attempt, and no more."""
    try:
        smallest = start(smallest_model(), engine=engine, threads=threads)
    except LinnetError:
        if engine not in COMPANIONS:
            raise
        return
    smallest.run(random_inputs(smallest))


def smallest_model() -> bytes:
    """An ONNX file of one operator: y = Identity(x), both float32 (1)."""
    float_tensor_of_one = encode_bytes(1, b"\x08\x01" + encode_bytes(2, encode_bytes(1, b"\x08\x01")))
    node = encode_bytes(1, b"x") + encode_bytes(2, b"y") + encode_bytes(4, b"Identity")
    ports = (encode_bytes(number, encode_bytes(1, name) + encode_bytes(2, float_tensor_of_one))
             for number, name in ((11, b"x"), (12, b"y")))
    graph = encode_bytes(1, node) + encode_bytes(2, b"smallest") + b"".join(ports)
    ir_version, opset = b"\x08" + encode_varint(8), encode_bytes(1, b"") + b"\x10" + encode_varint(17)
    return ir_version + encode_bytes(7, graph) + encode_bytes(8, opset)


def _reset_peak() -> int:
    """Forget the peak of the imports, where the kernel can, and say how much is in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return _peak()
    return _peak()


def _peak() -> int:
    """Bytes. Linux keeps the peak of this very program; `ru_maxrss` is that of its parent too, if that was larger."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main(sys.argv[1:])
