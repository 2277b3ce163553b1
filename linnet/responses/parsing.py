"""From the text of a template to its parts; what cannot be read is said with line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from linnet.errors import LinnetError
from linnet.responses import locales
from linnet.responses.reading import fault

STYLES: dict[str, tuple[str, ...]] = {
    "number": ("integer", "percent"), "date": ("short", "medium", "long", "full"),
    "time": ("short", "medium", "long", "full"), "list": ("and", "or"), "currency": ()}
CHOICES = ("plural", "selectordinal", "select")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = re.compile(r"=\d+|[A-Za-z_][A-Za-z0-9_-]*")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DEEPEST = 20


@dataclass(frozen=True)
class Slot:
    """A value: `{name}`, `{name, kind}` or `{name, kind, style}`; `#` in a plural has the name "#"."""

    name: str
    kind: str = ""
    style: str = ""


@dataclass(frozen=True)
class Choice:
    """`{name, plural, one {...} other {...}}`: which text stands for which number or word."""

    name: str
    kind: str
    branches: dict[str, tuple[Node, ...]]


Node = str | Slot | Choice


def parse(text: str, locale: str) -> tuple[Node, ...]:
    """The parts of a template. Raises LinnetError with line and column for what is none."""
    return _Reader(text, locale).whole()


class _Reader:
    """Reads a text once, from left to right."""

    def __init__(self, text: str, locale: str) -> None:
        self.text, self.locale, self.at = text, locale, 0

    def whole(self) -> tuple[Node, ...]:
        nodes = self.nodes(counts=False, depth=0)
        if self.at < len(self.text):
            raise self.wrong("'}' closes nothing; a brace that is meant to be said is written '}' with apostrophes")
        return nodes

    def wrong(self, said: str, at: int | None = None) -> LinnetError:
        return fault(self.text, self.at if at is None else at, "template", said)

    def nodes(self, *, counts: bool, depth: int) -> tuple[Node, ...]:
        """Up to the end, or to a '}' that is not ours; `counts`: whether '#' stands for a number here."""
        if depth > _DEEPEST:
            raise self.wrong(f"choices lie in each other more than {_DEEPEST} deep")
        found: list[Node] = []
        plain: list[str] = []
        while self.at < len(self.text) and (here := self.text[self.at]) != "}":
            if here == "'":
                plain.append(self.quoted())
            elif here == "{" or (here == "#" and counts):
                found += ["".join(plain)] if plain else []
                plain = []
                found.append(self.braces(counts, depth) if here == "{" else self.hash())
            else:
                plain.append(here)
                self.at += 1
        return (*found, "".join(plain)) if plain else tuple(found)

    def hash(self) -> Slot:
        self.at += 1
        return Slot("#", "number")

    def quoted(self) -> str:
        """'' is an apostrophe; '{...' is as it stands up to the next apostrophe; any other ' is itself."""
        after = self.text[self.at + 1 : self.at + 2]
        if after == "'":
            self.at += 2
            return "'"
        if after not in ("{", "}", "#") or not after:
            self.at += 1
            return "'"
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self.wrong("the quotation that begins here is never closed; end it with an apostrophe")
        part, self.at = self.text[self.at + 1 : end], end + 1
        return part

    def braces(self, counts: bool, depth: int) -> Node:
        start = self.at
        self.at += 1
        name = self.token(_NAME, "a variable's name: a letter, then letters, digits and _")
        if self.ends(start):
            return Slot(name)
        self.comma()
        where = self.at
        kind = self.token(_NAME, f"what the value is: {', '.join([*STYLES, *CHOICES])}")
        if kind in CHOICES:
            return self.choice(name, kind, start, counts=counts, depth=depth)
        if kind not in STYLES:
            raise self.wrong(f"unknown kind of value '{kind}'; known: {', '.join([*STYLES, *CHOICES])}", where)
        return Slot(name, kind, self.style(kind, start))

    def style(self, kind: str, start: int) -> str:
        if kind == "currency":
            if self.ends(start):
                raise self.wrong("an amount needs its currency, such as {price, currency, EUR}", start)
            self.comma()
            return self.closed(self.token(_CURRENCY, "a currency's code of three capital letters, such as EUR"), start)
        if self.ends(start):
            return ""
        self.comma()
        where = self.at
        style = self.token(_NAME, f"a style of {kind}: {', '.join(STYLES[kind])}")
        if style not in STYLES[kind]:
            raise self.wrong(f"unknown style of {kind} '{style}'; known: {', '.join(STYLES[kind])}", where)
        return self.closed(style, start)

    def choice(self, name: str, kind: str, start: int, *, counts: bool, depth: int) -> Choice:
        self.comma()
        branches: dict[str, tuple[Node, ...]] = {}
        while not self.ends(start):
            where = self.at
            key = self.token(_KEY, "a case, such as one or =0, or '}'")
            self.check_key(kind, key, where)
            if key in branches:
                raise self.wrong(f"the case '{key}' stands twice", where)
            self.space()
            if self.text[self.at : self.at + 1] != "{":
                raise self.wrong(f"expected '{{' and the text of the case '{key}'")
            opened = self.at
            self.at += 1
            branches[key] = self.nodes(counts=counts or kind != "select", depth=depth + 1)
            if self.at >= len(self.text):
                raise self.wrong("'{' is never closed", opened)
            self.at += 1
        self.check_cases(kind, branches, start)
        return Choice(name, kind, branches)

    def check_key(self, kind: str, key: str, where: int) -> None:
        known = locales.cases(self.locale, kind)
        if kind == "select" or key.startswith("="):
            if kind == "select" and key.startswith("="):
                raise self.wrong("a select chooses by words; numbers are for plural", where)
            return
        if key not in known:
            raise self.wrong(f"the language '{self.locale}' has no case '{key}' of {kind}; it has "
                             f"{', '.join(known)}, and exact numbers such as =0", where)

    def check_cases(self, kind: str, branches: dict[str, tuple[Node, ...]], start: int) -> None:
        """`other` always, and every case that whole numbers lead to: a missing one would be bad grammar, unnoticed."""
        needed = ["other"] if kind == "select" else locales.needed(self.locale, kind)
        missing = [case for case in needed if case not in branches]
        if missing:
            raise self.wrong(f"{kind} lacks the case {', '.join(missing)}; in '{self.locale}' it needs "
                             f"{', '.join(needed)}", start)

    def token(self, pattern: re.Pattern[str], expected: str) -> str:
        self.space()
        found = pattern.match(self.text, self.at)
        if found is None:
            raise self.wrong(f"expected {expected}")
        self.at = found.end()
        return found.group()

    def closed(self, value: str, start: int) -> str:
        if not self.ends(start):
            raise self.wrong("expected '}'")
        return value

    def ends(self, start: int) -> bool:
        """Whether the braces close here; goes past it."""
        self.space()
        if self.at >= len(self.text):
            raise self.wrong("'{' is never closed", start)
        is_end = self.text[self.at] == "}"
        self.at += is_end
        return is_end

    def comma(self) -> None:
        self.space()
        if self.text[self.at : self.at + 1] != ",":
            raise self.wrong("expected ',' or '}'")
        self.at += 1
        self.space()

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
