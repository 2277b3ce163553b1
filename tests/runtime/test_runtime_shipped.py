import logging
from pathlib import Path

import numpy as np
import pytest
from onnx_files import digits_bytes, tones_bytes, tones_card, with_external_weights

from linnet import data, evidence, runtime, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.runtime.artifact import read, with_metadata, write
from linnet.runtime.claims import with_claims


def test_a_shipped_file_is_a_predictor_with_its_task(tones_file: Path, tones: data.Splits) -> None:
    shipped = runtime.load(tones_file)
    scores = tasks.evaluate(shipped, shipped.task, tones.test)
    assert scores.mean == 1.0
    assert (scores.subject, scores.subject_name) == (read(tones_file).identity, "tones")
    assert (shipped.name, shipped.path, shipped.claims) == ("tones", tones_file, ())


def test_one_answer(tones_file: Path, tones: data.Splits) -> None:
    shipped = runtime.load(tones_file)
    answer = tasks.answer(shipped, shipped.task, tones.test.media("audio", 0))
    assert answer.label == tones.test.values("pitch")[0]


def test_files_that_linnet_did_not_write_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    path.write_bytes(digits_bytes())
    with pytest.raises(LinnetError, match="not written by Linnet"):
        runtime.load(path)


@pytest.mark.parametrize(("card", "said"), [
    ("", "cannot be read"),
    ("[]", "cannot be read"),
    ('{"schema": "linnet/card/v2"}', "schema"),
    ('{"schema": "linnet/card/v1", "nmae": "a"}', "cannot be read"),
    ("[" * 100_000, "cannot be read"),
    ('{"parameters": 1e999}', "cannot be read"),
])
def test_a_broken_card_is_damage(tmp_path: Path, card: str, said: str) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(with_metadata(digits_bytes(), {"linnet.card": card}))
    with pytest.raises(DamagedFileError, match=said):
        runtime.load(path)


def test_a_giant_card_is_not_even_parsed(tmp_path: Path) -> None:
    path = tmp_path / "giant.onnx"
    path.write_bytes(with_metadata(digits_bytes(), {"linnet.card": " " * (64 * 1024 * 1024 + 1)}))
    with pytest.raises(DamagedFileError, match="at most"):
        runtime.load(path)


def test_a_card_of_another_graph_is_refused(tmp_path: Path, tone_task: tasks.Classify) -> None:
    path = tmp_path / "mixed.onnx"
    path.write_bytes(with_metadata(digits_bytes(), {"linnet.card": tones_card(tone_task, 1).to_json()}))
    with pytest.raises(DamagedFileError, match=r"does not fit its graph.*audio.*image"):
        runtime.load(path)


def test_weights_outside_of_the_file_are_refused(tmp_path: Path, tone_task: tasks.Classify) -> None:
    path = with_external_weights(tmp_path)
    path.write_bytes(with_metadata(path.read_bytes(), {"linnet.card": tones_card(tone_task, 1).to_json()}))
    with pytest.raises(LinnetError, match=r"weights in other files \(weights.bin\)"):
        runtime.load(path)


def test_a_file_that_was_changed_after_its_claims_is_damaged(tones_file: Path, tones_scores: evidence.Scores) -> None:
    write(tones_file, with_claims(read(tones_file), [evidence.accuracy_at_least(tones_scores, bound=0.5)]))
    content = bytearray(tones_file.read_bytes())
    place = content.index(np.float32(1 / runtime.load(tones_file).task.samples).tobytes())
    content[place] ^= 1
    tones_file.write_bytes(content)
    with pytest.raises(DamagedFileError, match="changed after its claims were made"):
        runtime.load(tones_file)


def test_an_edited_claim_is_said_on_loading(tones_file: Path, tones_scores: evidence.Scores,
                                            caplog: pytest.LogCaptureFixture) -> None:
    write(tones_file, with_claims(read(tones_file), [evidence.accuracy_at_least(tones_scores, bound=0.5)]))
    text = read(tones_file).metadata["linnet.claims"]
    edited = text.replace('"bound":0.5', '"bound":0.9')
    tones_file.write_bytes(with_metadata(tones_file.read_bytes(), {"linnet.claims": edited}))
    with caplog.at_level(logging.WARNING, logger="linnet"):
        assert len(runtime.load(tones_file).claims) == 1
    assert "claim 1 in tones.onnx was changed" in caplog.text


def test_the_file_is_the_same_whatever_the_task_object(tone_task: tasks.Classify) -> None:
    assert tones_bytes(tone_task) == tones_bytes(tasks.from_json(tone_task.to_json()))
