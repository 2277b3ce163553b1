"""Keras takes its backend from the environment when it is imported: hence a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

if importlib.util.find_spec("keras") is None:
    pytest.skip("the extra 'foreign' is not installed", allow_module_level=True)

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import keras
from conftest import squares
from linnet import evidence, export, runtime, tasks
from linnet.errors import LinnetError

splits = squares.__wrapped__() if hasattr(squares, "__wrapped__") else squares._fixture_function()
folder = Path(sys.argv[1])
task = tasks.Classify(splits, input="image", target="side")
pixels, answers = task.prepare(task.read(splits.train))["image"], task.targets(splits.train)
keras.utils.set_random_seed(0)


def network(*last):
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"),
                              layers.BatchNormalization(), layers.Flatten(), layers.Dense(*last)])
    loss = {"softmax": "sparse_categorical_crossentropy", "sigmoid": "binary_crossentropy"}.get(last[1])
    model.compile(keras.optimizers.Adam(0.01), loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pixels.astype("float32"), answers, epochs=12, verbose=0)
    return model


for last in ((2, "softmax"), (1, "sigmoid"), (2, None)):
    model = network(*last)
    path = export.adopt(model, task, folder / "keras.onnx", samples=splits.test)
    file = runtime.load(path)
    scores = tasks.evaluate(file, task, splits.test)
    assert scores.mean > 0.8, (last, scores.mean)
    said = np.asarray(model.predict(task.prepare(task.read(splits.test))["image"].astype("float32"), verbose=0))
    second = said[:, -1] if last[1] else 1 / (1 + np.exp(said[:, 0] - said[:, 1]))
    got = task.probabilities(file(task.prepare(task.read(splits.test))))[:, 1]
    assert np.abs(got - second).max() < 1e-4, last
export.prove(path, [evidence.accuracy_at_least(scores, bound=0.5)], require="holds")
assert runtime.verify(path, data=splits.test).exit_code == 0
assert runtime.bench(path, runs=3, seconds=0).p50_ms > 0
assert file.card.model["family"] == "Keras"
twice = keras.Model(model.inputs, [model.outputs[0], model.outputs[0]])
try:
    export.adopt(twice, task, folder / "b.onnx")
except LinnetError as error:
    assert "one input and one output" in str(error)
else:
    raise AssertionError("two outputs were taken")
print("done")
"""


def test_a_small_network_is_proven_like_our_own(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": f"{tests}{os.pathsep}{tests.parent}"}
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], env=environment, capture_output=True,
                          text=True, check=False)
    assert done.stdout.endswith("done\n"), done.stderr[-3000:]
