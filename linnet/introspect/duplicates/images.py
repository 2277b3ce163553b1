"""Images: small pictures of the whole and of windows into it, held against those of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.duplicates.gaps import Doubles, Rows

Floats = NDArray[np.float32]

_SIDE, _COARSE, _FINE = 32, 8, 16
_SMALLEST = 24  # windows down to three quarters of a side
_BLOCK, _PAIRS = 64, 1 << 15
_WINDOWS = [(size, top, left) for size in range(_SIDE, _SMALLEST - 1, -1)
            for top in range(_SIDE - size + 1) for left in range(_SIDE - size + 1)]
_SEARCHED = [(_SIDE, 0, 0), *((size, top, left) for size in (29, 26) for top in range(0, _SIDE - size + 1, 3)
                              for left in range(0, _SIDE - size + 1, 3))]


class Images:
    """Images (height, width, channels) uint8 on a grid of 32 by 32; brightness and contrast are no difference."""

    limit, learns = 0.2, True

    def __init__(self, images: Sequence[NDArray[np.uint8]]) -> None:
        self._sizes = [(image.shape[1], image.shape[0]) for image in images]
        self._grids = np.stack([_grid(image) for image in images])
        self._whole = {side: _unit(_seen(self._grids, side, [(_SIDE, 0, 0)]))[:, 0] for side in (_COARSE, _FINE)}

    def views(self) -> tuple[NDArray[np.floating], Rows]:
        """The whole and thirteen windows into it at 8 by 8 pixels: (14 n, 192)."""
        seen = np.concatenate([_unit(_seen(self._grids[at : at + _BLOCK], _COARSE, _SEARCHED))
                               for at in range(0, len(self._grids), _BLOCK)])
        return seen.reshape(-1, seen.shape[2]), np.repeat(np.arange(len(seen)), len(_SEARCHED))

    def residuals(self, pairs: Rows, step: Callable[[int], None] | None) -> Doubles:
        """sqrt(1 - c^2) for the largest correlation c of one image with a window into the other, at 16 by 16 pixels."""
        best = np.empty(len(pairs))
        for start in range(0, len(pairs), _PAIRS):
            part = pairs[start : start + _PAIRS]
            best[start : start + _PAIRS] = np.maximum(self._into(part)[0], self._into(part[:, ::-1])[0])
            if step:
                step(min(start + _PAIRS, len(pairs)))
        return np.asarray(np.sqrt(np.maximum(1 - np.square(np.clip(best, 0, 1)), 0)))

    def facts(self) -> dict[str, Any]:
        """Nothing beside the residuals."""
        return {}

    def explain(self, one: int, other: int) -> dict[str, Any]:
        """Which window of which of the two shows the other, as shares of its sides, and what that makes likely."""
        pair = np.array([[one, other]])
        (here, window), (there, back) = self._into(pair), self._into(pair[:, ::-1])
        of_first = bool(here[0] >= there[0])
        size, top, left = _WINDOWS[int(window[0] if of_first else back[0])]
        signs = {"crop": size < _SIDE, "scale": self._sizes[one] != self._sizes[other]}
        return {"window": {"of": "first" if of_first else "second", "left": left / _SIDE, "top": top / _SIDE,
                           "side": size / _SIDE}, "sizes": [list(self._sizes[one]), list(self._sizes[other])],
                "likely": [name for name, seen in signs.items() if seen] or ["re-encoded"]}

    def _into(self, pairs: Rows) -> tuple[Doubles, Rows]:
        """For each pair the best correlation of the second, whole, with a window into the first; and which window."""
        order = np.argsort(pairs[:, 0], kind="stable")
        firsts, starts = np.unique(pairs[order, 0], return_index=True)
        groups = np.split(order, starts[1:])
        window, best = np.zeros(len(pairs), np.int64), np.empty(len(pairs))
        for start in range(0, len(firsts), _BLOCK):
            seen = _unit(_seen(self._grids[firsts[start : start + _BLOCK]], _COARSE, _WINDOWS))
            for views, group in zip(seen, groups[start : start + _BLOCK], strict=True):
                window[group] = (self._whole[_COARSE][pairs[group, 1]] @ views.T).argmax(axis=1)
        for start in range(0, len(pairs), 1024):
            part = slice(start, start + 1024)
            fine = _unit(_cut(self._grids[pairs[part, 0]], window[part]))
            best[part] = np.einsum("nd,nd->n", fine, self._whole[_FINE][pairs[part, 1]])
        return best, window


def _grid(image: NDArray[np.uint8]) -> Floats:
    from PIL import Image

    pixels = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    how = Image.Resampling.BOX if min(image.shape[:2]) > _SIDE else Image.Resampling.BICUBIC
    small = Image.fromarray(np.ascontiguousarray(pixels)).resize((_SIDE, _SIDE), how)
    return np.asarray(np.asarray(small, np.float32) / np.float32(255), np.float32)


def _means(size: int, begin: int, side: int) -> Floats:
    """(side, 32): the means over equal stretches of a window."""
    edges = begin + np.linspace(0, size, side + 1)
    cells = np.arange(_SIDE)
    covered = np.maximum(np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells), 0)
    return np.asarray(covered / covered.sum(axis=1, keepdims=True), np.float32)


def _seen(grids: Floats, side: int, windows: Sequence[tuple[int, int, int]]) -> Floats:
    """(n, windows, side * side * 3): what each window shows; windows of one size and row stand together."""
    rows: dict[tuple[int, int], list[int]] = {}
    for size, top, left in windows:
        rows.setdefault((size, top), []).append(left)
    seen = []
    for (size, top), lefts in rows.items():
        strips = np.einsum("oi,nijc->nojc", _means(size, top, side), grids, optimize=True)
        across = np.stack([_means(size, left, side) for left in lefts])
        seen.append(np.einsum("wpj,nojc->nwopc", across, strips, optimize=True).reshape(len(grids), len(lefts), -1))
    return np.concatenate(seen, axis=1)


def _cut(grids: Floats, windows: Rows) -> Floats:
    """(n, 16 * 16 * 3): of each grid the one window."""
    chosen = [_WINDOWS[window] for window in windows]
    down = np.stack([_means(size, top, _FINE) for size, top, _ in chosen])
    across = np.stack([_means(size, left, _FINE) for size, _, left in chosen])
    strips = np.matmul(down, grids.reshape(len(grids), _SIDE, -1)).reshape(len(grids), _FINE, _SIDE, 3)
    return np.asarray(np.einsum("npj,nojc->nopc", across, strips, optimize=True).reshape(len(grids), -1), np.float32)


def _unit(seen: Floats) -> Floats:
    """About their mean and of length 1; what is flat stays zero."""
    centred = seen - seen.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(centred / np.where(length > 1e-4, length, np.inf), np.float32)
