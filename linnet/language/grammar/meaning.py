"""Meaning: the intent and the slots of a text that a grammar holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from linnet.language.grammar.network import Network


@dataclass(frozen=True)
class Meaning:
    """What was meant; `intent` is None for a template without a name."""

    intent: str | None
    slots: Mapping[str, str] = field(default_factory=dict)


def meaning_of(network: Network, words: Sequence[str]) -> Meaning | None:
    """The first reading, in the order of the templates, that says these words in any case; None where none does.

    A slot that occurs twice has the words of its last place.
    """
    folded = [word.casefold() for word in words]
    dead: set[tuple[int, int]] = set()
    path: list[tuple[str | None, int]] = []
    trail = [_steps(network, folded, 0, 0)]
    places = [(0, 0)]
    while trail:
        state, position = places[-1]
        if state == network.final and position == len(words):
            return _read(path, words)
        for tag, to, at in trail[-1]:
            if (to, at) not in dead and (to, at) not in places:
                path.append((tag, at))
                places.append((to, at))
                trail.append(_steps(network, folded, to, at))
                break
        else:
            dead.add(places.pop())
            trail.pop()
            if path:
                path.pop()
    return None


def _steps(network: Network, words: Sequence[str], state: int, position: int) -> Iterator[tuple[str | None, int, int]]:
    """Tag, next state and next position of every arc that can be taken."""
    for tag, to in network.free[state]:
        yield tag, to, position
    for word, to in network.words[state]:
        if position < len(words) and word.casefold() == words[position]:
            yield None, to, position + 1


def _read(path: Sequence[tuple[str | None, int]], words: Sequence[str]) -> Meaning:
    intent, slots, opened = None, {}, {}
    for tag, at in path:
        if tag is None:
            continue
        name = tag[1:]
        if tag[0] == "=":
            intent = name
        elif tag[0] == "{":
            opened[name] = at
        else:
            slots[name] = " ".join(words[opened[name] : at])
    return Meaning(intent, slots)
