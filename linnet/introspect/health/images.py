"""One image in numbers: its size, light, colour and sharpness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IMAGE_UNITS = {"width": "pixels", "height": "pixels", "brightness": "share", "contrast": "share", "dark": "share",
               "bright": "share", "colour": "share", "sharpness": ""}
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32) / 255  # of red, green and blue in luma (ITU-R BT.601)
_DARK, _BRIGHT = 0.02, 0.98


def measure_image(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Eight numbers of an image (height, width, channels) uint8 (see IMAGE_UNITS).

    `brightness` and `contrast` are the mean and the standard deviation of the luma, from 0 to 1; `dark` and `bright`
    the shares of pixels under 0.02 and above 0.98. `colour` is the mean distance of the largest to the smallest
    channel: 0 is grey. `sharpness` is the root mean square of the Laplacian over the contrast, so that it does not
    depend on the light: blur makes it small, noise large; 0 for an image of one value.

    >>> found = measure_image(np.full((4, 6, 3), 255, np.uint8))
    >>> found["width"], found["brightness"], found["contrast"]
    (6.0, 1.0, 0.0)
    """
    luma = np.asarray(pixels[..., 0] / np.float32(255) if pixels.shape[-1] == 1 else pixels @ _WEIGHTS, np.float32)
    contrast = float(luma.std())
    colour = float((pixels.max(axis=-1) - pixels.min(axis=-1)).mean()) / 255
    return {"width": float(pixels.shape[1]), "height": float(pixels.shape[0]),
            "brightness": round(float(luma.mean(dtype=np.float64)), 6), "contrast": round(contrast, 6),
            "dark": float((luma < _DARK).mean()), "bright": float((luma > _BRIGHT).mean()), "colour": colour,
            "sharpness": _laplacian(luma) / contrast if contrast > 1e-6 else 0.0}


def _laplacian(luma: NDArray[np.float32]) -> float:
    """Root mean square of the four neighbours less four times the middle; 0 where there is no inside."""
    if min(luma.shape) < 3:
        return 0.0
    middle = luma[1:-1, 1:-1]
    second = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * middle
    return float(np.sqrt(np.square(second).mean(dtype=np.float64)))
