"""Row tests: every kind of task, what changed since the last run, and what cannot be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from onnx_files import table_bytes, tones_bytes

from linnet import data, runtime, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.language.lexicon import Lexicon
from linnet.runtime import outcomes, regressions
from linnet.runtime.cases import read_cases
from linnet.runtime.outcomes import Outcome, ask_cases, by_group


def asked(path: Path, shipped: runtime.Shipped) -> list[Outcome]:
    return ask_cases(shipped, shipped.task, read_cases(path, shipped.task))


def written(folder: Path, text: str, name: str = "cases.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def by_word(task: Any, **words: list[float]) -> np.ndarray:
    table = np.zeros((task.tokenizer.size, task.output[1][-1]))
    for word, row in words.items():
        table[task.tokenizer.tokens.index(word)] = row
    return table


def shipped_as(folder: Path, content: bytes) -> runtime.Shipped:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return runtime.load(path)


@pytest.fixture
def intents(tmp_path: Path, sentences: data.Splits) -> runtime.Shipped:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word")
    return shipped_as(tmp_path, table_bytes(task, by_word(task, soup=[3, 0, 0], warm=[0, 0, 2], train=[0, 3, 0])))


def test_texts_with_groups(tmp_path: Path, intents: runtime.Shipped) -> None:
    table = written(tmp_path, "text,expected,group\norder soup,food,eat\nhow warm,weather,ask\na train,food,eat\n"
                              "warm soup,drink,eat\n")
    found = asked(table, intents)
    assert [one.passed for one in found] == [True, True, False, False]
    assert [one.answer for one in found] == ["food", "weather", "travel", "food"]
    assert by_group(found) == {"ask": (1, 1), "eat": (1, 3)}
    assert found[2].message == "a train: expected 'food', answered 'travel'"
    assert found[3].message == "warm soup: expected 'drink', answered 'food' (the file knows no label 'drink')"


def test_the_columns_may_have_the_names_of_the_data(tmp_path: Path, intents: runtime.Shipped) -> None:
    table = written(tmp_path, '{"id": "a", "sample": "order soup", "intent": "food"}\n'
                              '{"id": "b", "sample": "order soup", "intent": "food"}\n', "cases.jsonl")
    (first, second) = asked(table, intents)
    assert (first.id, first.sample, first.passed, second.id) == ("a", "order soup", True, "b")
    assert by_group([first, second]) == {}
    table = written(tmp_path, "text,expected\nsoup,food\nsoup,travel\n")
    assert [one.id for one in asked(table, intents)] == ["soup", "soup #2"]


def test_recordings_are_asked_one_by_one(tmp_path: Path, tone_task: tasks.Classify) -> None:
    time = np.arange(2400) / 8000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 800 * time), 8000)
    soundfile.write(tmp_path / "b.wav", 0.5 * np.sin(2 * np.pi * 300 * time), 8000)
    (tmp_path / "c.wav").write_bytes(b"no sound at all")
    table = written(tmp_path, "audio,expected\na.wav,middle\ngone.wav,low\nc.wav,low\nb.wav,low\n")
    found = asked(table, shipped_as(tmp_path, tones_bytes(tone_task)))
    assert [one.passed for one in found] == [True, False, False, True]
    assert found[1].answer is None
    assert "gone.wav" in found[1].message
    assert "cannot be read as a recording" in found[2].message


def test_rows_of_a_table(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length", "colour"], target="weight", tolerance=1)
    shipped = shipped_as(tmp_path, table_bytes(task, np.array([[1.0], [0], [0]])))
    mean = task.takes.fields[0].mean  # type: ignore[attr-defined]
    table = written(tmp_path, f"length,colour,expected\n{mean},red,{task.mean}\n{mean},green,{task.mean + 3}\n"
                              f"{mean},red,heavy\n{mean},blue,3\n")
    found = asked(table, shipped)
    assert [one.passed for one in found] == [True, False, False, False]
    assert "'heavy' is nothing that this task can answer" in found[2].message
    assert "does not know 'blue'" in found[3].message
    assert json.loads(found[0].sample)["colour"] == "red"


def test_lists_of_labels_in_any_order(tmp_path: Path, sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="topics", tokenizer="word")
    shipped = shipped_as(tmp_path, table_bytes(task, by_word(task, rome=[3, -1], soup=[-1, 3], order=[-2, 0])))
    table = written(tmp_path, 'text,expected\nsoup in rome,"dish, city"\nrome soup,"[""city"", ""dish""]"\norder,\n'
                              "soup rome,city\n")
    assert [one.passed for one in asked(table, shipped)] == [True, True, True, False]


def test_spans_of_texts(tmp_path: Path, sentences: data.Splits) -> None:
    task = tasks.Tag(sentences, input="text", target="slots", tokenizer="word")
    tag = np.eye(len(task.tags)) * 3
    shipped = shipped_as(tmp_path, table_bytes(task, by_word(task, new=tag[1], york=tag[2], tomorrow=tag[3])))
    spans = json.dumps([["city", 3, 11], ["day", 12, 20]]).replace('"', '""').replace(", ", ",")
    table = written(tmp_path, f'text,expected\nto new york tomorrow,"{spans}"\nto new york,"[]"\n')
    assert [one.passed for one in asked(table, shipped)] == [True, False]


def judged(task: Any, answer: str, expected: str) -> bool:
    return outcomes._judged(task, Outcome("a", "a", "", expected, answer, False), 1.0).passed


def test_sequences_with_spaces_keep_their_order(tunes: data.Splits) -> None:
    task = tasks.Transcribe(tunes, input="audio", target="notes")
    assert judged(task, '["low", "high"]', "low high")
    assert not judged(task, '["low", "high"]', "high low")
    assert judged(task, "[]", "")
    text = tasks.Transcribe(tunes, input="audio", target="spelt")
    assert judged(text, "lmh", " lmh")
    assert not judged(text, "lmh", "lm h")


def test_of_an_object_only_what_is_given_is_asked(sentences: data.Splits) -> None:
    task = tasks.TASKS["understand"](sentences, input="text", target="intent", slots="slots")
    answer = json.dumps({"intent": "food", "slots": [["dish", 0, 4]]})
    assert judged(task, answer, "food")
    assert not judged(task, answer, "travel")
    assert judged(task, answer, '{"slots": [["dish", 0, 4]]}')
    assert not judged(task, answer, '{"intent": "food", "slots": []}')
    with pytest.raises(LinnetError, match="is nothing that this task can answer"):
        judged(tasks.TASKS["regress"](sentences, input="text", target="letters", tolerance=1), "3", "many")


def noted(task: Any, answer: str, expected: str) -> str:
    return outcomes._judged(task, Outcome("a", "a", "", expected, answer, False), 1.0).note


@pytest.mark.parametrize(("expected", "said"), [
    ("low", '"low" is no'), ('[["low", 0]]', r'\["low", 0\] is no'), ('[["low", 9, 3]]', "9, 3"),
    ('[[0, 9, "low"]]', "is no"), ('{"a": 1}', "is no"), ('[["low", 0, 9', "is no"),
    ('[["bell", 0, 9]]', "the file knows no label 'bell'"), ('[["low", 0, 9]]', "^$")])
def test_events_that_no_file_can_answer_are_said(scenes: data.Splits, expected: str, said: str) -> None:
    task = tasks.Detect(scenes, input="audio", target="tones")
    assert re.search(said, noted(task, "[]", expected))
    assert not judged(task, "[]", expected)


@pytest.mark.parametrize(("expected", "said"), [
    ("fod", "knows no label 'fod'"), ("{", "knows no label '{'"), ('{"intnt": "food"}', "no field 'intnt'"),
    ('{"slots": [["plate", 0, 4]]}', "knows no label 'plate'"), ('{"slots": "none"}', '"none" is no'), ("[]", "is no"),
    ('{"slots": [["city", 0, 4]]}', "^$"), ("travel", "^$")])
def test_meanings_that_no_file_can_answer_are_said(sentences: data.Splits, expected: str, said: str) -> None:
    task = tasks.TASKS["understand"](sentences, input="text", target="intent", slots="slots")
    answer = json.dumps({"intent": "food", "slots": []})
    assert re.search(said, noted(task, answer, expected))
    assert not judged(task, answer, expected)


def test_a_text_that_the_grammar_does_not_hold_is_said(tunes: data.Splits) -> None:
    task = tasks.Recognize(tunes, input="audio", target="spelt", tokens="notes", grammar=["l m h"],
                           lexicon=Lexicon({"l": (("low",),), "m": (("middle",),), "h": (("high",),)}))
    assert noted(task, "", "l m") == "the grammar does not hold it, so the file cannot answer it"
    assert not noted(task, "", "l m h")
    assert judged(task, "l m h", "L  M H")


def test_empty_cells_are_said_by_their_rows(tmp_path: Path, intents: runtime.Shipped) -> None:
    with pytest.raises(LinnetError, match=r"column 'text' is empty .* in 2 rows: row 2, row 3\."):
        asked(written(tmp_path, "text,expected\nsoup,food\n,food\n  ,food\n"), intents)
    with pytest.raises(LinnetError, match=r"in 1 rows: row 1\."):
        asked(written(tmp_path, '{"text": null, "expected": "food"}\n', "cases.jsonl"), intents)
    (one, other) = asked(written(tmp_path, 'id,text,expected\n,soup,food\n,soup,food\n'), intents)
    assert (one.id, other.id) == ("row 1", "row 2")


def test_voices_that_nothing_is_held_against_are_said(tmp_path: Path, tones: data.Splits,
                                                      caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.Verify(tones, input="audio", target="voice")

    def voice(arrays: Any) -> dict[str, np.ndarray]:
        return {"voice": np.ones((len(arrays["audio"]), task.output[1][-1]), np.float32)}

    def ask(text: str) -> list[Outcome]:
        return ask_cases(voice, task, read_cases(written(tmp_path, text), task))

    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", np.sin(np.arange(2400) / 3), 8000)
    (one,) = ask("audio,expected\na.wav,ann\n")
    assert (one.passed, "no other recording" in one.note) == (False, True)
    (gone,) = ask("audio,expected\ngone.wav,ann\n")
    assert gone.answer is None
    caplog.clear()
    ask("audio,expected\na.wav,ann\nb.wav,bob\n")
    assert "2 of 2 recordings" in caplog.text


def test_tables_that_are_no_cases_are_refused(tmp_path: Path, intents: runtime.Shipped) -> None:
    for text, name, said in (("text,answer\na,b\n", "c.csv", "no column 'expected'"),
                             ("title,expected\na,b\n", "c.csv", "no column 'text' with what goes in"),
                             ("expected\na\n", "c.csv", "beside the expected answers it has nothing"),
                             ("text,expected\n", "c.csv", "has no rows"), ("x", "c.txt", "is no table of cases")):
        with pytest.raises(LinnetError, match=said):
            read_cases(written(tmp_path, text, name), intents.task)


def outcome(name: str, *, passed: bool, expected: str = "x") -> Outcome:
    return Outcome(name, name, "", expected, "x" if passed else "y", passed)


def test_what_changed_since_the_last_run(tmp_path: Path) -> None:
    place = tmp_path / "cases.last.json"
    first = [outcome("a", passed=True), outcome("b", passed=False), outcome("c", passed=True),
             outcome("d", passed=False), outcome("e", passed=True)]
    regressions.keep(place, first, model="old.onnx", identity="abcdef0123")
    last = regressions.last_run(place)
    assert last is not None
    assert last.told.startswith("old.onnx (abcdef01) on 20")
    now = [outcome("a", passed=False), outcome("b", passed=True), outcome("c", passed=False, expected="z"),
           outcome("d", passed=False), outcome("f", passed=False)]
    change = regressions.changes(now, last)
    assert [[one.id for one in found] for found in (change.newly_failing, change.recovered, change.still_failing,
                                                    change.new_failing)] == [["a"], ["b"], ["d"], ["c", "f"]]
    assert change.gone == ("e",)
    assert change.told.startswith("1 newly fails and 1 recovered, 1 is gone, against old.onnx (abcdef01) on ")
    assert regressions.changes(now, None).new_failing == tuple(one for one in now if not one.passed)
    regressions.keep(place, now[:1], model="new.onnx", identity="x", beside=last)
    kept = regressions.last_run(place)
    assert kept is not None
    assert {name: case.passed for name, case in kept.cases.items()} == \
        {"a": False, "b": False, "c": True, "d": False, "e": True}


@pytest.mark.parametrize(("now", "strict", "known"), [("pass", 0, 0), ("fail as before", 1, 0), ("newly fail", 1, 1),
                                                      ("new", 1, 1), ("first", 1, 2)])
def test_exit_codes(tmp_path: Path, now: str, strict: int, known: int) -> None:
    place = tmp_path / "run.json"
    regressions.keep(place, [outcome("a", passed=now != "fail as before")], model="m", identity="i")
    last = None if now == "first" else regressions.last_run(place)
    change = regressions.changes([outcome("b" if now == "new" else "a", passed=now == "pass")], last)
    assert (change.exit_code(known=False), change.exit_code(known=True)) == (strict, known)


def test_another_file_is_no_run(tmp_path: Path) -> None:
    place = written(tmp_path, '{"schema": "something/else"}', "cases.last.json")
    with pytest.raises(DamagedFileError, match=r"is no run of cases .* --last"):
        regressions.last_run(place)
    assert regressions.last_run(tmp_path / "none.json") is None
