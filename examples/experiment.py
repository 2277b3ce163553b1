"""An experiment to try `linnet ab` on: a new speech model for half of the users, as a table of what they did.

    python examples/experiment.py events.parquet                      100,000 sessions of some 30,000 users
    python examples/experiment.py events.parquet --rows 10000000
    linnet ab analyse events.parquet --plan examples/experiment.yaml --report page.html

A row is a session. What the new model changes stands in `TRUTH`, so that one sees what the analysis finds of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

DAYS, WINDOW_DAYS, SESSIONS_A_USER = 28.0, 7.0, 3.0
START = np.datetime64("2026-03-02T00:00:00", "us")
TRUTH = {"understood": 0.012, "ordered": 0.004, "gave_up": 0.0, "wait_ms": 0.01}
"""What the new model adds a request or a session: shares, and, for the wait, a share of what it was."""


def events(rows: int, *, seed: int = 0) -> pa.Table:
    """Sessions of users who come for the first time within four weeks, in the order of their times."""
    rng = np.random.default_rng(seed)
    users = max(2, round(rows / SESSIONS_A_USER))
    habit = rng.gamma(4.0, 0.25, users).astype(np.float32)
    user = np.repeat(np.arange(users, dtype=np.int32), rng.multinomial(rows, habit / habit.sum(dtype=np.float64)))
    day = rng.uniform(0, DAYS, users)[user]
    day[1:][user[1:] == user[:-1]] += rng.uniform(0, WINDOW_DAYS, int((user[1:] == user[:-1]).sum()))
    order = np.argsort(day, kind="stable")
    user, day = user[order], day[order]
    before = (20 * habit * rng.lognormal(0, 0.4, users)).astype(np.float32).round(1)
    return _columns(rng, user, day, {"new": rng.random(users) < 0.5, "habit": habit, "before": before})


def _columns(rng: np.random.Generator, user: NDArray[np.int32], day: NDArray[np.float64],
             users: dict[str, NDArray[np.generic]]) -> pa.Table:
    rows, new, habit = len(user), users["new"][user], users["habit"][user]
    requests = (1 + rng.poisson(3.0 * habit, rows)).astype(np.int32)
    understood = rng.binomial(requests, 0.88 + TRUTH["understood"] * new).astype(np.int32)
    ordered = rng.random(rows) < 0.018 + TRUTH["ordered"] * new
    return pa.table({
        "user": user, "time": START + (day * 86_400e6).astype("timedelta64[us]"),
        "model": pa.DictionaryArray.from_arrays(new.astype(np.int8), ["old", "new"]),
        "requests": requests, "understood": understood, "requests_before": users["before"][user],
        "ordered": ordered, "spent": np.where(ordered, rng.lognormal(2.5, 0.8, rows), 0).astype(np.float32).round(2),
        "gave_up": rng.random(rows) < 0.04 + TRUTH["gave_up"] * new,
        "wait_ms": (rng.gamma(9, 40, rows) * requests * (1 + TRUTH["wait_ms"] * new)).astype(np.float32).round(1)})


def main(path: Path, rows: int = 100_000, seed: int = 0) -> None:
    """Write the table."""
    pq.write_table(events(rows, seed=seed), path)
    print(f"{path}: {rows:,} sessions")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    main(**vars(parser.parse_args()))
