"""One recording, image or text in numbers: each planted fault is seen, and sound samples have none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image

from linnet import data
from linnet.data.media import resample
from linnet.errors import LinnetError
from linnet.introspect import health
from linnet.introspect.health.images import measure_image
from linnet.introspect.health.issues import issues
from linnet.introspect.health.sounds import measure_sound
from linnet.introspect.health.texts import measure_text, script

RATE = 16000


def speech_like(seed: int = 0, seconds: float = 1.0) -> np.ndarray:
    """Noise of all frequencies under an envelope that begins and ends in near silence; 16 bits."""
    rng, count = np.random.default_rng(seed), round(seconds * RATE)
    wave = rng.normal(0, 0.05, count) * np.hanning(count) + rng.normal(0, 2e-4, count)
    return (np.round(wave * 32767) / 32768).astype(np.float32)


def clipped(wave: np.ndarray) -> np.ndarray:
    loud = np.clip(20 * np.convolve(wave, np.hanning(9) / 4, mode="same"), -1, 1)
    return (np.round(0.5 * loud * 32767) / 32768).astype(np.float32)


def upsampled(wave: np.ndarray) -> np.ndarray:
    low = resample(data.Audio(wave, RATE), RATE // 2)
    return (np.round(resample(low, RATE).samples * 32767) / 32768).astype(np.float32)


def with_gap(wave: np.ndarray) -> np.ndarray:
    return np.concatenate([wave[:8000], np.zeros(800, np.float32), wave[8800:]])


FAULTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "clipped": clipped, "silent": lambda wave: wave * 0, "gap": with_gap, "narrow": upsampled,
    "offset": lambda wave: (wave + np.float32(0.02)).astype(np.float32), "cut beginning": lambda wave: wave[6000:],
    "cut end": lambda wave: wave[:10000]}


def dataset_of(waves: list[np.ndarray], **columns: list[str]) -> data.Dataset:
    cells = []
    for wave in waves:
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, RATE, format="WAV", subtype="PCM_16")
        cells.append(buffer.getvalue())
    table = pa.table({"id": [f"s{at}" for at in range(len(waves))], "audio": data.media_cells(cells),
                      **columns})
    kinds = {name: data.GroupColumn() for name in columns}
    return data.Dataset("made", table, {"audio": data.AudioColumn(), **kinds})


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_in_its_recording_and_in_no_other(fault: str) -> None:
    waves = [speech_like(seed) for seed in range(8)]
    waves[5] = FAULTS[fault](waves[5])
    found = {issue.name: np.flatnonzero(issue.rows).tolist() for issue in issues(health.measure(dataset_of(waves)))
             if not issue.name.startswith("far")}
    assert found == {fault: [5]}


def test_a_smooth_crest_is_not_clipped() -> None:
    for pitch in (20, 50, 440, 3000):
        wave = (0.9 * np.sin(2 * np.pi * pitch * np.arange(RATE) / RATE)).astype(np.float32)
        assert measure_sound(data.Audio((np.round(wave * 32767) / 32768).astype(np.float32), RATE))["flat_tops"] == 0


def test_few_bits_are_not_clipping() -> None:
    coarse = (np.round(np.convolve(speech_like(), np.hanning(99) / 8, mode="same") * 127) / 128).astype(np.float32)
    assert measure_sound(data.Audio(coarse, RATE))["flat_tops"] <= 1


def test_loudness_is_the_root_mean_square_in_decibels_of_full_scale() -> None:
    square = np.tile(np.array([0.5, -0.5], np.float32), 500)
    assert measure_sound(data.Audio(square, RATE))["loudness"] == pytest.approx(-6.02, abs=0.01)


def test_where_the_spectrum_ends() -> None:
    found = measure_sound(data.Audio(upsampled(speech_like()), RATE))
    assert found["bandwidth"] == pytest.approx(0.5, abs=0.03)
    assert measure_sound(data.Audio(speech_like(), RATE))["bandwidth"] == 1.0


def test_a_spectrum_that_falls_gently_has_no_end() -> None:
    """By 80 dB, ever faster, and nowhere by a step."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.1, 2 * RATE))
    wave = np.fft.irfft(spectrum * 10 ** (-4 * np.linspace(0, 1, len(spectrum)) ** 2))
    assert measure_sound(data.Audio(wave.astype(np.float32), RATE))["bandwidth"] == 1.0


@pytest.mark.parametrize("samples", [1, 2, 7, 160, 500])
def test_the_shortest_recordings_have_numbers_too(samples: int) -> None:
    for wave in (np.zeros(samples, np.float32), np.full(samples, 0.5, np.float32), speech_like()[:samples]):
        found = measure_sound(data.Audio(wave, RATE))
        assert all(np.isfinite(value) for value in found.values())
        assert found["bandwidth"] == 1.0 or samples >= 160


def test_images_blank_grey_dark_and_blurred() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(image).resize((8, 8)).resize((32, 32), Image.Resampling.BICUBIC))
    assert measure_image(np.full((5, 5, 3), 7, np.uint8))["contrast"] == 0
    assert measure_image(np.repeat(image[..., :1], 3, axis=2))["colour"] == 0 < measure_image(image)["colour"]
    assert measure_image(image // 100)["dark"] > 0.9
    assert measure_image(smooth)["sharpness"] < 0.4 * measure_image(image)["sharpness"]
    assert measure_image(image[:1, :1])["sharpness"] == 0
    brighter = measure_image(np.asarray(image // 2 + 60, np.uint8))
    assert brighter["sharpness"] == pytest.approx(measure_image(image)["sharpness"], rel=0.02)


def test_images_that_are_odd_are_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for at in range(12):
        pixels = rng.integers(40, 200, (16, 16, 3), dtype=np.uint8)
        if at == 3:
            pixels[:] = 90
        if at == 7:
            pixels = np.repeat(pixels[..., :1], 3, axis=2)
        (tmp_path / "a").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "a" / f"{at:02}.{'jpg' if at == 9 else 'png'}", quality=100)
    found = {one.name: [at for at, is_so in enumerate(one.rows) if is_so]
             for one in issues(health.measure(data.load(str(tmp_path)))) if not one.name.startswith("far")}
    assert found == {"blank": [3], "grey": [7], "other form": [9]}


def test_texts_and_their_scripts() -> None:
    assert measure_text("zero\u200bwidth")["odd"] == 1
    assert measure_text("a\tb\n")["odd"] == 0
    assert measure_text("lost \ufffd")["odd"] > 0
    assert measure_text("naïve façade, Ärger, 日本語, می\u200cخواهم")["odd"] == 0
    assert measure_text("12 + 3")["letters"] == 0
    assert (script("日本"), script("ひらがな"), script("!")) == ("Cjk", "Hiragana", "none")


def test_broken_files_are_named_and_have_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for at in range(3):
        soundfile.write(tmp_path / "a" / f"{at}.wav", speech_like(at), RATE)
    (tmp_path / "a" / "1.wav").write_bytes(b"nothing")
    seen: list[tuple[int, int, str]] = []
    found = health.measure(data.load(str(tmp_path)), progress=lambda *one: seen.append(one))
    assert [one.sample for one in found.broken] == ["a/1"]
    assert np.isnan(found.numbers["audio.seconds"]).tolist() == [False, True, False]
    assert seen == [(3, 3, "measuring 'audio'")]
    assert issues(found)[0].name == "broken"


def test_one_sample_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop in the middle comes through at once: nothing was read ahead."""
    dataset, read = dataset_of([speech_like(seed) for seed in range(6)]), []
    whole = health.measures.read_audio

    def stopping(file: bytes) -> data.Audio:
        if len(read) == 3:
            raise KeyboardInterrupt
        read.append(1)
        return whole(file)

    monkeypatch.setattr(health.measures, "read_audio", stopping)
    with pytest.raises(KeyboardInterrupt):
        health.measure(dataset)
    assert len(read) == 3


@pytest.mark.parametrize(("given", "words"), [
    (np.zeros((0, 3)), "at least one of each"), (np.zeros((2, 2, 2)), "at least one of each"),
    ([[1.0, np.nan]], "NaN"), (["a"], "expected a Dataset")])
def test_what_is_no_table_of_numbers_is_refused(given: object, words: str) -> None:
    with pytest.raises(LinnetError, match=words):
        health.profile(given)
