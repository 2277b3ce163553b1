"""A grid of methods as YAML: which model, which points, which seeds; carried out, compared and kept in a folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from linnet import export, nn, plain_yaml, report, runtime, train
from linnet.data.augment import Augment
from linnet.errors import LinnetError, unknown
from linnet.files import alone
from linnet.plain_yaml import faults
from linnet.progress import Progress
from linnet.recipe import store
from linnet.recipe.reading import Recipe, load
from linnet.recipe.run import run, splits_of
from linnet.recipe.task import make_task
from linnet.shrink.grid import Cell, Tuning, grid, points

log = logging.getLogger("linnet")
FLOAT = "float"
"""What the model itself is called, as a file without any method."""


class MethodsGrid(BaseModel):
    """What the file says, checked; unknown keys fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    recipe: str
    """The recipe beside this file that has the data, the task and the model's training."""
    model: str
    """A step of it that gives a model, or a folder in which one is saved."""
    grid: dict[str, dict[str, Any]]
    """Name to the keys of a plan: keep, bits, methods; {"each": [...]} in place of a value makes one point for each."""
    seeds: list[Annotated[int, Field(ge=0)]] = Field(default=[0], min_length=1)
    epochs: int = Field(default=10, ge=1)
    teacher: bool = True
    """Whether the model teaches the smaller ones while they are tuned."""
    augment: str | list[dict[str, Any]] | None = None
    options: train.Options | None = None
    on: Literal["validation", "test"] = "validation"
    """The part on which files are compared. The test part is for the claim about the one that was chosen."""
    engine: str = "onnxruntime"
    threads: int = Field(default=1, ge=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    seconds: float = Field(default=1.0, gt=0)
    """How long each file's latency is measured."""

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value not in runtime.ENGINES:
            raise ValueError(str(unknown("engine", value, runtime.ENGINES)))
        return value

    @field_validator("grid")
    @classmethod
    def _known_points(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        try:
            if FLOAT in {point.name for point in points(value)}:
                raise LinnetError(f"'{FLOAT}' is the model itself; give that entry another name.")
        except LinnetError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("augment")
    @classmethod
    def _known_augmentation(cls, value: Any) -> Any:
        try:
            train.augmentation(Augment.from_json(value) if isinstance(value, list) else value)
        except LinnetError as error:
            raise ValueError(str(error)) from error
        return value


@dataclass(frozen=True)
class Methods:
    """What came of a grid: every file held against the float one, every cell, and where it is kept."""

    folder: Path
    compared: runtime.Comparison
    cells: tuple[Cell, ...]

    @property
    def refused(self) -> list[tuple[str, str]]:
        """Points of which a cell could not be made, each with its reason."""
        return [(f"{cell.point}, seed {cell.seed}", cell.reason) for cell in self.cells if cell.file is None]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; paths are relative to the folder."""
        cells = [{"point": cell.point, "seed": cell.seed, "reason": cell.reason, "seconds": cell.seconds,
                  "file": cell.file and str(cell.file.relative_to(self.folder))} for cell in self.cells]
        return {"comparison": self.compared.to_json(), "cells": cells}


def bench_methods(path: str | Path, *, folder: str | Path = "runs", progress: Progress | None = None) -> Methods:
    """Carry out the grid at `path` below `folder`, compare its files, and keep table, page and numbers there.

    What was done is not done again, and a grid that was stopped or killed goes on where it was. Raises LinnetError for
    a wrong grid before anything runs, and where no point could be carried out.
    """
    wanted = read(path)
    recipe_path = Path(path).parent / wanted.recipe
    recipe = load(recipe_path)
    model = _model(wanted, recipe, recipe_path, Path(folder), progress)
    splits = splits_of(recipe)
    task = make_task(recipe, splits)
    home = Path(folder) / wanted.name
    with alone(home, "bench"):
        tuning = Tuning(wanted.epochs, wanted.teacher, wanted.augment, wanted.options)
        cells = grid(points(wanted.grid), model, task, splits, seeds=wanted.seeds, settings=tuning,
                            folder=home, progress=progress)
        files = {FLOAT: [export.write(model, task, home / f"{FLOAT}.onnx", samples=splits.validation)]}
        for cell in cells:
            if cell.file:
                files.setdefault(cell.point, []).append(cell.file)
        if len(files) == 1:
            raise LinnetError("none of the points could be carried out: " + "; ".join(
                f"{cell.point}: {cell.reason}" for cell in cells))
        sides = {name: _distinct([runtime.load(file, engine=wanted.engine, threads=wanted.threads) for file in paths])
                 for name, paths in files.items()}
        compared = runtime.compare(sides, getattr(splits, wanted.on), against=FLOAT, level=wanted.level,
                                   seconds=wanted.seconds, progress=progress)
        made = Methods(home, compared, tuple(cells))
        store.write_json(home / "methods.json", made.to_json())
        store.write_text(home / "methods.txt", report.methods.text(compared, made.refused) + "\n")
        _draw(made, path)
    return made


def _draw(made: Methods, path: str | Path) -> None:
    try:
        report.write_page(made.compared, made.folder / "methods.html", command=f"linnet bench methods {path}")
    except LinnetError as error:  # the table is there all the same
        log.warning("no page was written: %s", error)


def read(path: str | Path) -> MethodsGrid:
    """The file, checked; raises one LinnetError that lists everything that is wrong."""
    raw = plain_yaml.parse(plain_yaml.read(path, "grid of methods", hint="docs/methods/README.md shows one."))
    if not isinstance(raw, dict):
        raise LinnetError(f"{path}: a grid of methods is a mapping with the keys name, recipe, model, grid.")
    try:
        return MethodsGrid.model_validate(raw)
    except ValidationError as error:
        raise LinnetError(f"{path}: {plain_yaml.together(faults(error, MethodsGrid), 'grid of methods')}") from error


def _model(wanted: MethodsGrid, recipe: Recipe, recipe_path: Path, folder: Path, progress: Progress | None) -> nn.Model:
    """The step's model, trained first where it is not there yet; or the one saved in the folder."""
    if wanted.model in recipe.steps:
        run(recipe_path, until=wanted.model, folder=folder, progress=progress)
        return nn.load(folder / recipe.name / wanted.model)
    saved = Path(wanted.model)
    if not saved.is_dir():
        raise LinnetError(f"model: '{wanted.model}' is neither a step of {recipe_path.name} (it has "
                          f"{', '.join(recipe.steps)}) nor a folder in which a model is saved.")
    return nn.load(saved)


def _distinct(files: list[runtime.Shipped]) -> list[runtime.Shipped]:
    """Each file once: seeds that came to the same file are one training."""
    return list({file.identity: file for file in files}.values())
