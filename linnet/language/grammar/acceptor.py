"""Acceptor: which word may follow which, deterministic, as decoders walk it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from linnet.errors import LinnetError
from linnet.language.grammar.network import Network

_MOST_STATES = 200_000


@dataclass(frozen=True)
class Acceptor:
    """`arcs[state]` leads from a word to the next state; state 0 is the start, and nothing leads back to it."""

    arcs: tuple[Mapping[str, int], ...]
    finals: frozenset[int]

    def accepts(self, words: Sequence[str]) -> bool:
        """Whether these words, one after another and in this spelling, end in a final state."""
        state: int | None = 0
        for word in words:
            state = None if state is None else self.arcs[state].get(word)
        return state in self.finals

    def spelled(self, text: str) -> str:
        """The text, given in any case, in the spelling of the grammar; "" for one that it does not hold."""
        places: dict[int, tuple[str, ...]] = {0: ()}
        for word in text.split():
            places = {to: (*said, spelling) for state, said in places.items()
                      for spelling, to in self._folded[state].get(word.casefold(), ())}
        return next((" ".join(said) for state, said in places.items() if state in self.finals), "")

    @cached_property
    def _folded(self) -> list[dict[str, list[tuple[str, int]]]]:
        """Each state's arcs by their words without case."""
        found: list[dict[str, list[tuple[str, int]]]] = []
        for arcs in self.arcs:
            found.append({})
            for word, to in arcs.items():
                found[-1].setdefault(word.casefold(), []).append((word, to))
        return found

    def count(self) -> float:
        """How many texts it holds; infinite where something repeats."""
        known: dict[int, float] = {}
        for state in self._ends_first():
            following = sum(known.get(to, math.inf) for to in self.arcs[state].values())
            known[state] = float(state in self.finals) + following
        return int(known[0]) if math.isfinite(known[0]) else math.inf

    def texts(self) -> Iterator[str]:
        """Every text, in the order of the templates; never ends where something repeats."""
        waiting: list[tuple[int, tuple[str, ...]]] = [(0, ())]
        while waiting:
            state, words = waiting.pop()
            if state in self.finals:
                yield " ".join(words)
            waiting += [(to, (*words, word)) for word, to in reversed(list(self.arcs[state].items()))]

    def _ends_first(self) -> list[int]:
        """States after those that they lead to, where nothing repeats (depth first, without recursion)."""
        order: list[int] = []
        seen, waiting = {0}, [(0, iter(self.arcs[0].values()))]
        while waiting:
            state, following = waiting[-1]
            to = next((one for one in following if one not in seen), None)
            if to is None:
                order.append(state)
                waiting.pop()
            else:
                seen.add(to)
                waiting.append((to, iter(self.arcs[to].values())))
        return order


def determined(network: Network) -> Acceptor:
    """One state a set of the network's states (subset construction); arcs that say nothing are gone."""
    reached = _Reached(network)
    start = reached(frozenset([0]))
    numbers: dict[frozenset[int] | None, int] = {None: 0}
    arcs: list[dict[str, int]] = []
    sets = [start]
    for places in sets:  # grows while it is walked
        following: dict[str, set[int]] = {}
        for place in sorted(places):
            for word, to in network.words[place]:
                following.setdefault(word, set()).add(to)
        arcs.append({})
        for word, targets in following.items():
            there = reached(frozenset(targets))
            if there not in numbers:
                numbers[there] = len(sets)
                sets.append(there)
            arcs[-1][word] = numbers[there]
        if len(sets) > _MOST_STATES:
            raise LinnetError(f"the grammar has more than {_MOST_STATES:,} states: give fewer alternatives.")
    return Acceptor(tuple(arcs), frozenset(number for number, places in enumerate(sets) if network.final in places))


@dataclass(frozen=True)
class _Reached:
    """Where a set of states leads without a word; only states that matter: with words, or the final one."""

    network: Network

    def __call__(self, places: frozenset[int]) -> frozenset[int]:
        seen, waiting = set(places), list(places)
        while waiting:
            for _, to in self.network.free[waiting.pop()]:
                if to not in seen:
                    seen.add(to)
                    waiting.append(to)
        return frozenset(place for place in seen if self.network.words[place] or place == self.network.final)
