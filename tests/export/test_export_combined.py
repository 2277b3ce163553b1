"""Methods together: the file answers as the model that was finished, and its card says how it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet import data, export, nn, runtime, shrink, tasks, train

OPTIONS = train.Options(batch=16, device="cpu", learning_rate=1e-3)
REMOVED: dict[str, Any] = {"layers": {"block1": [0], "block2": [1, 2]}}
PALETTES: dict[str, Any] = {"bits": 3, "edges": None}


@pytest.fixture(scope="module")
def wide(tone_task: tasks.Classify) -> nn.Model:
    """Wide enough for a palette to make the file smaller."""
    return nn.zoo.dscnn(tone_task, width=32, seed=0)


@pytest.mark.parametrize(("methods", "bits", "forms"), [
    ({"remove_channels": REMOVED, "sparsify": {"share": 0.7}, "palettize": PALETTES, "int8": {}}, "int8",
     {"palette", "mask", "gaps"}),
    ({"palettize": PALETTES, "qat": {}}, "int8", {"palette"}),
    ({"sparsify": {"share": 0.9}, "qat": {}}, "int8", {"mask", "gaps"}),
    ({"palettize": PALETTES | {"tuned": False}, "int8": {"repairs": ["bias_correction"]}}, "int8", {"palette"}),
    ({"factorize": {"keep": 0.7}, "int8": {}}, "int8", set()),
], ids=lambda value: "+".join(value) if isinstance(value, dict) else "")
def test_methods_together_give_a_file_that_agrees(methods: dict[str, dict[str, Any]], bits: str, forms: set[str],
                                                  wide: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                                  sounds: dict[str, np.ndarray], tmp_path: Path) -> None:
    model = shrink.apply(shrink.Plan(methods), wide, tone_task, tones, epochs=1, options=OPTIONS)
    file = runtime.load(export.write(model, tone_task, tmp_path / "small.onnx", samples=tones.validation))
    found, wanted = file(sounds)["logits"], model(sounds)["logits"]
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.15 * wanted.std()
    assert file.card.bits == bits
    stored = set(file.card.stored) - {"constant"}
    assert stored <= forms
    assert bool(stored) == bool(forms)
    assert file.card.parity.samples > 0
