"""A network may begin from another one's weights, and says so."""

from __future__ import annotations

import pytest
import torch

from linnet import nn, tasks
from linnet.errors import LinnetError


def task_of(*labels: str) -> tasks.Task:
    return tasks.from_json({
        "kind": "classify", "target": "y", "groups": [], "labels": list(labels), "choice": "one",
        "takes": {"kind": "audio_window", "column": "audio", "sample_rate_hz": 8000, "samples": 2400}})


def test_all_but_the_head_is_taken_and_neither_model_changes() -> None:
    source = nn.zoo.dscnn(task_of("a", "b"), width=4, seed=1)
    fresh = nn.zoo.dscnn(task_of("c", "d", "e"), width=4, seed=2)
    before = source.identity, fresh.identity
    begun = nn.transfer(source, fresh)
    assert (source.identity, fresh.identity) == before
    given, then, now = (model.module.state_dict() for model in (source, fresh, begun))
    head = {name for name in now if given[name].shape != now[name].shape}
    assert head == {"head.weight", "head.bias"}
    for name, values in now.items():
        assert torch.equal(values, then[name] if name in head else given[name])
    numbers = begun.parameters_count - sum(now[name].numel() for name in head)
    assert begun.notes["began"] == {"model": source.name, "identity": source.identity, "numbers": numbers}


def test_a_network_of_which_nothing_fits_is_refused() -> None:
    with pytest.raises(LinnetError, match=r"no weight of dscnn .dscnn. fits bcresnet .*the same dial"):
        nn.transfer(nn.zoo.dscnn(task_of("a", "b"), width=4), nn.zoo.bcresnet(task_of("c", "d", "e")))
