"""Group normalisation in place of batch normalisation: each sample by itself, whoever else is in the batch."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from linnet.errors import LinnetError
from linnet.nn.layers import Convolution
from linnet.nn.model import Model
from linnet.nn.rewrites import REWRITES, with_rewrite

_GROUPS = 8


def with_group_norm(model: Model) -> Model:
    """A copy whose batch normalisations are group normalisations (Wu and He 2018, arXiv:1803.08494), with new weights.

    For training in which no sample may see another one (`train.fit_privately`). At most eight groups of channels. It is
    not folded into the convolution when the model is exported, so the file computes a little more. Raises LinnetError
    where a batch normalisation is not that of a convolution of ours.
    """
    module = copy.deepcopy(model.module)
    _replace(module, {})
    left = [name for name, part in module.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if left:
        raise LinnetError(f"the normalisation at {left[0]} is not one of a plain convolution, and cannot become group "
                          "normalisation by itself; take another family (nn.zoo.smallcnn, resnet, dscnn, mlp).")
    return replace(model, module=module, spec=with_rewrite(model.spec, "group_norm"))


def _replace(module: nn.Module, arguments: Mapping[str, Any]) -> None:
    del arguments
    for unit in module.modules():
        if isinstance(unit, Convolution) and isinstance(unit.norm, nn.BatchNorm2d):
            channels = unit.norm.num_features
            unit.norm = nn.GroupNorm(math.gcd(_GROUPS, channels), channels)


REWRITES["group_norm"] = _replace
