"""The adapter checks a form of inputs once, and never lets another one pass."""

from __future__ import annotations

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.runtime.engines import start
from linnet.runtime.memory import smallest_model


def test_a_form_that_fitted_before_does_not_let_another_pass() -> None:
    session = start(smallest_model())
    for _ in range(3):
        assert session.run({"x": np.ones(1, np.float32)})["y"] == [1]
        for wrong in (np.ones(2, np.float32), np.ones(1, np.float64), np.ones((1, 1), np.float32)):
            with pytest.raises(LinnetError, match=r"input 'x': expected float32 \(1\)"):
                session.run({"x": wrong})
        with pytest.raises(LinnetError, match="the file takes the inputs x; it was given y"):
            session.run({"y": np.ones(1, np.float32)})
