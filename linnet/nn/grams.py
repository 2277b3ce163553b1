"""Groups of neighbouring characters and words of a text, numbered within the graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_PRIME = 2**31 - 1
_BASE = 1_000_003
_SPREAD = 48_271
"""Multiplied with a group's number before it is cut to a bucket, so that neighbours do not fall together."""


class Grams(nn.Module):
    """Token ids (batch, length) int64 to bucket numbers (batch, groups) int64 from 1; 0 where there is no group.

    Characters: every group of `orders` neighbours that does not reach over a space (id `space`) into the next word,
    the space itself counting as an edge; then every word, and every two words that follow each other. Without a space
    (None) the tokens are words themselves and only neighbours are grouped. A group is numbered by the remainder of a
    polynomial of its tokens (Karp and Rabin 1987, Efficient randomized pattern-matching algorithms, IBM Journal 31),
    cut to `buckets`: groups that share a bucket share a vector (Weinberger et al. 2009, Feature hashing, ICML).
    """

    powers: Tensor
    inverses: Tensor

    def __init__(self, length: int, *, orders: tuple[int, ...], buckets: int, space: int | None) -> None:
        super().__init__()
        self.orders, self.buckets, self.space = orders, buckets, space
        powers, inverses, inverse = [1], [1], pow(_BASE, -1, _PRIME)
        for _ in range(length + 2):
            powers.append(powers[-1] * _BASE % _PRIME)
            inverses.append(inverses[-1] * inverse % _PRIME)
        self.register_buffer("powers", torch.tensor(powers), persistent=False)
        self.register_buffer("inverses", torch.tensor(inverses), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) to (batch, groups)."""
        given = tokens if self.space is None else self._edged(tokens)
        length = given.shape[1]
        terms = given * self.powers[:length] % _PRIME
        sums = nn.functional.pad(terms.cumsum(dim=1) % _PRIME, (1, 0))
        is_real = given != 0
        found = [self._neighbours(sums, given, is_real, order) for order in self.orders]
        if self.space is not None:
            found += self._words(sums, given, is_real)
        return torch.cat(found, dim=1)

    def _edged(self, tokens: Tensor) -> Tensor:
        """A space before the text, and one behind it in place of the first padding."""
        edge = nn.functional.pad(tokens, (1, 0), value=self.space)
        edge = nn.functional.pad(edge, (0, 1))
        is_end = (edge == 0) & (nn.functional.pad(edge, (1, 0), value=1)[:, :-1] != 0)
        return edge.masked_fill(is_end, self.space or 0)

    def _neighbours(self, sums: Tensor, given: Tensor, is_real: Tensor, order: int) -> Tensor:
        """Every group of `order`; inside a group there is no space and behind it no padding."""
        count = given.shape[1] - order + 1
        counts = is_real[:, order - 1 :]
        if self.space is not None:
            spaces = nn.functional.pad((given == self.space).to(torch.int64).cumsum(dim=1), (1, 0))
            inside = spaces[:, order - 1 : order - 1 + count] - spaces[:, 1 : 1 + count] if order > 2 else None
            counts = counts & (inside == 0) if inside is not None else counts
        starts = torch.arange(count, device=given.device)
        return self._numbered(sums[:, order:] - sums[:, :count], self.inverses[starts], order, counts)

    def _words(self, sums: Tensor, given: Tensor, is_real: Tensor) -> list[Tensor]:
        """At the last character of each word: the word, and it with the word before."""
        length = given.shape[1]
        places = torch.arange(length, device=given.device)
        is_space = given == self.space
        marks = (places + 1) * is_space
        begins = (marks.unsqueeze(1) * (places.unsqueeze(0) <= places.unsqueeze(1))).amax(dim=2)
        is_last = is_real & ~is_space & (nn.functional.pad(given, (0, 1), value=self.space)[:, 1:] == self.space)
        before = begins.gather(1, (begins - 2).clamp(min=0))
        ends = sums[:, 1:]
        return [self._numbered(ends - sums.gather(1, start), self.inverses[start], 100 + number, is_last & counts)
                for number, (start, counts) in enumerate(((begins, is_last), (before, begins > 1)))]

    def _numbered(self, spans: Tensor, inverses: Tensor, salt: int, counts: Tensor) -> Tensor:
        numbers = (spans + _PRIME) % _PRIME * inverses % _PRIME
        mixed = (numbers * _SPREAD + salt * 1_000_081) % _PRIME
        return torch.where(counts, mixed % self.buckets + 1, 0)
