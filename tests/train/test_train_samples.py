import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet import data, tasks
from linnet.data import Audio
from linnet.errors import DamagedFileError
from linnet.train import samples
from linnet.train.samples import Decoded, Prepared, Undecoded, gather

ROWS = np.array([5, 0, 5, 17])


def test_kept_or_not_the_same_rows_give_the_same_arrays(tone_task: tasks.Classify, tones: data.Splits) -> None:
    kept, whole, anew = (gather(tone_task, tones.train), gather(tone_task, tones.train, as_samples=True),
                         gather(tone_task, tones.train, cache="none"))
    assert [type(one) for one in (kept, whole, anew)] == [Prepared, Decoded, Undecoded]
    expected = tone_task.prepare(tone_task.read(tones.train))["audio"][ROWS]
    for one in (kept, whole, anew):
        assert np.array_equal(one.arrays(ROWS)["audio"], expected)
    assert list(kept.read(ROWS)) == []
    for one in (whole, anew):
        assert np.array_equal(one.read(ROWS)[0].samples, tones.train.media("audio", 5).samples)  # type: ignore[union-attr]


def test_sixteen_bits_are_kept_as_sixteen_bits_and_others_exactly() -> None:
    rng = np.random.default_rng(0)
    short = [Audio((rng.integers(-32768, 32768, size) / 32768).astype(np.float32), 8000) for size in (7, 1, 300)]
    fine = [*short, Audio(rng.uniform(-1, 1, 50).astype(np.float32), 16000)]
    for sounds, width in ((short, 2), (fine, 4)):
        packed: Any = samples._pack(sounds, width == 4)
        assert packed._block.element_size() == width
        assert packed._block.is_shared() == (width == 4)
        assert len(packed) == len(sounds)
        for one, other in zip(sounds, packed, strict=True):
            assert np.array_equal(one.samples, other.samples)
            assert one.sample_rate_hz == other.sample_rate_hz


def test_what_does_not_fit_is_decoded_anew_and_said(
        tone_task: tasks.Classify, tones: data.Splits, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(samples, "_memory_bytes", lambda: 1e5)
    with caplog.at_level(logging.WARNING):
        assert isinstance(gather(tone_task, tones.train), Undecoded)
    assert "decoded train part would take 0.0 GB, more than a quarter of the memory" in caplog.text
    assert isinstance(gather(tone_task, tones.train, cache="memory"), Prepared)


def test_chunks_make_the_same_arrays_and_a_damaged_file_of_any_chunk_is_listed(
        tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        folder = tmp_path / ("low" if number % 2 else "high")
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{number}.wav", np.full(800, number / 20), 8000, subtype="PCM_16")
    dataset = data.load(tmp_path)
    task = tasks.Classify(dataset, input="audio", target="label")
    whole = gather(task, dataset).arrays(np.arange(12))["audio"]
    monkeypatch.setattr(samples, "_CHUNK", 5)
    assert np.array_equal(gather(task, dataset).arrays(np.arange(12))["audio"], whole)
    names = [str(dataset.file("audio", row)) for row in (1, 11)]
    for name in names:
        Path(name).write_bytes(b"no sound")
    with pytest.raises(DamagedFileError, match="2 of 12 samples") as caught:
        gather(task, dataset, cache="memory")
    assert all(name in str(caught.value) for name in names)
