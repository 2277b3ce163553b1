"""Attribution in larger pieces: Grad-CAM by a late layer's channels, occlusion by hiding a part and asking again."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from linnet.errors import LinnetError
from linnet.nn.attribution.gradients import Found, gradient
from linnet.nn.attribution.route import Asked, Batch, Route

_CELLS = 8
"""Along each side, where the size of what is hidden is not given."""


def grad_cam(route: Route, batch: Batch, targets: Tensor, *, rows: int) -> Found:
    """What speaks for the answer among a layer's channels, each by its mean gradient (Selvaraju et al. 2017).

    arXiv:1610.02391, equations 1 and 2. Needs a layer of (channels, height, width); the place is that layer.
    """
    del rows
    if batch.values.ndim != 4:
        raise LinnetError(f"Grad-CAM needs a layer of (channels, height, width); this one gives "
                          f"{tuple(batch.values.shape[1:])}. Name another one: layer='...'.")
    found = gradient(route, batch.values, batch.inputs, targets, torch.ones(len(targets)))
    weights = found.mean(dim=(2, 3), keepdim=True)
    return Found((weights * batch.values).sum(dim=1, keepdim=True).relu())


def enlarged(values: Tensor, size: tuple[int, int]) -> Tensor:
    """(rows, 1, height, width) of a layer to the size of the picture, smoothly."""
    return interpolate(values, size=size, mode="bilinear", align_corners=False)


def occlusion(route: Route | Asked, batch: Batch, targets: Tensor, *, rows: int,
              window: int | tuple[int, int] | None = None) -> Found:
    """How much of the answer goes when a part is hidden behind the baseline (Zeiler and Fergus 2014, arXiv:1311.2901).

    Parts lie side by side: `window` (height, width) of a picture, so many samples of a waveform, so many tokens;
    an eighth of each side without it, one token, one column. Needs no gradient, so that shipped files can be asked.
    """
    baseline = batch.baseline.expand(len(targets), *batch.values.shape[1:])
    found = torch.zeros(batch.values.shape, dtype=torch.float32, device=batch.values.device)
    with torch.no_grad():
        for first in range(0, len(targets), rows):
            part = slice(first, first + rows)
            inputs, wanted = tuple(array[part] for array in batch.inputs), targets[part, None]
            whole = route.answers(batch.values[part], inputs).gather(1, wanted)[:, 0]
            for cell in cells(tuple(batch.values.shape[1:]), window, is_image_array=batch.values.dtype == torch.uint8):
                hidden = batch.values[part].clone()
                hidden[:, *cell] = baseline[part][:, *cell]
                lost = whole - route.answers(hidden, inputs).gather(1, wanted)[:, 0]
                area = hidden[0][cell].numel()
                found[part][:, *cell] = (lost / area).view(-1, *[1] * (found.ndim - 1))
    return Found(found)


def cells(shape: tuple[int, ...], window: int | tuple[int, int] | None, *,
          is_image_array: bool = False) -> Iterator[tuple[slice, ...]]:
    """Slices that tile one sample's places, channels left whole.

    (channels, height, width), (positions, channels), (samples,); the arrays of images are (height, width, channels).
    """
    if len(shape) == 3:
        sides = shape[:2] if is_image_array else shape[1:]
        high, wide = _sides(window, sides)
        for top in range(0, sides[0], high):
            for left in range(0, sides[1], wide):
                cell = slice(top, top + high), slice(left, left + wide)
                yield (*cell, slice(None)) if is_image_array else (slice(None), *cell)
        return
    step = _length(window, shape)
    for start in range(0, shape[0], step):
        yield (slice(start, start + step), *[slice(None)] * (len(shape) - 1))


def _length(window: int | tuple[int, int] | None, shape: tuple[int, ...]) -> int:
    if window is None:
        return max(1, shape[0] // 20) if len(shape) == 1 and shape[0] > 1000 else 1
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        raise LinnetError(f"window is how many neighbours are hidden at once, 1 or more; got {window!r}.")
    return window


def _sides(window: int | tuple[int, int] | None, sides: tuple[int, ...]) -> tuple[int, int]:
    if window is None:
        return max(1, -(-sides[0] // _CELLS)), max(1, -(-sides[1] // _CELLS))
    high, wide = (window, window) if isinstance(window, int) else window
    if high < 1 or wide < 1:
        raise LinnetError(f"window is the side of what is hidden, or (height, width), 1 or more; got {window!r}.")
    return high, wide
