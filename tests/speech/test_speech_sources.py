"""A recording that is played gives the samples of the recording, in chunks; a machine without microphone says so."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet.data import Audio, read_audio, resample
from linnet.errors import LinnetError
from linnet.speech import sources

NOISE = np.random.default_rng(0).uniform(-1, 1, 5003).astype(np.float32)


@pytest.mark.parametrize("chunk_ms", [1, 33.3, 100, 10_000])
def test_chunks_are_the_recording(chunk_ms: float) -> None:
    chunks = list(sources.played(Audio(NOISE, 8000), 8000, chunk_ms=chunk_ms))
    np.testing.assert_array_equal(np.concatenate(chunks), NOISE)
    assert {len(chunk) for chunk in chunks[:-1]} <= {round(8 * chunk_ms)}


def test_a_file_at_another_rate_is_resampled_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, NOISE, 16000, subtype="FLOAT")
    for given in (path, str(path)):
        heard = np.concatenate(list(sources.played(given, 8000)))
        np.testing.assert_array_equal(heard, resample(read_audio(path), 8000).samples)


def test_at_its_own_pace_it_waits_before_each_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(sources.time, "sleep", waited.append)
    assert len(list(sources.played(Audio(NOISE, 8000), 8000, real_time=True))) == len(waited) == 7
    assert set(waited) == {0.1}


def test_a_chunk_has_a_sample_at_least() -> None:
    with pytest.raises(LinnetError, match=r"0.01 ms are no sample at 8000 Hz"):
        next(sources.played(Audio(NOISE, 8000), 8000, chunk_ms=0.01))


class Device:
    """What the package sounddevice offers, with a driver that hands over noise when it is opened."""

    PortAudioError = OSError

    class InputStream:
        def __init__(self, *, blocksize: int, callback: Any, samplerate: int, **_: Any) -> None:
            if samplerate > 48_000:
                raise OSError("Invalid sample rate")
            self.blocksize, self.callback = blocksize, callback

        def __enter__(self) -> None:
            for start in range(0, 4000, self.blocksize):
                self.callback(NOISE[start : start + self.blocksize, None], self.blocksize, None, None)

        def __exit__(self, *_: object) -> None:
            pass


def test_a_microphone_hands_over_what_its_driver_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Device)
    heard = np.concatenate(list(sources.microphone(8000, chunk_ms=50, seconds=0.41)))
    np.testing.assert_array_equal(heard, NOISE[:3280])


def test_no_microphone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Device)
    with pytest.raises(LinnetError, match=r"no microphone can be opened at 96000 Hz: Invalid sample rate"):
        next(sources.microphone(96_000))
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(LinnetError, match=r"package 'sounddevice'.*linnet\[microphone\]"):
        next(sources.microphone(8000))


def test_a_listener_that_is_too_slow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Device)
    monkeypatch.setattr(sources, "_SECONDS_BEHIND", 0.2)
    with pytest.raises(LinnetError, match=r"0.2 s ahead of what listens"):
        next(sources.microphone(8000, chunk_ms=50))


def test_the_package_without_the_system_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=Broken().find_spec), *sys.meta_path])
    with pytest.raises(LinnetError, match=r"PortAudio library not found.*apt-get install libportaudio2"):
        next(sources.microphone(8000))
