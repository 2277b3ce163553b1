"""Adapters of engines that bring large-vocabulary models, one a file: each loads into a `Recognizer`.

Knows sounds and hypotheses; knows neither tasks nor shipped files. pocketsphinx brings its model; the others take the
folder of one that the user has. None of them fetches anything.
"""

from __future__ import annotations

from collections.abc import Callable

from linnet.runtime.recognizers import faster_whisper, moonshine, pocketsphinx, sherpa_onnx
from linnet.speech.hypothesis import Recognizer

RECOGNIZERS: dict[str, Callable[..., Recognizer]] = {
    "pocketsphinx": pocketsphinx.load, "sherpa_onnx": sherpa_onnx.load, "faster_whisper": faster_whisper.load,
    "moonshine": moonshine.load}
"""By name: a function that loads the engine; it says itself how a missing one is got."""

__all__ = ["RECOGNIZERS"]
