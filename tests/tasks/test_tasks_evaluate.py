import numpy as np
import pyarrow as pa
import pytest

from linnet import data, tasks
from linnet.data.media import encode
from linnet.errors import LinnetError
from linnet.tasks import Arrays


class Listener:
    """A real predictor without weights: the strongest frequency says the pitch."""

    identity, name = "listener", "listener"

    def __call__(self, arrays: Arrays) -> Arrays:
        spectrum = np.abs(np.fft.rfft(arrays["audio"]))
        peak = np.argmax(spectrum, axis=1) * 8000 / arrays["audio"].shape[1]
        return {"logits": np.stack([-abs(peak - centre) for centre in (1900, 300, 800)], axis=1).astype(np.float32)}


def test_one_row_a_sample_in_the_datasets_order(tone_task: tasks.Classify, tones: data.Splits) -> None:
    scores = tasks.evaluate(Listener(), tone_task, tones.test, batch=7)
    assert list(scores.ids) == tones.test.ids
    assert scores.mean > 0.95
    assert scores.subject == "listener"
    assert set(scores.groups) == {"voice"}
    assert scores.data.fingerprint == tones.test.fingerprint
    voices = sorted(set(map(str, tones.test.values("voice"))))
    assert scores.data.population == f"recordings of the held-out voice {voices[0]}"


def test_a_permuted_dataset_gives_the_same_scores(tone_task: tasks.Classify, tones: data.Splits) -> None:
    order = np.random.default_rng(0).permutation(len(tones.test)).tolist()
    one = tasks.evaluate(Listener(), tone_task, tones.test)
    other = tasks.evaluate(Listener(), tone_task, tones.test.take(order))
    assert dict(zip(one.ids, one.score, strict=True)) == dict(zip(other.ids, other.score, strict=True))
    assert one.data.fingerprint == other.data.fingerprint


def test_a_model_that_answers_nan_is_refused(tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="not finite"):
        tasks.evaluate(lambda arrays: {"logits": np.full((len(arrays["audio"]), 3), np.nan)}, tone_task, tones.test)


def test_a_model_that_answers_too_few_rows_is_refused(tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match="answered 1 rows"):
        tasks.evaluate(lambda arrays: {"logits": np.zeros((1, 3))}, tone_task, tones.test)


@pytest.mark.parametrize("said", [None, [[0.0, 0.0, 0.0]], {"logits": [[0.0, 0.0, 0.0]]}])
def test_what_is_no_array_is_refused(said: object, tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match=r"answers with named arrays, here \{'logits'"):
        tasks.evaluate(lambda arrays: said, tone_task, tones.test, batch=1)  # type: ignore[arg-type, return-value]
    with pytest.raises(LinnetError, match="at least 1; got 0"):
        tasks.evaluate(Listener(), tone_task, tones.test, batch=0)


def test_one_answer_with_probabilities(tone_task: tasks.Classify, tones: data.Splits) -> None:
    heard = tasks.answer(Listener(), tone_task, tones.test.media("audio", 0))
    assert heard.label == str(tones.test.values("pitch")[0])
    assert sum(heard.probabilities.values()) == pytest.approx(1)
    assert heard.probability == max(heard.probabilities.values())


def test_the_population_is_no_larger_than_what_was_asked(tone_task: tasks.Classify, tones: data.Splits) -> None:
    def population(dataset: data.Dataset) -> str:
        return tasks.evaluate(Listener(), tone_task, dataset).data.population

    whole = population(tones.test)
    assert population(tones.test.where(pitch="low")) == f"{whole} (only pitch low)"
    assert population(tones.test.where(pitch=["low", "high"])) == f"{whole} (only pitch high or low)"
    assert population(tones.test.take(range(5))) == f"{whole} (a selection of 5)"
    assert population(tones.test.where(lambda row: row["pitch"] != "low")) == f"{whole} (a selection of 20)"
    assert population(tones.test.where(voice=tones.test.values("voice")[0])) == whole


def test_what_is_odd_is_said_once_and_not_a_batch(caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    sounds = [np.zeros(2400, np.float32) if n % 4 == 0 else rng.uniform(-1, 1, 3000).astype(np.float32)
              for n in range(20)]
    clips = data.Dataset("clips", pa.table({
        "id": [f"c{n:02}" for n in range(20)], "pitch": ["low", "high"] * 10,
        "audio": data.media_cells([encode(data.Audio(sound, 8000)) for sound in sounds])}),
        {"audio": data.AudioColumn(), "pitch": data.LabelColumn(("high", "low"))})
    task = tasks.Classify(clips, input="audio", target="pitch", seconds=0.3)
    caplog.clear()
    tasks.evaluate(lambda arrays: {"logits": np.zeros((len(arrays["audio"]), 2))}, task, clips, batch=3)
    assert [record.getMessage() for record in caplog.records] == [
        "5 of 20 recordings of 'clips' are silent (every sample is zero); they are kept: c00, c04, c08, c12, c16",
        "15 of 20 recordings are longer than the window of 0.3 s: only their middle is heard"]


@pytest.mark.parametrize(("outputs", "message"), [
    ({"probabilities": np.zeros((30, 3))}, "answers with 'probabilities'; this task reads 'logits'"),
    ({}, "answers with nothing"),
    ({"logits": np.zeros((30, 4))}, r"has the shape \(4,\) a sample; this task reads \(3,\)"),
    ({"logits": np.zeros((30, 2, 3))}, r"has the shape \(2, 3\)"),
])
def test_a_model_of_another_task_is_refused(tone_task: tasks.Classify, tones: data.Splits, outputs: Arrays,
                                            message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        tasks.evaluate(lambda arrays: outputs, tone_task, tones.test)
