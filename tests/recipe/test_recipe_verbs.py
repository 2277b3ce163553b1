from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_in import rows

from linnet import nn
from linnet.errors import LinnetError
from linnet.recipe.arguments import RedundancyArguments
from linnet.recipe.verbs import Context, redundancy


def test_redundancy_in_a_family_without_removable_layers_says_so(tmp_path: Path) -> None:
    splits: Any = SimpleNamespace(validation=None)
    context = Context(splits, rows(), 0, tmp_path, lambda step: nn.zoo.mlp(rows()))
    with pytest.raises(LinnetError, match="'big' is of the family mlp, which has no layers whose channels can be"):
        redundancy(context, RedundancyArguments(model="big"), tmp_path)
