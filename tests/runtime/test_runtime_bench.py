import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_files import digits_bytes, with_external_weights

from linnet import evidence, runtime
from linnet.errors import LinnetError
from linnet.runtime import memory
from linnet.runtime.energy import joules_per_call
from linnet.runtime.engines import start
from linnet.runtime.latency import take_turns
from linnet.runtime.processor import processor_name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "digits.onnx"
    path.write_bytes(digits_bytes())
    return path


def test_a_file_without_a_card_is_measured(file: Path) -> None:
    measured = runtime.bench(file, runs=20, seconds=0.05)
    assert len(measured.seconds) >= 20
    assert 0 < measured.p50_ms <= measured.p95_ms <= measured.p99_ms < 1000
    assert measured.throughput_per_second > 0
    assert measured.throughput_batch == 32
    assert measured.size_bytes == measured.size_without_claims_bytes == file.stat().st_size
    assert 0 <= measured.peak_memory_mb < 50
    assert measured.processor == processor_name()
    again = runtime.Bench.from_json(json.loads(json.dumps(measured.to_json(), allow_nan=False)))
    assert again == measured
    assert (again.seconds == measured.seconds).all()


def test_its_timing_makes_a_claim_that_says_where(file: Path) -> None:
    measured = runtime.bench(file, runs=100, seconds=0)
    claim = evidence.latency_below(measured.timing, bound_ms=1000)
    assert claim.holds
    assert claim.subject == measured.subject
    assert claim.conditions == {"engine": "onnxruntime", "version": measured.version, "threads": "1",
                                "processor": processor_name()}


def test_several_files_take_turns(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(digits_bytes(seed=1))
    one, other = runtime.bench_many([file, tmp_path / "other.onnx"], runs=30, seconds=0)
    assert (one.name, other.name) == ("digits.onnx", "other.onnx")
    assert len(one.seconds) == len(other.seconds) == 30
    assert one.subject != other.subject


def test_turns_start_with_another_call_each_round() -> None:
    order: list[str] = []
    take_turns([lambda: order.append("a"), lambda: order.append("b")], runs=3, seconds=0)
    assert order[-6:] == ["a", "b", "b", "a", "a", "b"]


def test_runs_are_at_least_and_seconds_at_most_what_was_asked() -> None:
    [taken] = take_turns([lambda: time.sleep(0.01)], runs=3, seconds=0)
    assert len(taken) == 3
    assert (taken >= 0.01).all()
    [taken] = take_turns([lambda: None], runs=1, seconds=0.05)
    assert len(taken) > 100


def test_a_fixed_batch_is_counted_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "fixed.onnx"
    path.write_bytes(digits_bytes(batch=4))
    assert runtime.bench(path, runs=2, seconds=0).throughput_batch == 4


def test_weights_beside_the_file_count_to_its_size(tmp_path: Path) -> None:
    path = with_external_weights(tmp_path)
    measured = runtime.bench(path, runs=2, seconds=0)
    assert measured.size_bytes == path.stat().st_size + (tmp_path / "weights.bin").stat().st_size


def test_memory_is_that_of_the_file_and_not_of_this_process(tmp_path: Path) -> None:
    ballast = np.ones(40_000_000, np.uint8)  # what this process holds must not be counted
    weights = onnx.numpy_helper.from_array(np.random.default_rng(0).random((2000, 2500), np.float32), "w")  # 20 MB
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "large",
        [onnx.helper.make_tensor_value_info("x", 1, ["batch", 2000])],
        [onnx.helper.make_tensor_value_info("y", 1, ["batch", 2500])], [weights])
    large, small = tmp_path / "large.onnx", tmp_path / "small.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), large)
    small.write_bytes(digits_bytes())
    of_large, of_small = (one.peak_memory_mb for one in runtime.bench_many([large, small], runs=2, seconds=0))
    assert of_small < 10 < 20 <= of_large < 150
    assert ballast[0] == 1


def test_the_smallest_model_is_one() -> None:
    onnx.checker.check_model(onnx.load_from_string(memory.smallest_model()))
    assert start(memory.smallest_model()).run({"x": np.ones(1, np.float32)})["y"].tolist() == [1.0]


def identity(path: Path, kind: int) -> Path:
    """A file that gives back what it takes."""
    ports = [onnx.helper.make_tensor_value_info(name, kind, ["batch"]) for name in "tu"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["t"], ["u"])], "same", ports[:1], ports[1:])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_texts_are_made_up(tmp_path: Path) -> None:
    path = identity(tmp_path / "text.onnx", onnx.TensorProto.STRING)
    assert runtime.bench(path, runs=2, seconds=0).p50_ms > 0
    said = start(path).run({"t": np.array(["one", "two"])})["u"]
    assert said.tolist() == ["one", "two"]
    with pytest.raises(LinnetError, match=r"expected string \(any\), received float32 \(1\)"):
        start(path).run({"t": np.ones(1, np.float32)})


def test_what_cannot_be_made_up_or_measured_is_said(tmp_path: Path, file: Path) -> None:
    with pytest.raises(LinnetError, match="cannot make up an input of type 'bfloat16'"):
        runtime.bench(identity(tmp_path / "short.onnx", onnx.TensorProto.BFLOAT16))
    with pytest.raises(LinnetError, match="runs of at least 1"):
        runtime.bench(file, runs=0)
    with pytest.raises(LinnetError, match="needs a file"):
        runtime.bench_many([])


def counter(folder: Path, name: str, *, energy: str, limit: str = "1000000") -> Path:
    (folder / name).mkdir()
    (folder / name / "energy_uj").write_text(energy)
    (folder / name / "max_energy_range_uj").write_text(limit)
    return folder / name / "energy_uj"


def test_energy_is_read_from_the_packages_and_a_counter_may_start_again(tmp_path: Path) -> None:
    first = counter(tmp_path, "intel-rapl:0", energy="100")
    second = counter(tmp_path, "intel-rapl:1", energy="999990")
    counter(tmp_path, "intel-rapl:0:0", energy="5")  # a part of the first package, counted already

    def call() -> None:
        first.write_text("300")
        second.write_text("10")

    assert joules_per_call(call, seconds=0, counters=tmp_path) == pytest.approx(220e-6)


@pytest.mark.parametrize("energy", ["", "secret"])
def test_energy_is_unknown_where_no_counter_can_be_read(tmp_path: Path, energy: str) -> None:
    assert joules_per_call(lambda: None, seconds=0, counters=tmp_path) is None
    counter(tmp_path, "intel-rapl:0", energy=energy)
    assert joules_per_call(lambda: None, seconds=0, counters=tmp_path) is None


def test_the_processor_has_a_name(tmp_path: Path) -> None:
    x86, arm = tmp_path / "x86", tmp_path / "arm"
    x86.write_text("processor\t: 0\nmodel name\t: Some Processor 3000\n")
    arm.write_text("processor\t: 0\nBogoMIPS\t: 108.00\nModel\t\t: Some Board 4\n")
    assert (processor_name(x86), processor_name(arm)) == ("Some Processor 3000", "Some Board 4")
    assert processor_name(tmp_path / "none")


def test_an_interrupt_ends_it_at_once_and_leaves_nothing(file: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from linnet import runtime
        print("started", flush=True)
        try:
            runtime.bench(sys.argv[1], seconds=60)
        except KeyboardInterrupt:
            sys.exit(130)
    """)
    root = str(Path(runtime.__file__).parents[2])
    running = subprocess.Popen([sys.executable, "-c", script, str(file)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root})
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=10)
    assert (running.returncode, errors) == (130, "")
    assert [path.name for path in file.parent.glob("digits*")] == ["digits.onnx"]
