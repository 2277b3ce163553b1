"""Trees to a network of states: words and tags on its arcs, and arcs that say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from linnet.errors import LinnetError, unknown
from linnet.language.grammar.templates import Choice, GrammarError, Node, Reference, Repeat, Sequence, Word

_MOST_STATES = 500_000
"""Above it a grammar is refused; a list of so many names is no closed grammar any more."""


@dataclass
class Network:
    """States from 0, the start. A free arc carries a tag: an intent's or slot's name with where it starts or ends."""

    words: list[list[tuple[str, int]]] = field(default_factory=list)
    free: list[list[tuple[str | None, int]]] = field(default_factory=list)
    final: int = 0

    def state(self) -> int:
        """A new one."""
        if len(self.words) >= _MOST_STATES:
            raise LinnetError(f"the grammar has more than {_MOST_STATES:,} states: give lists of names as fewer "
                              "values, or recognize with a word model (n-gram) in place of a grammar.")
        self.words.append([])
        self.free.append([])
        return len(self.words) - 1


def build(templates: list[tuple[str | None, Node]], definitions: Mapping[str, Node]) -> Network:
    """The whole grammar; raises GrammarError for names that nothing defines, or that stand for themselves."""
    made = Network()
    start, made.final = made.state(), made.state()
    for intent, node in templates:
        first, last = made.state(), made.state()
        made.free[start].append((None if intent is None else f"={intent}", first))
        made.free[last].append((None, made.final))
        _Builder(made, definitions).add(node, first, last, ())
    return made


@dataclass(frozen=True)
class _Builder:
    made: Network
    definitions: Mapping[str, Node]

    def add(self, node: Node, first: int, last: int, within: tuple[str, ...]) -> None:
        """Arcs from `first` to `last` that say what the node says."""
        if isinstance(node, Word):
            self.made.words[first].append((node.text, last))
        elif isinstance(node, Sequence):
            for item in node.items:
                following = self.made.state()
                self.add(item, first, following, within)
                first = following
            self.made.free[first].append((None, last))
        elif isinstance(node, Choice):
            for option in node.options:
                self.add(option, first, last, within)
        elif isinstance(node, Repeat):
            begin, end = self.made.state(), self.made.state()
            self.made.free[first].append((None, begin))
            self.add(node.item, begin, end, within)
            self.made.free[end] += [(None, begin), (None, last)]
        else:
            self.refer(node, first, last, within)

    def refer(self, node: Reference, first: int, last: int, within: tuple[str, ...]) -> None:
        """The arcs of what a name stands for; a slot's start and end are tagged."""
        if node.key not in self.definitions:
            raise GrammarError(str(unknown("name", node.key, self.definitions)), node.line, node.column)
        if node.key in within:
            raise GrammarError(f"{node.key} stands for itself; what repeats is written with +.", node.line, node.column)
        begin, end = self.made.state(), self.made.state()
        self.made.free[first].append((f"{{{node.name}" if node.is_slot else None, begin))
        self.made.free[end].append((f"}}{node.name}" if node.is_slot else None, last))
        self.add(self.definitions[node.key], begin, end, (*within, node.key))
