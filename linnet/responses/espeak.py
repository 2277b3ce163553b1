"""espeak-ng in this process: its library by ctypes, sound as it is made, no program started and no file written.

The library comes with the package espeakng-loader; it is GPL-3.0, and so is what is shipped together with it.
"""

from __future__ import annotations

import ctypes
import math
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from linnet.errors import LinnetError, missing_extra, unknown
from linnet.responses.ssml import LIMITS, Piece
from linnet.responses.voice import Samples

WORDS_A_MINUTE = 175
_SYNCHRONOUS, _BUFFER_MS = 2, 60
_UTF8 = 1
_RATE, _PITCH = 1, 3
_LARGEST = np.float32(32768)
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
_ONE_AT_A_TIME = threading.Lock()
"""The library has one voice and one state for the whole process."""


@dataclass(frozen=True)
class Espeak:
    """A voice of espeak-ng: "en-us", "de", "cmn" ... Small, in more than a hundred languages, and a robot's.

    `rate` and `pitch` are factors of the voice's own. Raises LinnetError for a voice that there is not.
    """

    voice: str = "en-us"
    rate: float = 1.0
    pitch: float = 1.0

    def __post_init__(self) -> None:
        for key, value in (("rate", self.rate), ("pitch", self.pitch)):
            _check(key, value)
        with _ONE_AT_A_TIME:
            self._choose(_library())

    @property
    def sample_rate_hz(self) -> int:
        """Of what it says: 22,050."""
        return _library().sample_rate_hz

    @property
    def identity(self) -> str:
        """Engine, version, voice and settings."""
        return f"espeak-ng {_library().version} {self.voice} {self.rate:g} {self.pitch:g}"

    def speak(self, said: Sequence[Piece]) -> Generator[Samples]:
        """Chunks of at most 60 ms, the first long before the last is made. Raises LinnetError for a manner that this
        voice, at its own rate and pitch, cannot follow.
        """
        for piece in said:
            _check("rate", self.rate * piece.rate)
            _check("pitch", self.pitch * piece.pitch)
        return self._stream(said)

    def _stream(self, said: Sequence[Piece]) -> Generator[Samples]:
        chunks: queue.Queue[Samples | BaseException | None] = queue.Queue(maxsize=32)
        stopped = threading.Event()
        worker = threading.Thread(target=self._work, args=(said, chunks, stopped), daemon=True)
        worker.start()
        try:
            while (chunk := chunks.get()) is not None:
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
        finally:
            stopped.set()
            while worker.is_alive():  # an engine that waits to hand on a chunk is let go
                try:
                    chunks.get(timeout=0.01)
                except queue.Empty:
                    continue
            worker.join()

    def _work(self, said: Sequence[Piece], chunks: queue.Queue[Any], stopped: threading.Event) -> None:
        try:
            for piece in said:
                if stopped.is_set():
                    break
                if piece.text:
                    self._one(piece, chunks, stopped)
                if piece.pause_s and not stopped.is_set():
                    chunks.put(np.zeros(round(piece.pause_s * self.sample_rate_hz), np.float32))
            chunks.put(None)
        except BaseException as error:  # told in the thread that asked
            chunks.put(error)

    def _one(self, piece: Piece, chunks: queue.Queue[Any], stopped: threading.Event) -> None:
        gain = np.float32(10 ** (piece.volume_db / 20))

        def take(wave: Any, count: int, _: Any) -> int:
            if wave and count > 0 and not stopped.is_set():
                sound = np.ctypeslib.as_array(wave, (count,)).astype(np.float32) / _LARGEST
                chunks.put(np.clip(sound * gain, -1, 1) if gain != 1 else sound)
            return int(stopped.is_set())

        library = _library()
        with _ONE_AT_A_TIME:
            self._choose(library)
            library.set(_RATE, WORDS_A_MINUTE * self.rate * piece.rate)
            library.set(_PITCH, _pitch_setting(self.pitch * piece.pitch))
            library.synthesise(piece.text.encode(), _CALLBACK(take))

    def _choose(self, library: _Library) -> None:
        if library.handle.espeak_SetVoiceByName(self.voice.encode()) != 0:
            raise unknown("voice of espeak-ng", self.voice, library.voices())


def _pitch_setting(factor: float) -> float:
    """0 to 99, 50 being the voice's own: by what was measured of what comes out, which is not the same up and down."""
    octaves = math.log2(factor)
    return 50 + (66 if octaves > 0 else 82) * octaves


def _check(key: str, value: float) -> None:
    least, most = LIMITS[key]
    if not least <= value <= most:
        raise LinnetError(f"a {key} of {value:g} times the voice's own is asked for; espeak-ng can do {least:g} to "
                          f"{most:g}.")


class _Library:
    """The library, started once a process."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise missing_extra("espeakng-loader", "responses") from error
        self.handle = ctypes.CDLL(espeakng_loader.get_library_path())
        self.sample_rate_hz = int(self.handle.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, espeakng_loader.get_data_path().encode(), 0))
        if self.sample_rate_hz <= 0:
            raise LinnetError("espeak-ng could not start: its data are not where the package espeakng-loader says; "
                              "install it anew.")
        self.handle.espeak_Info.restype = ctypes.c_char_p
        self.version = str(self.handle.espeak_Info(None).decode())
        self.kept: Any = None

    def set(self, parameter: int, value: float) -> None:
        self.handle.espeak_SetParameter(parameter, round(value), 0)

    def synthesise(self, text: bytes, take: Any) -> None:
        self.kept = take  # as long as the library may call it
        self.handle.espeak_SetSynthCallback(take)
        code = self.handle.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, _UTF8, None, None)
        if code != 0:
            raise LinnetError(f"espeak-ng could not say this (its error {code}): {text.decode()[:60]!r}")

    def voices(self) -> list[str]:
        """Every language that it speaks."""
        class _Voice(ctypes.Structure):
            _fields_ = (("name", ctypes.c_char_p), ("languages", ctypes.c_char_p))

        self.handle.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        listed, found = self.handle.espeak_ListVoices(None), []
        number = 0
        while listed[number]:
            found.append(listed[number].contents.languages[1:].decode())  # a byte of priority comes first
            number += 1
        return found


@cache
def _library() -> _Library:
    return _Library()
