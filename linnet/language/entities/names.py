"""Names out of lists, in any of the ways in which they are written, and a little otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from linnet.errors import LinnetError, missing_extra
from linnet.language.entities.entity import Entity, Word, words_of

_SHORTEST = 4
"""Shorter names must be written as they are: a letter more makes another word of them."""


@dataclass(frozen=True)
class Names:
    """Names of one kind: each name's own form to other ways of saying it; `likeness` is how alike a spelling must be.

    >>> Names("city", {"New York": ["big apple"], "Oslo": []}).find("from the big apple to olso")[0].value
    'New York'
    """

    kind: str
    names: Mapping[str, Sequence[str]] = field(hash=False)
    likeness: float = 0.85

    def __post_init__(self) -> None:
        if not self.names or not all(words_of(form) for name, others in self.names.items() for form in (name, *others)):
            raise LinnetError(f"the names of '{self.kind}' are a mapping from each name to other ways of saying it, "
                              "none of them empty; got "
                              f"{dict(self.names)!r:.60}.")
        if not 0 < self.likeness <= 1:
            raise LinnetError(f"likeness is a share above 0 and at most 1; got {self.likeness!r}.")

    def find(self, text: str) -> list[Entity]:
        """Where they stand; the longest first where names overlap, and the likest of those that are as long."""
        return self.among(words_of(text))

    def among(self, words: Sequence[Word]) -> list[Entity]:
        """The same, of a text's words."""
        found: list[Entity] = []
        taken: set[int] = set()
        for length in sorted({len(form) for form in self._forms}, reverse=True):
            for first in range(len(words) - length + 1):
                places = set(range(first, first + length))
                name = None if places & taken else self._name([word.text for word in words[first : first + length]])
                if name is not None:
                    found.append(Entity(self.kind, name, words[first].start, words[first + length - 1].end))
                    taken |= places
        return sorted(found, key=lambda entity: entity.start)

    def _name(self, said: Sequence[str]) -> str | None:
        exact = self._forms.get(tuple(said))
        if exact is not None or self.likeness == 1:
            return exact
        try:
            from rapidfuzz.distance import DamerauLevenshtein
        except ImportError as error:
            raise missing_extra("rapidfuzz", "entities") from error
        best, chosen = 0.0, None
        together = " ".join(said)
        for form, name in self._forms.items():
            written = " ".join(form)
            if len(form) != len(said) or min(len(written), len(together)) < _SHORTEST:
                continue
            alike = DamerauLevenshtein.normalized_similarity(together, written)
            if alike >= self.likeness and alike > best:
                best, chosen = alike, name
        return chosen

    @cached_property
    def _forms(self) -> dict[tuple[str, ...], str]:
        return {tuple(word.text for word in words_of(form)): name for name, others in self.names.items()
                for form in (name, *others)}
