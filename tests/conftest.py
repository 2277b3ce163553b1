"""Small real sounds that the tests make themselves: tones of three pitches "spoken" by several voices."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet import data, tasks

RATE = 8000
PITCHES = {"low": 300.0, "middle": 800.0, "high": 1900.0}
VOICES = ("ann", "bob", "cleo", "dan", "eve")


def tone(pitch_hz: float, rng: np.random.Generator, seconds: float = 0.3) -> np.ndarray:
    """A noisy tone with a random phase, loudness and slightly random pitch."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * np.pi * (pitch_hz * rng.uniform(0.9, 1.1) * time + rng.uniform()))
    return (rng.uniform(0.1, 0.6) * wave + rng.normal(0, 0.02, len(time))).astype(np.float32)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's ledger or cache."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LINNET_STATE", raising=False)


@pytest.fixture(scope="session")
def tone_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV manifest of 150 recordings: audio, pitch, voice."""
    folder, rng = tmp_path_factory.mktemp("tones"), np.random.default_rng(7)
    with (folder / "tones.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["audio", "pitch", "voice"])
        for voice in VOICES:
            for name, pitch_hz in PITCHES.items():
                for number in range(10):
                    path = f"{voice}_{name}_{number}.wav"
                    soundfile.write(folder / path, tone(pitch_hz, rng), RATE, subtype="PCM_16")
                    rows.writerow([path, name, voice])
    return folder / "tones.csv"


@pytest.fixture(scope="session")
def tones(tone_manifest: Path) -> data.Splits:
    """The recordings, split by voice."""
    return data.load(tone_manifest, columns={"pitch": "label", "voice": "group"}).split(by="voice", seed=0)


@pytest.fixture(scope="session")
def tone_task(tones: data.Splits) -> tasks.Classify:
    """Name the pitch."""
    return tasks.Classify(tones, input="audio", target="pitch", groups=["voice"])


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora; tests that need it are skipped without."""
    folder = os.environ.get("LINNET_DATA")
    if not folder:
        pytest.skip("LINNET_DATA is not set: this test needs real recordings")
    return Path(folder)
