from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_in import rows

from linnet import data, nn, tasks
from linnet.errors import LinnetError
from linnet.recipe.arguments import RedundancyArguments, SensitivityArguments, ShrinkArguments
from linnet.recipe.verbs import VERBS, Context, redundancy, sensitivity, shrink_


def test_redundancy_in_a_family_without_removable_layers_says_so(tmp_path: Path) -> None:
    splits: Any = SimpleNamespace(validation=None)
    context = Context(splits, rows(), 0, tmp_path, lambda step: nn.zoo.mlp(rows()))
    with pytest.raises(LinnetError, match="'big' is of the family mlp, which has no layers whose channels can be"):
        redundancy(context, RedundancyArguments(model="big"), tmp_path)


def test_sensitivity_becomes_layers_in_float(squares: data.Splits, tmp_path: Path) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    values: dict[str, Any] = {"big": nn.zoo.smallcnn(task, width=4)}
    context = Context(squares, task, 0, tmp_path, values.__getitem__)
    found = sensitivity(context, SensitivityArguments(model="big", bits=[8], samples=8), tmp_path)
    VERBS["sensitivity"].save(found, tmp_path)
    values["found"] = VERBS["sensitivity"].load(tmp_path)
    assert values["found"] == found
    noises = [item.evidence["damage"]["8"]["noise"] for item in found]
    sqnr_db = -10 * math.log10(sum(noises[1:]) * 1.01)
    wanted = {"bits": 8, "protect": "found", "sqnr_db": sqnr_db}
    values["small"] = shrink_(context, ShrinkArguments.model_validate({"model": "big", "plan": wanted}), tmp_path)
    assert values["small"].encoding.exclude == (found.items[0].subject,)
