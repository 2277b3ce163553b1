"""Made-up inputs are ones that a network can take: lengths fit the sounds, ids lie in every vocabulary."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from linnet.runtime.engines import Port
from linnet.runtime.inputs import random_inputs


def session(**ports: Port) -> SimpleNamespace:
    return SimpleNamespace(inputs=ports)


@pytest.mark.parametrize("samples", [8000, 16_000])
def test_lengths_are_those_of_the_sounds(samples: int) -> None:
    inputs = random_inputs(session(audio=Port("float32", (None, None)), lengths=Port("int64", (None,))), batch=3,
                           samples=samples)
    assert inputs["audio"].shape == (3, samples)
    assert inputs["lengths"].tolist() == [samples] * 3


def test_without_lengths_a_size_that_varies_is_one() -> None:
    inputs = random_inputs(session(x=Port("float32", (None, None, 4))))
    assert inputs["x"].shape == (1, 1, 4)


def test_token_ids_are_padding_or_the_first() -> None:
    tokens = random_inputs(session(tokens=Port("int64", (None, 100))))["tokens"]
    assert set(np.unique(tokens)) == {0, 1}
