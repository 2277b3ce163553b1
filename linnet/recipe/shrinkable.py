"""What `linnet shrink MODEL` can start from: a step of a run, a file of our own, any ONNX file, a function."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch.nn import Module

from linnet import nn
from linnet.data import Splits
from linnet.data.augment import Augment
from linnet.errors import LinnetError
from linnet.recipe.arguments import TrainingArguments
from linnet.recipe.reading import Recipe, load
from linnet.recipe.run import splits_of
from linnet.recipe.task import make_task
from linnet.runtime.artifact import read
from linnet.runtime.card import KEY
from linnet.shrink.search import ModelStart, Start
from linnet.shrink.search.file_start import FileStart, OfTask, arrays_of
from linnet.tasks import Task

_KINDS = ("Give the folder of a run's step (runs/digits/big), an ONNX file, or FILE.py:FUNCTION, a function without "
          "arguments that returns (model, task, splits).")


def shrinkable(model: str, *, samples: str | None = None, recipe: str | None = None, engine: str = "onnxruntime",
               threads: int = 1, seed: int = 0) -> Start:
    """What stands at `model`, with its data: a start for `shrink.search`.

    A run's folder has its recipe beside the step, which says task, data and how to train; a file of ours may lie in
    such a folder too, or `recipe` says where it is. `samples` (.npz) are for an ONNX file of which nothing is known.
    Raises LinnetError for anything else.
    """
    path, function = _parted(model)
    if function is not None:
        return _of_function(path, function, engine, threads)
    if path.is_dir():
        return _of_step(path, recipe, engine, threads)
    if not path.is_file():
        raise LinnetError(f"there is nothing at {path}{_steps(path.parent)}. {_KINDS}")
    if path.suffix != ".onnx":
        raise LinnetError(f"{path} is no ONNX file. {_KINDS}")
    return _of_file(path, samples, recipe, engine, threads, seed)


def _parted(model: str) -> tuple[Path, str | None]:
    file, colon, function = model.rpartition(":")
    return (Path(file), function) if colon and file.endswith(".py") else (Path(model), None)


def _steps(run: Path) -> str:
    """Which steps of a run have a model, if it is one."""
    found = sorted(file.parent.as_posix() for file in run.glob("*/model.safetensors"))
    return f"; there is a model in: {', '.join(found)}" if found else ""


def _of_step(folder: Path, given: str | None, engine: str, threads: int) -> ModelStart:
    if not (folder / "model.safetensors").is_file() and _steps(folder):
        raise LinnetError(f"{folder} is a whole run: give one of its steps{_steps(folder)}.")
    model = nn.load(folder)
    recipe = _recipe(folder.parent, given, f"task and data of the model in {folder}")
    task, data = _asked(recipe)
    return ModelStart(model, task, data, engine, threads, **_training(recipe, folder.name))


def _of_file(path: Path, samples: str | None, given: str | None, engine: str, threads: int, seed: int) -> FileStart:
    if samples is not None:
        arrays = arrays_of(path, Path(samples), engine=engine, threads=threads, seed=seed)
        return FileStart(path, arrays, engine, threads)
    if KEY not in read(path).metadata and given is None:
        raise LinnetError(f"{path.name} carries no card, so nothing is known of its data: give arrays by input name "
                          "with --samples FILE.npz, and what is right as 'target', if it is known.")
    recipe = _recipe(path.parent, given, f"the data of {path.name}")
    return FileStart(path, OfTask(*_asked(recipe)), engine, threads)


def _of_function(path: Path, name: str, engine: str, threads: int) -> ModelStart:
    function = getattr(_module(path), name, None)
    if not callable(function):
        raise LinnetError(f"{path} has no function '{name}'. {_KINDS}")
    made: Any = _called(function, f"{path}:{name}")
    if not isinstance(made, tuple) or len(made) != 3:
        raise LinnetError(f"{path}:{name} must return (model, task, splits); it returned {type(made).__name__}.")
    model, task, data = made
    if isinstance(model, Module):
        own: Callable[..., nn.Model] | None = getattr(nn, "own", None)
        if own is None:
            raise LinnetError(f"{path}:{name} returned a torch module; this version takes a linnet.nn.Model only.")
        model = own(model, task, name=path.stem)
    if not isinstance(model, nn.Model) or not isinstance(task, Task) or not isinstance(data, Splits):
        kinds = ", ".join(type(part).__name__ for part in made)
        raise LinnetError(f"{path}:{name} must return (a torch module or nn.Model, a task, Splits); got {kinds}.")
    return ModelStart(model, task, data, engine, threads)


def _called(function: Callable[[], object], name: str) -> object:
    """What the user's function returns; what it raises is the user's too."""
    try:
        return function()
    except LinnetError:
        raise
    except Exception as error:
        raise LinnetError(f"{name} cannot be run: {type(error).__name__}: {error}") from error


def _module(path: Path) -> ModuleType:
    """The user's file as a module; what it raises is the user's, and is said with its place."""
    if not path.is_file():
        raise LinnetError(f"there is no file {path}. {_KINDS}")
    called = f"linnet_shrinks_{path.stem}"
    spec = importlib.util.spec_from_file_location(called, path)
    if spec is None or spec.loader is None:
        raise LinnetError(f"{path} cannot be read as Python. {_KINDS}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[called] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise LinnetError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module


def _recipe(folder: Path, given: str | None, what: str) -> Recipe:
    path = folder / "recipe.yaml" if given is None else Path(given)
    if given is None and not path.is_file():
        raise LinnetError(f"{what} are not known: there is no recipe.yaml in {folder}. Give it with --recipe FILE.")
    return load(path)


def _asked(recipe: Recipe) -> tuple[Task, Splits]:
    data = splits_of(recipe)
    return make_task(recipe, data), data


def _training(recipe: Recipe, step: str) -> dict[str, Any]:
    """How the step was trained, for tuning what becomes of it."""
    arguments = recipe.steps[step][1] if step in recipe.steps else None
    if not isinstance(arguments, TrainingArguments):
        return {}
    augment = arguments.augment
    return {"augment": Augment.from_json(augment) if isinstance(augment, list) else augment,
            "options": arguments.options}
