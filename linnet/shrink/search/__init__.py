"""Search: the smallest, fastest file that is certified to be no worse.

Proposes Plans, carries them out, measures them on the engine, keeps every trial, and certifies the best of the front
on data that it never saw. Knows plans, files and evidence; knows nothing of recipes and the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from linnet.data import Splits
from linnet.evidence import Ledger
from linnet.nn import Model
from linnet.progress import Progress
from linnet.shrink.search.outcome import Outcome, Step, told, words
from linnet.shrink.search.proposals import PROPOSALS
from linnet.shrink.search.run import Watch, run
from linnet.shrink.search.start import ModelStart, Start
from linnet.shrink.search.trial import Trial, front
from linnet.shrink.search.wish import GOALS, Wish
from linnet.tasks import Task

__all__ = ["GOALS", "PROPOSALS", "ModelStart", "Outcome", "Start", "Step", "Trial", "Watch", "Wish", "front", "run",
           "search", "told", "words"]


def search(model: Model, task: Task, data: Splits, *, folder: str | Path, ledger: Ledger | None = None,
           progress: Progress | None = None, watch: Watch | None = None, training: dict[str, Any] | None = None,
           reload: Callable[[], Start] | None = None, **wish: Any) -> Outcome:
    """The smallest or fastest file of this model that is certified to be no worse; every trial is kept in `folder`.

    `wish` are the fields of `Wish`: goal="latency", no_worse=0.01, level=0.95, worst_group=0.05, engine="onnxruntime",
    trials=20, epochs=3 ... `training` are `teacher`, `augment` and `options` of `train.fit`; without a teacher the
    model itself is one. Plans are chosen on `data.validation`; `data.test` is looked at once, by a sequence of files
    that is fixed beforehand. `outcome.verdict` is "holds" where `outcome.file` carries the claims; else
    `outcome.nearest` is the point of the front that came nearest.
    """
    wanted = Wish(**wish)
    start = ModelStart(model, task, data, engine=wanted.engine, threads=wanted.threads, **(training or {}))
    return run(start, wanted, folder, ledger=ledger, progress=progress, watch=watch, reload=reload)
