import logging

import numpy as np
import pytest

from linnet import data, tasks
from linnet.data import Audio
from linnet.errors import LinnetError


def sound(samples: int, rate: int = 8000) -> Audio:
    return Audio(np.linspace(-1, 1, samples, dtype=np.float32), rate)


def test_the_schema_gives_labels_rate_and_window(tone_task: tasks.Classify) -> None:
    assert tone_task.labels == ("high", "low", "middle")
    assert tone_task.sample_rate_hz == 8000
    assert tone_task.arrays == {"audio": ("float32", (2400,))}


def test_json_makes_the_same_task_again(tone_task: tasks.Classify) -> None:
    assert tasks.from_json(tone_task.to_json()) == tone_task


@pytest.mark.parametrize("broken", [{}, {"kind": "classify"}, {"kind": "guess"}])
def test_another_json_is_refused(broken: dict[str, str]) -> None:
    with pytest.raises(LinnetError):
        tasks.from_json(broken)


def test_short_sounds_are_padded_and_long_ones_keep_their_middle(tone_task: tasks.Classify) -> None:
    arrays = tone_task.prepare([sound(1000), sound(2400), sound(2401), sound(5000)])["audio"]
    assert arrays.shape == (4, 2400)
    assert np.array_equal(arrays[0, 700:1700], sound(1000).samples)
    assert not arrays[0, :700].any()
    assert not arrays[0, 1700:].any()
    assert np.array_equal(arrays[3], sound(5000).samples[1300:3700])


def test_another_rate_is_resampled(tone_task: tasks.Classify) -> None:
    time = np.arange(13230) / 44100
    heard = tone_task.prepare([Audio(np.sin(2 * np.pi * 1000 * time).astype(np.float32), 44100)])["audio"][0]
    assert np.argmax(np.abs(np.fft.rfft(heard))) == round(1000 * 2400 / 8000)


def test_prepare_and_decode_go_round(tone_task: tasks.Classify, tones: data.Splits) -> None:
    targets = tone_task.targets(tones.test)
    logits = np.eye(3, dtype=np.float32)[targets]
    answers = tone_task.decode({"logits": logits})
    assert answers == [str(value) for value in tones.test.values("pitch")]
    assert tone_task.score(answers, answers).tolist() == [1.0] * len(answers)


def test_a_label_that_train_lacks_is_refused(tones: data.Splits) -> None:
    train = tones.train.where(lambda row: row["pitch"] != "low")
    poor = data.Splits(train=train, validation=tones.validation, test=tones.test)
    with pytest.raises(LinnetError, match="without a sample in the training part: low"):
        tasks.Classify(poor, input="audio", target="pitch")


def test_a_label_that_the_test_part_lacks_is_said(tones: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    test = tones.test.where(lambda row: row["pitch"] != "low")
    poor = data.Splits(train=tones.train, validation=tones.validation, test=test)
    with caplog.at_level(logging.WARNING, "linnet"):
        tasks.Classify(poor, input="audio", target="pitch")
    assert "no sample of low in the test part" in caplog.text


def test_a_missing_column_lists_the_known_ones(tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="did you mean 'pitch'"):
        tasks.Classify(tones, input="audio", target="pich")


def test_a_group_that_the_training_part_lacks_is_no_feature(tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="column 'voice' holds eve, which the training part lacks"):
        tasks.Classify(tones, input="voice", target="pitch")


def test_images_are_resized_and_made_grey() -> None:
    task = tasks.from_json({"kind": "classify", "target": "digit", "groups": [], "labels": ["0", "1"], "choice": "one",
                            "takes": {"kind": "images", "column": "image", "shape": [8, 8, 1]}})
    arrays = task.prepare([np.full((16, 12, 1), 200, np.uint8), np.zeros((8, 8, 1), np.uint8)])["image"]
    assert arrays.shape == (2, 8, 8, 1)
    assert arrays[0].min() == arrays[0].max() == 200
    assert task.prepare([np.full((8, 8, 3), 90, np.uint8)])["image"].tolist() == np.full((1, 8, 8, 1), 90).tolist()
    with pytest.raises(LinnetError, match="takes images"):
        task.prepare([sound(10)])


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": -1.0}, {"sample_rate_hz": 0}, {"sample_rate_hz": -8000},
                                   {"seconds": 1e-5}])
def test_a_window_without_length_is_refused(tones: data.Splits, wrong: dict[str, float]) -> None:
    with pytest.raises(LinnetError, match=next(iter(wrong))):
        tasks.Classify(tones, input="audio", target="pitch", **wrong)  # type: ignore[arg-type]


def test_recordings_longer_than_the_window_are_said(tones: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    tasks.Classify(tones, input="audio", target="pitch")
    assert "longer" not in caplog.text
    tasks.Classify(tones, input="audio", target="pitch", seconds=0.2)
    assert "test: 30 of 30 recordings are longer than the window of 0.2 s: only their middle is heard" in caplog.text
