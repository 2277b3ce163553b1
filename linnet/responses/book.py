"""A book of responses: every template of a product, by name and language, in a YAML file, checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet import plain_yaml
from linnet.errors import LinnetError, unknown
from linnet.responses.template import Template, template


@dataclass(frozen=True)
class Book:
    """Templates by language, then by name; every language has the same names, and asks for the same values."""

    templates: Mapping[str, Mapping[str, Template]]

    def fill(self, name: str, locale: str, /, **given: Any) -> str:
        """The response of this name in this language; de_CH falls back to de where there is no de_CH."""
        return self.template(name, locale).fill(given)

    def template(self, name: str, locale: str) -> Template:
        """The template of this name in this language, or in the language without its region."""
        code = locale.replace("-", "_")
        found = next((known for known in (code, code.split("_")[0]) if known in self.templates), None)
        if found is None:
            raise unknown("language of the responses", locale, self.templates)
        if name not in self.templates[found]:
            raise unknown("response", name, self.templates[found])
        return self.templates[found][name]


def book(path: str | Path) -> Book:
    """Read `{language: {name: template}}` from a YAML file; all that is wrong with it is said at once."""
    raw = plain_yaml.parse(plain_yaml.read(path, "book of responses", hint="It maps languages to names to templates."))
    if not isinstance(raw, dict) or not raw or not all(isinstance(named, dict) for named in raw.values()):
        raise LinnetError(f"{path}: a book of responses maps languages to names to templates, such as "
                          "{en: {hello: 'Hello, {name}.'}}.")
    faults: list[str] = []
    made: dict[str, dict[str, Template]] = {}
    for locale, named in raw.items():
        made[str(locale)] = {}
        for name, text in named.items():
            try:
                if not isinstance(text, str):
                    raise LinnetError(f"a template is a text; got {text!r:.40}.")
                made[str(locale)][str(name)] = template(text, str(locale))
            except LinnetError as error:
                faults.append(f"{locale}.{name}: {error}")
    if not any(raw.values()):
        faults.append("there is no response in any language; give names and templates.")
    faults = faults or _differing(made)
    if faults:
        raise LinnetError(f"{path}:" + "".join(f"\n- {said}" for said in faults))
    return Book(made)


def _differing(made: Mapping[str, Mapping[str, Template]]) -> list[str]:
    """Responses that a language lacks, or that ask for other values there."""
    (first, known), *others = made.items()
    found = []
    for locale, named in others:
        for name in sorted({*known, *named}):
            if name not in named or name not in known:
                found.append(f"{locale if name not in named else first} lacks the response '{name}'")
            elif named[name].variables != known[name].variables:
                found.append(f"{locale}.{name} asks for {', '.join(named[name].variables) or 'nothing'}, "
                             f"{first}.{name} for {', '.join(known[name].variables) or 'nothing'}")
    return found
