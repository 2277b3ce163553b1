"""One trained network and its two files, written once: an export takes seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from linnet import data, export, nn, tasks, train


@pytest.fixture(scope="session")
def trained(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    """Small, but with statistics and weights that have moved."""
    options = train.Options(batch=16, device="cpu")
    return train.fit(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, epochs=3, options=options)


@pytest.fixture(scope="session")
def small(trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    """The same weights, to be written in eight bits."""
    sounds = tone_task.prepare(tones.train.decode("audio"))
    return replace(trained, encoding=nn.Encoding(bits=8), calibration={"audio": sounds["audio"][:64]})


@pytest.fixture(scope="session")
def sounds(tone_task: tasks.Classify, tones: data.Splits) -> dict[str, np.ndarray]:
    """Unheard input arrays."""
    return dict(tone_task.prepare(tones.test.decode("audio")))


@pytest.fixture(scope="session")
def float_file(trained: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
               tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export.write(trained, tone_task, tmp_path_factory.mktemp("float") / "tones.onnx", samples=tones.validation)


@pytest.fixture(scope="session")
def int8_file(small: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
              tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export.write(small, tone_task, tmp_path_factory.mktemp("int8") / "tones.onnx", samples=tones.validation)
