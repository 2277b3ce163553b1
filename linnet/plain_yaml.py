"""YAML whose plain scalars mean what they mean in JSON: `no` is a word, `3e-4` a number; and what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from linnet.errors import LinnetError


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader with JSON's scalars only, and without repeated keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{twice[0]}' stands twice", node.start_mark)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def _construct_float(_: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(node.value)


_PlainLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_NUMBER_START = list("-0123456789")
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:null|~|)$"), ["n", "~", ""])
_PlainLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^-?(?:0|[1-9][0-9]*)$"), _NUMBER_START)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"), _NUMBER_START)


def parse(text: str) -> Any:
    """The value of a YAML text.

    >>> parse("words: [yes, no, on]\\nrate: 3e-4\\nepochs: 30\\ndropped: true")
    {'words': ['yes', 'no', 'on'], 'rate': 0.0003, 'epochs': 30, 'dropped': True}
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise LinnetError(f"this is not readable YAML: {error}") from error


def read(path: str | Path, kind: str, *, hint: str) -> str:
    """The text of a YAML file; `kind` says what it is ("recipe", "plan"), `hint` what such a file is."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        likely = [Path(f"{Path(path)}{suffix}") for suffix in (".yaml", ".yml")]
        named = next((file for file in likely if file.is_file()), None)
        more = f"; did you mean {named}?" if named else f". {hint}"
        raise LinnetError(f"the {kind} '{path}' cannot be read: {(error.strerror or str(error)).lower()}{more}"
                          ) from error
    except UnicodeDecodeError as error:
        raise LinnetError(f"the {kind} '{path}' cannot be read: {error}.") from error


def together(errors: list[str], kind: str) -> LinnetError:
    """One error that lists everything that is wrong.

    >>> print(together(["seed: missing"], "recipe"))
    1 error in the recipe:
      - seed: missing
    """
    head = f"1 error in the {kind}" if len(errors) == 1 else f"{len(errors)} errors in the {kind}"
    return LinnetError("\n  - ".join([f"{head}:", *errors]))


def faults(error: ValidationError, model: type[BaseModel], prefix: str = "", *, hidden: Iterable[str] = ()
           ) -> list[str]:
    """What pydantic found wrong, a line each: where, what, and the nearest known key; `hidden` keys are not named."""
    messages = []
    for item in error.errors():
        where = (prefix + ".".join(str(part) for part in item["loc"])).rstrip(".")
        if item["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            known = [key for key in _known_keys(model, item["loc"][:-1]) if key not in hidden]
            hint = near(str(item["loc"][-1]), known)
            messages.append(f"{where}: unknown key{hint}; known: {', '.join(sorted(known))}")
        elif item["type"] == "missing":
            messages.append(f"{where}: missing")
        else:
            said = item["msg"].removeprefix("Value error, ")
            messages.append(": ".join(filter(None, [where, f"{said} (got {item['input']!r})"])))
    return messages


def near(given: Any, known: Iterable[Any]) -> str:
    """The nearest known name as a question, or nothing.

    >>> near("speeker", ["digit", "speaker"])
    ", did you mean 'speaker'?"
    """
    names = difflib.get_close_matches(str(given), [str(name) for name in known], n=1)
    return f", did you mean '{names[0]}'?" if names else ""


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The field names of the model that lies at `path` below `model`."""
    fields: Any = model
    for part in path:
        annotation = getattr(fields, "model_fields", {}).get(str(part))
        nested = getattr(annotation, "annotation", None)
        fields = next((t for t in (nested, *getattr(nested, "__args__", ())) if hasattr(t, "__annotations__")
                       and t is not type(None)), fields)
    return list(getattr(fields, "model_fields", None) or getattr(fields, "__dataclass_fields__", {}))
