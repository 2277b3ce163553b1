"""From a table and a plan to an Analysis."""

from __future__ import annotations

from typing import Any

from linnet.progress import Progress
from linnet.watch.experiments.analysis import Analysis
from linnet.watch.experiments.plan import Experiment


def analyse(table: Any, experiment: Experiment, *, threads: int | None = None, progress: Progress | None = None
            ) -> Analysis:
    """Hold a table against the plan. `table` is a path (Parquet, CSV, a glob), a pyarrow Table or an Ibis table."""
    raise NotImplementedError
