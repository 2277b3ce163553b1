"""Attributions: for each sample, how much each place of it speaks for the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Piece(NamedTuple):
    """A token of a text, its place in characters, and its score."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, eq=False)
class Attributions:
    """One map a sample. `values`, float32, channels summed (their largest, for sizes of gradients), by `space`:

    "pixels" (n, height, width); "time_frequency" (n, frames, bands); "time" (n, windows); "tokens" (n, tokens), zero
    behind a text's end; "columns" (n, columns); "layer" (n, positions ...). Above zero speaks for the target, below
    zero against it; saliency, SmoothGrad and Grad-CAM are never below.
    """

    values: Floats
    space: str
    method: str
    targets: tuple[str, ...]
    """The label explained, of each sample."""
    ids: tuple[str, ...]
    seen: NDArray[Any]
    """What the maps lie on: pixels uint8, the log-mel picture, samples, token ids, columns, or the layer's values."""
    difference: NDArray[np.float64] | None = None
    """Integrated gradients: what each map should sum to, the answer less that of the baseline."""
    sums: NDArray[np.float64] | None = None
    """Integrated gradients: what each map does sum to."""
    nodes: NDArray[np.int64] | None = None
    """Integrated gradients: how many gradients were taken for each sample."""
    texts: tuple[tuple[tuple[str, int, int], ...], ...] = ()
    """Texts: each token's characters, and where they begin and end."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The model, the layer, the settings, and for recordings seconds a frame and the bands' middles in Hz."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def completeness_error(self) -> NDArray[np.float64] | None:
        """How far each sum is from what it should be, as a share of it; 0 where neither is anything."""
        if self.sums is None or self.difference is None:
            return None
        missed = np.abs(self.sums - self.difference)
        return np.asarray(np.divide(missed, np.abs(self.difference), out=np.where(missed > 0, np.inf, 0.0),
                                    where=self.difference != 0))

    def pieces(self, row: int) -> tuple[Piece, ...]:
        """The tokens of a text with their scores; empty for what is no text."""
        if not self.texts:
            return ()
        return tuple(Piece(text, start, end, float(score))
                     for (text, start, end), score in zip(self.texts[row], self.values[row], strict=False))

    def maps(self) -> list[Floats]:
        """Each sample's map, flat, without what lies behind a text's end."""
        flat = self.values.reshape(len(self), -1)
        return [row[: len(text)] for row, text in zip(flat, self.texts, strict=True)] if self.texts else list(flat)
