"""linnet list: what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from linnet.errors import missing_extra, unknown


def list_(kind: Annotated[str | None, typer.Argument(help="tasks, models, methods, engines or sources.")] = None
          ) -> int:
    """List what there is to choose from: everything, or one kind of it.

    \b
    Examples:
      linnet list
      linnet list models
    """
    if kind is not None and kind not in KINDS:
        raise unknown("kind of thing", kind, KINDS)
    for name in [kind] if kind else KINDS:
        if not kind:
            typer.echo(f"{name}:")
        _print_kind(name, indent="" if kind else "  ", raising=kind is not None)
    return 0


def _print_kind(kind: str, *, indent: str, raising: bool) -> None:
    try:
        known = KINDS[kind]()
    except ModuleNotFoundError as error:
        problem = missing_extra(error.name or "torch", "train")
        if raising:
            raise problem from error
        typer.echo(f"{indent}({problem})")
        return
    width = max(map(len, known))
    for name, thing in sorted(known.items()):
        typer.echo(f"{indent}{name:<{width}}  {_summary(thing)}".rstrip())


def _summary(thing: Any) -> str:
    """What a thing says of itself in one line."""
    said = getattr(thing, "summary", None) or getattr(thing, "__doc__", None) or ""
    return str(said).strip().partition("\n")[0]


def _tasks() -> Mapping[str, Any]:
    from linnet.tasks import TASKS

    return TASKS


def _models() -> Mapping[str, Any]:
    from linnet.nn import FAMILIES

    return FAMILIES


def _methods() -> Mapping[str, Any]:
    from linnet.shrink import METHODS

    return METHODS


def _engines() -> Mapping[str, Any]:
    from linnet.runtime.engines import ENGINES

    return ENGINES


def _sources() -> Mapping[str, Any]:
    from linnet.data import SOURCES

    return SOURCES


KINDS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "tasks": _tasks, "models": _models, "methods": _methods, "engines": _engines, "sources": _sources}
