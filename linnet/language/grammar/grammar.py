"""Grammar: templates with intents and slots, as one text that travels with a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from linnet.errors import LinnetError, unknown
from linnet.language.grammar.acceptor import Acceptor, determined
from linnet.language.grammar.meaning import Meaning, meaning_of
from linnet.language.grammar.network import Network, build
from linnet.language.grammar.templates import MARKS, GrammarError, Node, may_be_empty, template

_DEFINES = re.compile(r"\s*(?P<name>\{[^{}]*\}|<[^<>]*>|[^\W\d][\w.-]*)\s*(?<!\\)=")


@dataclass(frozen=True)
class Grammar:
    """What may be said: templates by intent, and what slots and rules stand for. Made by `read` or `sentences`."""

    text: str
    """The source, from which `read` makes it again."""

    @cached_property
    def network(self) -> Network:
        """Words and tags as a network of states."""
        templates, definitions = _lines(self.text)
        made = build([(intent, node) for intent, node, _ in templates], definitions)
        for _, node, place in templates:
            if may_be_empty(node, definitions):
                raise GrammarError("this template holds the empty text; it needs a word that cannot be left out.",
                                   *place)
        return made

    @cached_property
    def acceptor(self) -> Acceptor:
        """What may follow what, word by word, without tags."""
        return determined(self.network)

    @property
    def words(self) -> tuple[str, ...]:
        """Every word that can be said, sorted."""
        return tuple(sorted({word for arcs in self.acceptor.arcs for word in arcs}))

    def parse(self, text: str) -> Meaning | None:
        """The intent and slots of a text, in any case; None where the grammar does not hold it.

        >>> read("light = (turn|switch) on the {room} light\\n{room} = kitchen | living room").parse(
        ...     "switch on the living room light")
        Meaning(intent='light', slots={'room': 'living room'})
        """
        return meaning_of(self.network, text.split())

    def having(self, **slots: Iterable[str]) -> Grammar:
        """The same with these values in place of a slot's own: names and words that are known at run time only."""
        lines, known = self.text.split("\n"), [line.split("=")[0].strip() for line in self.text.split("\n")]
        for name, values in slots.items():
            if f"{{{name}}}" not in known:
                raise unknown("slot", name, [key[1:-1] for key in known if key.startswith("{")])
            if isinstance(values, str):
                raise LinnetError(f"slot '{name}' takes a list of values, such as {name}=['{values}']; got one text.")
            given = [_escaped(value) for value in values]
            if not given:
                raise LinnetError(f"slot '{name}' was given no values; give at least one.")
            lines[known.index(f"{{{name}}}")] = f"{{{name}}} = {' | '.join(given)}"
        return read("\n".join(lines))


def read(text: str) -> Grammar:
    """A grammar from lines; raises GrammarError, which knows line and column.

    `intent = template`, `{slot} = template`, `<rule> = template`, or a template alone. In templates (a|b) is one of
    several, [a] may be left out, a+ is said once or more, {slot} and <rule> stand for what they are defined as. An
    intent may have several lines; # starts a comment; a backslash makes a mark a letter.

    >>> read("(stop|wait) [now]").acceptor.count()
    4
    >>> read("stop (now")
    Traceback (most recent call last):
    linnet.language.grammar.templates.GrammarError: line 1, column 6: '(' is not closed; ')' is missing.
    """
    made = Grammar(text)
    made.acceptor  # noqa: B018 whatever is wrong is said here, not where it is used first
    return made


def sentences(texts: Iterable[str]) -> Grammar:
    """A grammar that holds exactly these texts."""
    return read("\n".join(_escaped(text) for text in texts))


def _escaped(text: str) -> str:
    if not text.split():
        raise LinnetError("a text without words cannot be recognized; take it out of the list.")
    return "".join(f"\\{letter}" if letter in MARKS else letter for letter in " ".join(text.split()))


def _lines(text: str) -> tuple[list[tuple[str | None, Node, tuple[int, int]]], Mapping[str, Node]]:
    """Templates with their intents and places (line, column), and what names stand for."""
    templates: list[tuple[str | None, Node, tuple[int, int]]] = []
    definitions: dict[str, Node] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        line = re.sub(r"(?<!\\)#.*", "", raw)
        if not line.strip():
            continue
        named = _DEFINES.match(line)
        start = named.end() if named else 0
        node = template(line[start:], number, start + 1)
        if named is None or named["name"][0] not in "{<":
            column = len(line) - len(line[start:].lstrip()) + 1
            templates.append((named["name"] if named else None, node, (number, column)))
        else:
            key = re.sub(r"\s", "", named["name"])
            if key in definitions:
                raise GrammarError(f"{key} is defined twice.", number, named.start("name") + 1)
            definitions[key] = node
    if not templates:
        raise GrammarError("nothing can be said: there is no template.", 1, 1)
    return templates, definitions
