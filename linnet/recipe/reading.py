"""From YAML to a checked Recipe; all errors at once, each with the nearest known key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linnet import plain_yaml
from linnet.errors import LinnetError
from linnet.plain_yaml import faults, near
from linnet.recipe import consistency
from linnet.recipe.arguments import Arguments, keywords_of, references
from linnet.recipe.verbs import VERBS
from linnet.tasks import TASKS


class SplitArguments(BaseModel):
    """How the data is split: the keywords of `Dataset.split`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    parts: str | None = None
    by: str | None = None
    stratify: str | None = None
    seed: int | None = None
    validation: float | int | list[str] = 0.2
    test: float | int | list[str] = 0.2


class DataArguments(BaseModel):
    """Where the data comes from: the keywords of `data.load`, and its split."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    source: str
    options: dict[str, Any] = {}
    rows: int | None = Field(default=None, ge=1)
    """Only so many rows, drawn by the seed: for a quick trial."""
    split: SplitArguments = SplitArguments()


class Recipe(BaseModel):
    """What a recipe file says, checked: every name is known, every step refers only to earlier ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    data: DataArguments
    task: tuple[str, dict[str, Any]]
    """The task by its name, and its keywords."""
    steps: dict[str, tuple[str, Arguments]]
    otherwise: str | None = None
    """Another recipe beside this one, run instead (and said) where the data cannot be had."""
    text: str = Field(default="", exclude=True)


_KEYS = tuple(name for name in Recipe.model_fields if name != "text")
_STEP_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def load(path: str | Path, *, changes: Mapping[str, str] | None = None) -> Recipe:
    """Read a recipe file; `changes` are values by path, such as {"big.epochs": "3", "seed": "1"}, read as YAML."""
    text = plain_yaml.read(path, "recipe", hint="A recipe is a YAML file; linnet init writes one.")
    try:
        return check(text, changes or {})
    except LinnetError as error:
        raise LinnetError(f"{path}: {error}") from error


def check(text: str, changes: Mapping[str, str]) -> Recipe:
    """A Recipe from its text; raises one LinnetError that lists everything that is wrong."""
    raw = plain_yaml.parse(text)
    text += "".join(f"\n# --set {where}={value}" for where, value in changes.items())
    if not isinstance(raw, dict):
        raise LinnetError("a recipe is a mapping with the keys name, data, task, steps.")
    for where, value in changes.items():
        _change(raw, where, plain_yaml.parse(value))
    steps = raw.get("steps") or {}
    errors, checked = _check_steps(steps) if isinstance(steps, dict) else (["steps: must be a mapping"], {})
    wrong, task = _check_task(raw["task"]) if "task" in raw else ([], None)
    errors = [*wrong, *errors]
    try:
        given = {"task": task or ("", {})} if "task" in raw else {}
        recipe = Recipe.model_validate({**raw, **given, "steps": checked, "text": text})
    except ValidationError as error:
        raise plain_yaml.together(faults(error, Recipe, hidden=("text",)) + errors, "recipe") from error
    if task is not None:
        errors += consistency.faults(recipe.steps, task[1].get("groups", ()))
    if not steps:
        errors.append("steps: there are none; give at least one, such as {big: {fit: {model: {dscnn: {width: 64}}}}}")
    if errors:
        raise plain_yaml.together(errors, "recipe")
    return recipe


def _check_task(given: Any) -> tuple[list[str], tuple[str, dict[str, Any]] | None]:
    """The task's name and keywords, checked against the signature of its class."""
    if not isinstance(given, dict) or len(given) != 1:
        return [f"task: is one task with its keywords, such as {{classify: {{input: audio, target: digit}}}}; "
                f"known: {', '.join(TASKS)}"], None
    ((kind, keywords),) = given.items()
    if kind not in TASKS:
        return [f"task: unknown task '{kind}'{near(kind, TASKS)}; known: {', '.join(TASKS)}"], None
    model = keywords_of(TASKS[kind])
    try:
        return [], (kind, model.model_validate(keywords or {}).model_dump(exclude_unset=True))
    except ValidationError as error:
        return faults(error, model, f"task.{kind}."), None


def _check_steps(steps: Mapping[str, Any]) -> tuple[list[str], dict[str, tuple[str, Arguments]]]:
    errors: list[str] = []
    checked: dict[str, tuple[str, Arguments]] = {}
    gives: dict[str, str] = {}
    for name, step in steps.items():
        if not (isinstance(name, str) and _STEP_NAME.fullmatch(name)):
            errors.append(f"steps.{name}: a step's name is a word of letters, digits, - and _, a letter first")
            continue
        if not isinstance(step, dict) or len(step) != 1:
            errors.append(f"steps.{name}: a step is one verb with its arguments, {{verb: {{...}}}}; "
                          f"verbs: {', '.join(VERBS)}")
            continue
        ((verb, arguments),) = step.items()
        if verb not in VERBS:
            errors.append(f"steps.{name}: unknown verb '{verb}'{near(verb, VERBS)}; known: {', '.join(VERBS)}")
            continue
        try:
            value = VERBS[verb].arguments.model_validate(arguments or {})
        except ValidationError as error:
            errors += faults(error, VERBS[verb].arguments, f"steps.{name}.{verb}.")
            gives[name] = VERBS[verb].gives
            continue
        except LinnetError as error:
            errors.append(f"steps.{name}.{verb}: {error}")
            gives[name] = VERBS[verb].gives
            continue
        for where, (reference, kinds) in references(value).items():
            if gives.get(reference) not in kinds:
                fitting = [known for known, kind in gives.items() if kind in kinds]
                errors.append(f"steps.{name}.{verb}.{where}: '{reference}' is no earlier step that gives a "
                              f"{' or '.join(kinds)}{near(reference, fitting)}; those are: "
                              f"{', '.join(fitting) or '(none)'}")
        checked[name], gives[name] = (verb, value), VERBS[verb].gives
    return errors, checked


def _change(raw: dict[str, Any], where: str, value: Any) -> None:
    """Set the value at a dotted path; the first part may be a step's name, whose verb need not be said."""
    first, *rest = where.split(".")
    target: Any = raw
    steps = raw["steps"] if isinstance(raw.get("steps"), dict) else {}
    if first in steps and rest:
        verbs = list(steps[first].values()) if isinstance(steps[first], dict) else []
        target = verbs[0] if len(verbs) == 1 else None
        *path, last = rest
    else:
        *path, last = [first, *rest]
        known = [*_KEYS, *map(str, steps)]
        if first not in known:
            raise LinnetError(f"--set {where}: there is no '{first}'{near(first, known)}; known: {', '.join(known)}.")
    for part in path:
        target = target.setdefault(part, {}) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise LinnetError(f"--set {where}: there is no mapping at that place.")
    target[last] = value
