"""Recognize: grammars, lexicons, refusing what does not belong, confidence, times."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from linnet import data, tasks
from linnet.data import Audio
from linnet.errors import LinnetError
from linnet.language.lexicon import Lexicon
from linnet.tasks import Recognize

TUNES = ["".join(notes) for length in (1, 2, 3, 4) for notes in itertools.product("hlm", repeat=length)]
NOTES = {"h": "high", "l": "low", "m": "middle"}
PLAYED = Lexicon({tune: (tuple(NOTES[letter] for letter in tune),) for tune in TUNES})
HELD = ["h", "lm", "mlh", "hhll"]


@pytest.fixture
def task(tunes: data.Splits) -> Recognize:
    return Recognize(tunes, input="audio", target="spelt", tokens="notes", lexicon=PLAYED, grammar=HELD)


def played(tune: str, labels: tuple[str, ...], noise: float = 0.0, seed: int = 0, frames: int = 14) -> np.ndarray:
    """(1, frames, labels) logits of a network that hears this tune, four frames of silence first."""
    says = [0] * 4 + [label for letter in tune for label in (1 + labels.index(NOTES[letter]), 0)]
    says += [0] * (frames - len(says))
    logits = 6 * np.eye(1 + len(labels))[says]
    logits += np.random.default_rng(seed).normal(size=logits.shape) * noise
    return logits[None].astype(np.float32)


def corpus(rows: list[str]) -> data.Dataset:
    sound = data.media.encode(Audio(np.zeros(800, np.float32), 8000))
    return data.Dataset("played", pa.table({
        "id": [f"r{number}" for number in range(len(rows))], "audio": data.media_cells([sound] * len(rows)),
        "spelt": rows, "notes": [[NOTES[letter] for letter in row] for row in rows]}), {
            "audio": data.AudioColumn(), "spelt": data.TextColumn(),
            "notes": data.SequenceColumn(("high", "low", "middle"))})


def test_it_answers_with_the_text_of_the_grammar_that_fits_best(task: Recognize) -> None:
    for tune in HELD:
        assert task.decode({"logits": played(tune, task.labels, noise=1.0)}) == [tune]
    assert task.decode({"logits": played("hh", task.labels)})[0] in HELD, "before a threshold is chosen all is accepted"


def test_what_the_grammar_does_not_hold_is_expected_to_be_refused(task: Recognize) -> None:
    rows = corpus(["lm", "ml", "h"])
    assert task.expected(rows) == ["lm", "", "h"]
    assert task.score(["lm", "", ""], task.expected(rows)).tolist() == [1, 1, 0]
    assert task.metrics(["lm", "h", ""], ["lm", "", "h"]) == {
        "word_error_rate": 0.5, "false_reject_error_rate": 0.5, "false_accept_error_rate": 1.0}


def test_case_of_the_data_does_not_matter_to_the_grammar(tunes: data.Splits) -> None:
    task = Recognize(tunes, input="audio", target="spelt", tokens="notes", grammar="LM | h",
                     lexicon=Lexicon({tune.upper(): ways for tune, ways in PLAYED.entries.items()}))
    assert task.expected(corpus(["lm", "h", "m"])) == ["LM", "h", ""]
    assert task.decode({"logits": played("lm", task.labels)}) == ["LM"]


OTHERS = [tune for tune in TUNES if tune not in HELD]


def operated(task: Recognize, false_rejects: float = 0.1, inside: int = 80, seed: int = 1) -> Recognize:
    rng = np.random.default_rng(seed)
    rows = [str(tune) for tune in (*rng.choice(HELD, inside), *rng.choice(OTHERS, 80))]
    outputs = [{"logits": played(row, task.labels, noise=2.2, seed=1000 * seed + number)}
               for number, row in enumerate(rows)]
    return task.chosen(outputs, corpus(rows), false_rejects=false_rejects)


def test_the_threshold_keeps_the_share_of_false_rejects_on_new_recordings(task: Recognize) -> None:
    chosen = operated(task, false_rejects=0.1)
    again = [chosen.decode({"logits": played(HELD[number % 4], task.labels, noise=2.2, seed=7_000_000 + number)})[0]
             for number in range(200)]
    refused = np.mean([answer == "" for answer in again])
    assert 0.02 < refused < 0.2, refused
    accepted = [chosen.decode({"logits": played(tune, task.labels, noise=2.2, seed=8_000_000 + number)})[0] != ""
                for number, tune in enumerate(OTHERS * 2)]
    assert np.mean(accepted) < 0.5


@pytest.mark.parametrize("inside", [80, 5])
def test_silence_is_refused_at_the_operating_point(task: Recognize, inside: int) -> None:
    chosen = operated(task, inside=inside)
    silence = {"logits": 6 * np.eye(4, dtype=np.float32)[np.zeros((1, 20), int)]}
    assert chosen.decode(silence) == [""]
    assert chosen.hypotheses(silence) == [[]]
    assert chosen.decode({"logits": silence["logits"][:, :1]}) == [""], "shorter than any text"


def test_what_is_no_likelier_than_silence_is_refused_without_an_operating_point(task: Recognize) -> None:
    unsure = np.tile(np.float32([1.0, 0.5, 0.0, 0.4]), (1, 20, 1))
    assert task.decode({"logits": unsure}) == [""]
    assert task.decode({"logits": unsure - np.float32([3.0, 0, 0, 0])}) != [""]


def test_confidence_is_known_only_once_it_was_learnt(task: Recognize) -> None:
    heard = {"logits": played("mlh", task.labels, noise=1.0)}
    assert task.hypotheses(heard)[0][0].confidence is None
    readings = operated(task).hypotheses(heard)[0]
    assert readings[0].confidence is not None
    assert readings[0].confidence > 0.8
    assert all(reading.confidence < 0.2 for reading in readings[1:] if reading.confidence is not None)
    assert [reading.acoustic for reading in readings] == sorted(
        (reading.acoustic for reading in readings), reverse=True)  # type: ignore[type-var]


def test_words_have_times_in_seconds(tunes: data.Splits) -> None:
    task = Recognize(tunes, input="audio", target="spelt", tokens="notes", lexicon=PLAYED, grammar="h lm")
    sound = Audio(np.zeros(8000, np.float32), 8000)
    hear = task.recognizer(lambda arrays: {"logits": played("hlm", task.labels, frames=25)})
    (reading,) = hear(sound)
    assert [(word.text, round(word.start_s, 2), round(word.end_s, 2)) for word in reading.words] \
        == [("h", 0.16, 0.2), ("lm", 0.24, 0.36)]


def test_another_grammar_and_names_are_given_at_run_time(task: Recognize) -> None:
    other = task.speaking("{tune} = h | hl\n{tune}")
    assert other.decode({"logits": played("hl", task.labels)}) == ["hl"]
    named = other.having(tune=["mmm"])
    assert named.decode({"logits": played("mmm", task.labels)}) == ["mmm"]
    assert named.operating == task.operating


def test_the_operating_point_travels(task: Recognize) -> None:
    chosen = operated(task)
    again = tasks.from_json(json.loads(json.dumps(chosen.to_json())))
    assert again == chosen
    assert chosen != task
    assert chosen.at(threshold=0.25).operating["threshold"] == 0.25
    with pytest.raises(LinnetError, match="did you mean 'threshold'"):
        chosen.at(treshold=0.1)
    with pytest.raises(LinnetError, match="between 0 and 1"):
        chosen.at(threshold=2)


def test_what_cannot_be_recognized_is_refused(tunes: data.Splits) -> None:
    def made(**keywords: object) -> Recognize:
        return Recognize(tunes, input="audio", **{"target": "spelt", "grammar": HELD} | keywords)  # type: ignore[arg-type]

    with pytest.raises(LinnetError, match="a lexicon must say how words are said"):
        made(tokens="notes")
    with pytest.raises(LinnetError, match="need no lexicon"):
        made(lexicon=PLAYED)
    with pytest.raises(LinnetError, match="answers with texts"):
        made(target="notes")
    with pytest.raises(LinnetError, match="line 1, column 1"):
        made(grammar="(h | l")
    with pytest.raises(LinnetError, match="there is no grammar"):
        made(grammar="nowhere.grammar")
    with pytest.raises(LinnetError, match="does not answer with"):
        made(tokens="notes", lexicon=Lexicon({**PLAYED.entries, "h": (("other",),)}))


def test_a_network_that_recognizes_nothing_gives_every_answer_and_says_so(
        task: Recognize, caplog: pytest.LogCaptureFixture) -> None:
    rows, too_short_for_four = ["hhll"] * 30 + ["ll"] * 25, played("lm", task.labels)[:, :5]
    chosen = task.chosen([{"logits": too_short_for_four}] * len(rows), corpus(rows))
    assert "none of 30 recordings" in caplog.text
    assert chosen == task


def test_the_point_needs_recordings_outside(task: Recognize) -> None:
    with pytest.raises(LinnetError, match="that the grammar does not hold"):
        task.chosen([{"logits": played("h", task.labels)}] * 3, corpus(["h"] * 3))


def test_a_telephone_line_is_heard_at_its_own_rate(tunes: data.Splits, tmp_path: Path) -> None:
    task = Recognize(tunes, input="audio", target="spelt", grammar=HELD, sample_rate_hz=8000)
    sound = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000) / 2
    soundfile.write(tmp_path / "line.wav", sound, 8000, subtype="ULAW")
    heard = task.prepare([data.read_audio(tmp_path / "line.wav")])
    assert heard["lengths"].tolist() == [8000]
    assert np.abs(heard["audio"][0] - sound).max() < 0.02


def test_a_word_that_no_lexicon_holds_is_guessed_and_said(tunes: data.Splits, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("phonemizer")
    task = Recognize(tunes, input="audio", target="spelt", tokens="notes", lexicon=PLAYED, grammar=HELD)
    with pytest.raises(LinnetError, match="'hen' is said with 'EH', 'HH', 'N', which the network"):
        task.speaking("hen").graph  # noqa: B018
    assert "hen as HH EH N" in caplog.text


def test_ten_minutes_and_a_fifth_of_a_second_are_answered(task: Recognize) -> None:
    chosen = operated(task)
    long = np.concatenate([played("mlh", task.labels), 6 * np.eye(4, dtype=np.float32)[np.zeros((1, 15_000), int)]], 1)
    assert chosen.decode({"logits": long}) == ["mlh"], "silence around what was said changes nothing"
    babble = np.random.default_rng(0).normal(size=(1, 15_000, 4)).astype(np.float32) * 4
    assert chosen.decode({"logits": babble}) == [""]
    assert chosen.decode({"logits": long[:, -5:]}) == [""]
