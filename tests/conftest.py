"""Small data that the tests make themselves: tones of three pitches by several voices, sentences, numbers, tunes."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import settings

from linnet import data, tasks
from linnet.data.media import encode

# The same examples each time, as all other draws of the suite; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("suite", derandomize=True, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

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


CITIES = ("berlin", "oslo", "rome", "lima", "cairo", "new york")
DAYS = ("today", "tomorrow", "on monday", "on friday")
DISHES = ("soup", "rice", "fresh bread", "noodles")
FRAMES = {"weather": ("will it rain in {city} {day}", "how warm is {city} {day}", "weather for {city}"),
          "travel": ("book a train to {city} {day}", "how do i get to {city}", "find a flight to {city} {day}"),
          "food": ("order {dish} {day}", "i want {dish}", "where can i eat {dish} in {city}")}


def _sentence(frame: str, rng: np.random.Generator) -> tuple[str, list[dict[str, Any]]]:
    """The frame with its slots filled, and where they lie."""
    text, spans = "", []
    for piece in re.split(r"(\{\w+\})", frame):
        label, words = piece[1:-1], piece
        if piece.startswith("{"):
            words = str(rng.choice({"city": CITIES, "day": DAYS, "dish": DISHES}[label]))
            spans.append({"label": label, "start": len(text), "end": len(text) + len(words)})
        text += words
    return text, spans


@pytest.fixture(scope="session")
def sentences() -> data.Splits:
    """360 short texts: text, intent (3 labels), slots (spans of city, day, dish), topics (labels), asker (group),
    letters (a value).

    A text classifier or tagger learns them in a few epochs.
    """
    rng = np.random.default_rng(3)
    rows: dict[str, list[Any]] = {name: [] for name in ("id", "text", "intent", "slots", "topics", "asker", "letters")}
    for number in range(360):
        intent = sorted(FRAMES)[number % 3]
        text, spans = _sentence(str(rng.choice(FRAMES[intent])), rng)
        values = (f"s{number}", text, intent, spans, sorted({span["label"] for span in spans} - {"day"}),
                  VOICES[number % 5], len(text))
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    table = pa.table(rows, schema=pa.schema([
        ("id", pa.string()), ("text", pa.string()), ("intent", pa.string()),
        ("slots", pa.list_(pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))),
        ("topics", pa.list_(pa.string())), ("asker", pa.string()), ("letters", pa.int64())]))
    return data.Dataset("sentences", table, {
        "text": data.TextColumn(), "intent": data.LabelColumn(tuple(sorted(FRAMES))),
        "slots": data.SpansColumn(("city", "day", "dish"), of="text"), "topics": data.LabelsColumn(("city", "dish")),
        "asker": data.GroupColumn(), "letters": data.ValueColumn()}).split(seed=0)


@pytest.fixture(scope="session")
def numbers() -> data.Splits:
    """A table of 300 rows: length, width (values), colour (label), size (three ordered labels), weight (a value).

    size and weight follow from the other three.
    """
    rng = np.random.default_rng(5)
    length, width = rng.uniform(1, 9, 300), rng.uniform(20, 60, 300)
    colour = rng.choice(["green", "red"], 300)
    weight = 3 * length + 0.2 * width + 4 * (colour == "red") + rng.normal(0, 0.3, 300)
    size = [("small", "middle", "large")[int(value > 22) + int(value > 29)] for value in weight]
    table = pa.table({"id": [f"n{number}" for number in range(300)], "length": length, "width": width,
                      "colour": colour.tolist(), "size": size, "weight": weight})
    return data.Dataset("numbers", table, {
        "length": data.ValueColumn(), "width": data.ValueColumn(), "colour": data.LabelColumn(("green", "red")),
        "size": data.LabelColumn(("small", "middle", "large"), ordered=True), "weight": data.ValueColumn(),
    }).split(seed=0)


@pytest.fixture(scope="session")
def tunes() -> data.Splits:
    """240 recordings of one to four tones: audio, notes (sequence of low, middle, high), spelt (text of l, m, h),
    highest (value, Hz), voice (group); 0.3 to 1.3 s.
    """
    rng = np.random.default_rng(11)
    rows: dict[str, list[Any]] = {name: [] for name in ("id", "audio", "notes", "spelt", "highest", "voice")}
    for number in range(240):
        notes = [str(note) for note in rng.choice(sorted(PITCHES), rng.integers(1, 5))]
        gap = np.zeros(round(0.08 * RATE), np.float32)
        wave = np.concatenate([part for note in notes for part in (tone(PITCHES[note], rng, 0.24), gap)])
        values = (f"t{number}", encode(data.Audio(wave.clip(-1, 1), RATE)), notes, "".join(note[0] for note in notes),
                  max(PITCHES[note] for note in notes), VOICES[number % 5])
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    cells: dict[str, Any] = {**rows, "audio": data.media_cells(rows["audio"])}
    return data.Dataset("tunes", pa.table(cells), {
        "audio": data.AudioColumn(), "notes": data.SequenceColumn(("high", "low", "middle")),
        "spelt": data.TextColumn(), "highest": data.ValueColumn(), "voice": data.GroupColumn()}).split(seed=0)


@pytest.fixture(scope="session")
def recitals() -> data.Splits:
    """150 recordings of tones that were to be played: audio, phones (what was to be), word_lengths, phone_marks (0.0
    where another tone was played, else 2.0; here and there "none"), word_marks, total, voice (group).
    """
    rng = np.random.default_rng(29)
    names = ("id", "audio", "phones", "word_lengths", "phone_marks", "word_marks", "total", "voice")
    rows: dict[str, list[Any]] = {name: [] for name in names}
    for number in range(150):
        lengths = rng.integers(1, 4, rng.integers(1, 4))
        phones = [str(note) for note in rng.choice(sorted(PITCHES), lengths.sum())]
        played = [str(rng.choice(sorted(PITCHES))) if rng.random() < 0.2 else note for note in phones]
        gap = np.zeros(round(0.08 * RATE), np.float32)
        wave = np.concatenate([part for note in played for part in (tone(PITCHES[note], rng, 0.2), gap)])
        right = np.array([one == other for one, other in zip(phones, played, strict=True)], np.float64)
        words = np.add.reduceat(right, np.concatenate([[0], np.cumsum(lengths)[:-1]])) / lengths
        marks = ["none" if number % 7 == 0 and not place else f"{2 * value:.1f}" for place, value in enumerate(right)]
        values = (f"r{number}", encode(data.Audio(wave.clip(-1, 1), RATE)), phones, [str(size) for size in lengths],
                  marks, [f"{round(10 * word)}" for word in words], round(10 * float(right.mean())), VOICES[number % 5])
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    cells: dict[str, Any] = {**rows, "audio": data.media_cells(rows["audio"])}
    return data.Dataset("recitals", pa.table(cells), {
        "audio": data.AudioColumn(), "phones": data.SequenceColumn(("high", "low", "middle")),
        "word_lengths": data.SequenceColumn(("1", "2", "3")),
        "phone_marks": data.SequenceColumn(("0.0", "2.0", "none")),
        "word_marks": data.SequenceColumn(tuple(map(str, range(11)))), "total": data.ValueColumn(),
        "voice": data.GroupColumn()}).split(by="voice", seed=0)


@pytest.fixture(scope="session")
def scenes() -> data.Splits:
    """60 recordings of 0.6 to 1.4 s with up to two tones: audio, tones (spans of it: low, high), voice (group)."""
    rng = np.random.default_rng(23)
    rows: dict[str, list[Any]] = {name: [] for name in ("id", "audio", "tones", "voice")}
    for number in range(60):
        wave, spans = rng.normal(0, 0.01, round(0.04 * RATE)).astype(np.float32), []
        for name in rng.choice(["low", "high"], rng.integers(0, 3)):
            start = len(wave) * 1000 // RATE
            spans.append({"label": str(name), "start": start, "end": start + 320})
            rest = rng.normal(0, 0.01, round(0.2 * RATE)).astype(np.float32)
            wave = np.concatenate([wave, tone(PITCHES[name], rng, 0.32), rest])
        rest = rng.normal(0, 0.01, round(0.56 * RATE)).astype(np.float32)
        values = (f"s{number}", encode(data.Audio(np.concatenate([wave, rest]).clip(-1, 1), RATE)), spans,
                  VOICES[number % 5])
        for name, value in zip(rows, values, strict=True):
            rows[name].append(value)
    cells: dict[str, Any] = {**rows, "audio": data.media_cells(rows["audio"])}
    return data.Dataset("scenes", pa.table(cells), {
        "audio": data.AudioColumn(), "tones": data.SpansColumn(("high", "low"), "audio"), "voice": data.GroupColumn(),
    }).split(seed=0)


@pytest.fixture(scope="session")
def squares() -> data.Splits:
    """120 grey images of 8 x 8 with one half dark: image, side (left, right), darkness (value, 40 to 120)."""
    rng = np.random.default_rng(17)
    sides, darkness = ["left", "right"] * 60, rng.integers(40, 121, 120)
    images = rng.integers(200, 256, (120, 8, 8, 1)).astype(np.uint8)
    for image, side, dark in zip(images, sides, darkness, strict=True):
        image[:, :4] -= np.uint8(dark * (side == "left"))
        image[:, 4:] -= np.uint8(dark * (side == "right"))
    table = pa.table({"id": [f"q{number}" for number in range(120)], "side": sides, "darkness": darkness,
                      "image": data.media_cells([encode(image) for image in images])})
    return data.Dataset("squares", table, {
        "image": data.ImageColumn(), "side": data.LabelColumn(("left", "right")), "darkness": data.ValueColumn(),
    }).split(seed=0)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real corpora; tests that need it are skipped without."""
    folder = os.environ.get("LINNET_DATA")
    if not folder:
        pytest.skip("LINNET_DATA is not set: this test needs real recordings")
    return Path(folder)
