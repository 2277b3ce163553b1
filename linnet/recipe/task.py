"""The task of a recipe, made from its data; a scorer's acoustic model is a file that another recipe made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linnet import data, runtime, tasks
from linnet.errors import LinnetError
from linnet.recipe.reading import Recipe
from linnet.tasks import Task


@contextmanager
def after_another() -> Iterator[None]:
    """What cannot be loaded here is what another recipe should have made."""
    try:
        yield
    except LinnetError as error:
        raise type(error)(f"{error} If another recipe makes it, run that one first, in this folder.") from error


def make_task(recipe: Recipe, splits: data.Splits, *, folder: Path | None = None) -> Task:
    """The recipe's task. `acoustic`, where the task takes one, is the path of a shipped file; it is copied to `folder`,
    so that it lies beside what is exported there. Raises LinnetError as the task itself, and for a missing file.
    """
    kind, keywords = recipe.task
    given = keywords.get("acoustic")
    if isinstance(given, str):
        with after_another():
            shipped = runtime.load(given)
        keywords = {**keywords, "acoustic": shipped}
        if folder is not None and folder.resolve() != shipped.path.resolve().parent:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped.path, folder / shipped.path.name)
    task: Task = tasks.TASKS[kind](splits, **keywords)
    return task
