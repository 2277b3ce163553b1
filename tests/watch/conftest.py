"""Tables of users, and plans for them."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from linnet.watch.experiments import Experiment

METRICS = """
  bought: {kind: proportion, value: bought, minimum_lift: 0.2}
  spent: {kind: mean, value: spent, covariate: before, cap: 40}
  clicks: {kind: ratio, numerator: clicks, denominator: views, share: true, covariate: before}
  typical: {kind: quantile, value: spent, quantile: 0.8}
  time: {kind: mean, value: seconds, goal: decrease, role: guardrail, margin: 0.5}
"""


@pytest.fixture
def users() -> pa.Table:
    """6,000 users with everything that can be measured, and an effect in 'new'; rows in no order of time."""
    rng = np.random.default_rng(1)
    n = 6000
    is_new = rng.random(n) < 0.5
    before = rng.exponential(3.0, n)
    views = rng.poisson(5, n) + 1
    return pa.table({
        "arm": np.where(is_new, "new", "old"), "user": [f"u{k}" for k in range(n)], "shop": rng.integers(0, 200, n),
        "at": rng.permutation(n).astype("datetime64[s]"), "day": rng.permutation(n),
        "bought": rng.random(n) < np.where(is_new, 0.13, 0.10), "before": before,
        "spent": np.round(before + is_new * 0.3 + rng.exponential(2.0, n), 2), "views": views,
        "clicks": rng.binomial(views, 0.2), "seconds": 1000 + rng.normal(size=n)})


@pytest.fixture
def plan() -> Callable[..., Experiment]:
    """A plan for `users`; keywords change it, and `metrics` are YAML."""
    def make(metrics: str = METRICS, **changes: Any) -> Experiment:
        lines = {"name": "page", "arm": "arm", "arms": "{old: 0.5, new: 0.5}", **changes}
        return Experiment.parse("\n".join(f"{key}: {value}" for key, value in lines.items()) + f"\nmetrics:{metrics}")
    return make


@pytest.fixture
def in_ibis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[pa.Table], Any]:
    """A table in Ibis, on its DuckDB backend."""
    ibis = pytest.importorskip("ibis")
    if "pyarrow_hotfix" not in sys.modules:  # Ibis asks for it by name; the pyarrow of today needs no fix
        monkeypatch.setitem(sys.modules, "pyarrow_hotfix", types.ModuleType("pyarrow_hotfix"))

    def read(table: pa.Table) -> Any:
        pa.parquet.write_table(table, tmp_path / "in_ibis.parquet")
        return ibis.duckdb.connect().read_parquet(tmp_path / "in_ibis.parquet")
    return read
