import numpy as np
import pytest

from linnet import data, tasks
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
