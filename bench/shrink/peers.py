"""What the peers make of a float network, and how fast every file is: table.py runs this in their environment.

python peers.py make FOLDER    from FOLDER/body.onnx and calibration.npz: int8 by onnxruntime (two ways) and by NNCF,
                               each with its answers
python peers.py time FOLDER    every file under FOLDER in turn, one thread, one sample a run, in CPU seconds; writes
                               times.json
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

Row = dict[str, np.ndarray]
Run = Callable[[Row], np.ndarray]
ROUNDS, INNER = 60, 20


def rows(path: Path) -> list[Row]:
    """Samples as they were written: arrays named "<row>/<input>"."""
    found: dict[int, Row] = {}
    with np.load(path) as stored:
        for key in stored.files:
            number, name = key.split("/", 1)
            found.setdefault(int(number), {})[name] = stored[key]
    return [found[number] for number in sorted(found)]


def onnx_session(path: Path) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = {entry.name for entry in session.get_inputs()}
    return lambda row: session.run(None, {name: values for name, values in row.items() if name in names})[0]


def openvino_session(path: Path) -> Run:
    compiled = openvino.Core().compile_model(str(path), "CPU", {
        "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"})
    names = [port.get_any_name() for port in compiled.inputs]
    request = compiled.create_infer_request()

    def run(row: Row) -> np.ndarray:
        request.infer({name: row[name] for name in names})
        return request.get_output_tensor(0).data.copy()

    return run


def session(path: Path) -> Run:
    return openvino_session(path) if path.suffix == ".xml" else onnx_session(path)


class Reader(CalibrationDataReader):
    def __init__(self, samples: list[Row], names: set[str]) -> None:
        self.rows = iter([{name: values for name, values in row.items() if name in names} for row in samples])

    def get_next(self) -> Row | None:
        return next(self.rows, None)


def make(folder: Path) -> None:
    """onnxruntime's static int8 with signed (its default) and unsigned activations, NNCF's with and without a hint."""
    import nncf

    nncf.set_log_level(logging.ERROR)
    body, prepared = folder / "body.onnx", folder / "prepared.onnx"
    samples = rows(folder / "calibration.npz")
    names = {entry.name for entry in onnx.load(body).graph.input}
    is_sequence = json.loads((folder / "facts.json").read_text())["transformer"]
    quant_pre_process(str(body), str(prepared), skip_symbolic_shape=is_sequence)
    for label, kind in (("s8s8", QuantType.QInt8), ("u8s8", QuantType.QUInt8)):
        quantize_static(str(prepared), str(folder / f"onnxruntime-{label}.onnx"), Reader(samples, names),
                        quant_format=QuantFormat.QDQ, per_channel=True, activation_type=kind,
                        weight_type=QuantType.QInt8)
    prepared.unlink()
    hint: dict[str, Any] = {"model_type": nncf.ModelType.TRANSFORMER} if is_sequence else {}
    model = openvino.Core().read_model(str(body))
    given = [{name: row[name] for name in names} for row in samples]
    quantized = nncf.quantize(model, nncf.Dataset(given), subset_size=len(given), **hint)
    openvino.save_model(quantized, str(folder / "nncf.xml"), compress_to_fp16=False)
    openvino.save_model(openvino.Core().read_model(str(body)), str(folder / "openvino-float.xml"),
                        compress_to_fp16=False)
    tests, plain = rows(folder / "test.npz"), session(body)
    for path in [*folder.glob("onnxruntime-*.onnx"), folder / "nncf.xml"]:
        run = session(path)
        if any(run(row).shape != plain(row).shape for row in tests[:9]):  # NNCF 3.4 fixes the frames of its samples
            path.rename(path.with_suffix(".wrong"))
            continue
        np.savez(path.with_suffix(".answers.npz"), *[run(row)[0] for row in tests])


def measure(folder: Path) -> None:
    """All files take turns; the median of the rounds' means is written, and each round's, for the ratios' spread."""
    files = sorted([*folder.glob("*.onnx"), *folder.glob("*.xml")])
    own = {path.stem.removeprefix("typical-"): rows(path)[0] for path in folder.glob("typical-*.npz")}
    sample = rows(folder / "typical.npz")[0]
    calls = {path.name: (session(path), own["whole"] if path.name.startswith("whole") else own.get(path.stem, sample))
             for path in files}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for run, given in calls.values():
        for _ in range(INNER):
            run(given)
    for _ in range(ROUNDS):
        for name, (run, given) in calls.items():
            start = time.process_time()
            for _ in range(INNER):
                run(given)
            times[name].append((time.process_time() - start) / INNER)
    (folder / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    {"make": make, "time": measure}[sys.argv[1]](Path(sys.argv[2]))
