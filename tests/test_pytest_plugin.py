"""The pytest plugin: rows become tests where a model is named, and nothing happens otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper
from onnx_files import table_bytes

from linnet import data, tasks
from linnet.runtime import ArraySpec, Card, with_metadata

pytest_plugins = "pytester"
PLUGIN = ("-p", "linnet.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory, sentences: data.Splits) -> Path:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word")
    assert task.tokenizer is not None
    table = np.zeros((task.tokenizer.size, 3))
    table[task.tokenizer.tokens.index("soup")] = [3, 0, 0]
    table[task.tokenizer.tokens.index("warm")] = [0, 0, 3]
    path = tmp_path_factory.mktemp("model") / "intents.onnx"
    path.write_bytes(table_bytes(task, table))
    return path


def test_each_row_is_a_test(pytester: pytest.Pytester, model: Path) -> None:
    table = pytester.makefile(".csv", cases="text,expected\nsoup,food\nwarm,weather\nwarm soup,weather\n")
    found = pytester.runpytest_inprocess(*PLUGIN, str(table), "--linnet-model", str(model))
    found.assert_outcomes(passed=2, failed=1)
    found.stdout.fnmatch_lines(["*case: warm soup*", "warm soup: expected 'weather', answered 'food'",
                                "*cases in cases.csv*", "2 of 3 cases pass; there is no last run."])
    place = pytester.path / "cases.last.json"
    kept = json.loads(place.read_text())
    kept["cases"]["warm soup"]["passed"], kept["cases"]["soup"]["passed"] = True, False
    place.write_text(json.dumps(kept))
    found = pytester.runpytest_inprocess(*PLUGIN, ".", "--linnet-model", str(model))
    found.stdout.fnmatch_lines(["newly failing: warm soup: expected 'weather', answered 'food'",
                                "recovered: soup: *", "2 of 3 cases pass; 1 newly fails and 1 recovered, against *"])
    found = pytester.runpytest_inprocess(*PLUGIN, ".", "--linnet-model", str(model), "-k", "not soup")
    found.assert_outcomes(passed=1, deselected=2)
    assert len(json.loads(place.read_text())["cases"]) == 3


@pytest.mark.slow
def test_rows_run_in_several_processes(pytester: pytest.Pytester, model: Path) -> None:
    pytester.makefile(".csv", cases="text,expected\nsoup,food\nwarm,food\n")
    found = pytester.runpytest_subprocess(*PLUGIN, "-n", "1", "--linnet-model", str(model))
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*1 of 2 cases pass; there is no last run."])
    assert (pytester.path / "cases.last.json").exists()


def voices_file(path: Path, task: tasks.Verify) -> Path:
    """A voice is how loud each of three pitches is; recordings of any length."""
    time, width = np.arange(400) / 8000, task.output[1][-1] or 0
    waves = [wave(2 * np.pi * pitch * time) / 400 for pitch in (300, 800, 1900) for wave in (np.sin, np.cos)]
    pool = np.zeros((6, width), np.float32)
    pool[np.arange(6), np.arange(6) // 2] = 1
    stored = {"waves": np.array(waves, np.float32)[:, None], "pool": pool, "one": np.array([1]), "two": np.array([2])}
    nodes = [helper.make_node("Unsqueeze", ["audio", "one"], ["channel"]),
             helper.make_node("Conv", ["channel", "waves"], ["found"], strides=[400]),
             helper.make_node("Mul", ["found", "found"], ["power"]),
             helper.make_node("ReduceSum", ["power", "two"], ["loud"], keepdims=0),
             helper.make_node("MatMul", ["loud", "pool"], ["voice"])]
    graph = helper.make_graph(
        nodes, "voices", [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", "samples"]),
                          helper.make_tensor_value_info("lengths", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("voice", TensorProto.FLOAT, ["batch", width])],
        [numpy_helper.from_array(values, name) for name, values in stored.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    card = Card(name="voices", task=task.to_json(), parameters=2, linnet_version="0.1.0", labels=task.labels,
                input={name: ArraySpec(dtype=dtype, shape=shape) for name, (dtype, shape) in task.arrays.items()},
                output={"voice": ArraySpec(dtype="float32", shape=(width,))})
    path.write_bytes(with_metadata(model.SerializeToString(), {"linnet.card": card.to_json()}))
    return path


def test_voices_are_asked_together(pytester: pytest.Pytester, tones: data.Splits) -> None:
    model = voices_file(pytester.path / "voices.onnx", tasks.Verify(tones, input="audio", target="pitch"))
    rows = ["audio,expected"]
    for number, (pitch, name) in enumerate([(300, "ann"), (310, "ann"), (800, "bob"), (790, "bob"), (305, "bob")]):
        soundfile.write(pytester.path / f"{number}.wav", 0.5 * np.sin(2 * np.pi * pitch * np.arange(4000) / 8000), 8000)
        rows.append(f"{number}.wav,{name}")
    pytester.makefile(".csv", cases="\n".join(rows[:5]), wrong_cases="\n".join(rows))
    given = (*PLUGIN, "--linnet-model", str(model))
    pytester.runpytest_inprocess(*given, "cases.csv").assert_outcomes(passed=4)
    found = pytester.runpytest_inprocess(*given, "wrong_cases.csv")
    found.assert_outcomes(failed=5)
    found.stdout.fnmatch_lines(["2.wav: expected 'bob', answered '*' (scored 0.75)"])
    found = pytester.runpytest_inprocess(*given, "wrong_cases.csv", "--linnet-enough", "0.6")
    found.assert_outcomes(passed=4, failed=1)


def test_which_tables_are_taken(pytester: pytest.Pytester, model: Path) -> None:
    pytester.makefile(".csv", cases="text,expected\nsoup,food\n", rows="text,expected\nwarm,weather\n")
    given = (*PLUGIN, "--linnet-model", str(model))
    pytester.runpytest_inprocess(*given).assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*given, "rows.csv").assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*given, "-o", "linnet_cases=*.csv").assert_outcomes(passed=2)
    assert pytester.runpytest_inprocess(*PLUGIN).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_what_cannot_be_read_is_said_in_one_message(pytester: pytest.Pytester, model: Path) -> None:
    pytester.makefile(".csv", cases="title,expected\nsoup,food\n")
    found = pytester.runpytest_inprocess(*PLUGIN, "--linnet-model", str(model))
    found.stdout.fnmatch_lines(["*has no column 'text' with what goes in*"])
    assert found.ret == pytest.ExitCode.INTERRUPTED
    found = pytester.runpytest_inprocess(*PLUGIN, "--linnet-model", "none.onnx")
    found.stdout.fnmatch_lines(["*there is no file none.onnx*"])


def test_it_imports_nothing_before_it_is_asked() -> None:
    script = "import sys, linnet.pytest_plugin; print([name for name in sys.modules if name.startswith('linnet.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['linnet.pytest_plugin']"


def test_pytest_finds_it_where_linnet_is_installed() -> None:
    (found,) = entry_points(group="pytest11", name="linnet.pytest_plugin")
    assert found.value == "linnet.pytest_plugin"
