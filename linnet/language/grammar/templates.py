"""Templates to trees: "(turn|switch) [on] {room}", with the line and column of whatever cannot be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from linnet.errors import LinnetError


class GrammarError(LinnetError):
    """A template that cannot be compiled, with its place; line and column count from 1."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {what}")
        self.line, self.column = line, column


@dataclass(frozen=True)
class Word:
    """One word, as it is written in an answer."""

    text: str


@dataclass(frozen=True)
class Sequence:
    """One after another; none at all is the empty text."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One of these."""

    options: tuple[Node, ...]


@dataclass(frozen=True)
class Repeat:
    """Once or more."""

    item: Node


@dataclass(frozen=True)
class Reference:
    """What is defined elsewhere: {name} is a slot, whose words are given back; <name> stands for words only."""

    name: str
    is_slot: bool
    line: int
    column: int

    @property
    def key(self) -> str:
        """As it is written."""
        return f"{{{self.name}}}" if self.is_slot else f"<{self.name}>"


Node = Word | Sequence | Choice | Repeat | Reference

MARKS = r"()[]{}<>|+=#\\"
_TOKEN = re.compile(r"(?P<space>\s+)|(?P<reference>\{[^{}]*\}|<[^<>]*>)|(?P<mark>[()\[\]{}<>|+=])"
                    r"|(?P<word>(?:\\.|[^\s()\[\]{}<>|+=\\])+)|(?P<off>.)")
_NAME = re.compile(r"[^\W\d]\w*")
_CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Token:
    """A piece of a line and where it starts."""

    kind: str
    text: str
    column: int


def tokens(text: str, line: int, column: int) -> list[Token]:
    """The pieces of a template whose first character stands in `column`."""
    found = [Token(str(match.lastgroup), match.group(), column + match.start()) for match in _TOKEN.finditer(text)]
    for token in found:
        if token.kind == "off":
            raise GrammarError("a backslash at the end says nothing; it stands before a mark that is a letter here.",
                               line, token.column)
    return [token for token in found if token.kind != "space"]


def template(text: str, line: int = 1, column: int = 1) -> Node:
    """The tree of one template; raises GrammarError."""
    try:
        return _Reader(tokens(text, line, column), line, column + len(text)).whole()
    except RecursionError:
        raise GrammarError("brackets within brackets too deep to read.", line, column) from None


def may_be_empty(node: Node, definitions: Mapping[str, Node]) -> bool:
    """Whether the node holds the text without words; `definitions` do not refer to themselves."""
    if isinstance(node, Sequence):
        return all(may_be_empty(item, definitions) for item in node.items)
    if isinstance(node, Choice):
        return any(may_be_empty(option, definitions) for option in node.options)
    if isinstance(node, Repeat):
        return may_be_empty(node.item, definitions)
    return isinstance(node, Reference) and may_be_empty(definitions[node.key], definitions)


class _Reader:
    """Reads one template from left to right."""

    def __init__(self, found: list[Token], line: int, end: int) -> None:
        self.found, self.line, self.end, self.place = found, line, end, 0

    def whole(self) -> Node:
        node = self.choice(None)
        if self.place < len(self.found):
            token = self.found[self.place]
            raise self.error(f"'{token.text}' closes nothing.", token)
        return node

    def error(self, what: str, token: Token | None = None) -> GrammarError:
        return GrammarError(what, self.line, token.column if token else self.end)

    def choice(self, opened: Token | None) -> Node:
        """Alternatives up to what closes `opened`, or to the end."""
        options = [self.sequence(opened)]
        while self.place < len(self.found) and self.found[self.place].text == "|":
            self.place += 1
            options.append(self.sequence(opened))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self, opened: Token | None) -> Node:
        items: list[Node] = []
        while self.place < len(self.found) and self.found[self.place].text not in ("|", ")", "]"):
            items.append(self.item(items))
        if not items:
            here = self.found[self.place] if self.place < len(self.found) else opened
            raise self.error("an alternative without words; write [word] for what may be left out.", here)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def item(self, before: list[Node]) -> Node:
        token = self.found[self.place]
        self.place += 1
        if token.kind == "word":
            return Word(re.sub(r"\\(.)", r"\1", token.text))
        if token.kind == "reference":
            return self.reference(token)
        if token.text in _CLOSING:
            return self.group(token)
        if token.text == "+" and before:
            return Repeat(before.pop())
        raise self.error({"+": "'+' repeats what stands before it, and nothing does.",
                          "}": "'}' closes nothing.", ">": "'>' closes nothing.",
                          "=": "'=' stands once in a line, behind the name that is defined; write \\= for the letter."}
                         .get(token.text, f"'{token.text}' is not closed."), token)

    def reference(self, token: Token) -> Reference:
        name = token.text[1:-1].strip()
        if not _NAME.fullmatch(name):
            raise self.error(f"'{name}' is no name: letters, digits and _, a letter first.", token)
        return Reference(name, token.text[0] == "{", self.line, token.column)

    def group(self, opened: Token) -> Node:
        inner = self.choice(opened)
        closing = _CLOSING[opened.text]
        if self.place == len(self.found):
            raise self.error(f"'{opened.text}' is not closed; '{closing}' is missing.", opened)
        token = self.found[self.place]
        if token.text != closing:
            raise self.error(f"'{token.text}' where '{closing}' is expected, for '{opened.text}' in column "
                             f"{opened.column}.", token)
        self.place += 1
        return Choice((inner, Sequence())) if opened.text == "[" else inner
