"""YAML whose plain scalars mean what they mean in JSON: `no` is a word, `3e-4` a number."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

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
