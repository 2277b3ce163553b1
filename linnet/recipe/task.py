"""The task of a recipe, made from its data; a scorer's acoustic model is a file that another recipe made."""

from __future__ import annotations

import shutil
from pathlib import Path

from linnet import data, runtime, tasks
from linnet.recipe.reading import Recipe
from linnet.tasks import Task


def make_task(recipe: Recipe, splits: data.Splits, *, folder: Path | None = None) -> Task:
    """The recipe's task. `acoustic`, where the task takes one, is the path of a shipped file; it is copied to `folder`,
    so that it lies beside what is exported there. Raises LinnetError as the task itself, and for a missing file.
    """
    kind, keywords = recipe.task
    given = keywords.get("acoustic")
    if isinstance(given, str):
        shipped = runtime.load(given)
        keywords = {**keywords, "acoustic": shipped}
        if folder is not None and folder.resolve() != shipped.path.resolve().parent:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped.path, folder / shipped.path.name)
    task: Task = tasks.TASKS[kind](splits, **keywords)
    return task
