from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from onnx_files import BANDS_HZ, table_bytes, tones_bytes
from proven_file import proven_file

from linnet import data, evidence, runtime, tasks
from linnet.errors import LinnetError
from linnet.runtime import Comparison, Shipped
from linnet.tasks import Classify, Regress

WORSE_HZ = BANDS_HZ | {"middle": (200.0, 260.0), "low": (860.0, 900.0)}


def shipped(folder: Path, task: Classify, name: str, bands_hz: dict[str, tuple[float, float]] = BANDS_HZ) -> Shipped:
    path = folder / f"{name}.onnx"
    path.write_bytes(tones_bytes(task, bands_hz=bands_hz))
    return runtime.load(path)


@pytest.fixture
def everything(tone_manifest: Path) -> data.Dataset:
    return data.load(tone_manifest, columns={"pitch": "label", "voice": "group"})


@pytest.fixture
def compared(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> Comparison:
    seeds = [shipped(tmp_path, tone_task, f"seed{number}", BANDS_HZ | {"low": (270.0, 300.0 - 15 * number)})
             for number in range(2)]
    sides = {"good": [shipped(tmp_path, tone_task, "good")], "bad": [shipped(tmp_path, tone_task, "bad", WORSE_HZ)],
             "seeds": seeds}
    return runtime.compare(sides, everything, seconds=0.05)


def test_each_side_on_the_same_rows(compared: Comparison, tmp_path: Path, tone_task: Classify,
                                    everything: data.Dataset) -> None:
    good, bad = (runtime.load(tmp_path / f"{name}.onnx") for name in ("good", "bad"))
    right = {name: tasks.evaluate(file, tone_task, everything).score for name, file in (("good", good), ("bad", bad))}
    assert compared.side("bad").seeds.accuracies == (right["bad"].mean(),)
    found = compared.difference("bad")
    assert found is not None
    assert found.worsened == ((right["good"] == 1) & (right["bad"] == 0)).sum() > 30
    assert found.word == "worse"
    worsened, improved = int(found.worsened), int(found.improved)
    assert found.interval == evidence.comparisons.paired_difference(worsened, improved, 150, 1 - 0.05 / 2)
    assert compared.difference("good") is None
    assert compared.data.fingerprint == everything.fingerprint


def test_cost_stands_beside_quality(compared: Comparison, tmp_path: Path) -> None:
    side = compared.side("good")
    assert side.size_bytes == (tmp_path / "good.onnx").stat().st_size
    assert side.parameters == runtime.load(tmp_path / "good.onnx").card.parameters
    assert 0 < side.p50_ms <= side.p95_ms
    assert len(side.seconds) >= 96
    assert len(compared.side("seeds").seconds) == 2 * len(side.seconds)  # turns: as many runs each
    assert compared.conditions["threads"] == "1"


def test_seeds_are_one_side(compared: Comparison) -> None:
    side = compared.side("seeds")
    assert [Path(file).stem for file in side.files] == ["seed0", "seed1"]
    assert len(set(side.seeds.accuracies)) == 2
    found = compared.difference("seeds")
    assert found is not None
    assert found.estimate == pytest.approx(side.seeds.mean - compared.side("good").seeds.mean)
    assert "seeds" in found.method


def test_every_file_is_a_look(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    sides = {name: [shipped(tmp_path, tone_task, name, bands)] for name, bands in (("a", BANDS_HZ), ("b", WORSE_HZ))}
    ledger = evidence.Ledger(tmp_path / "ledger")
    assert runtime.compare(sides, everything, seconds=0, ledger=ledger).looks == 2
    assert runtime.compare(sides, everything, seconds=0, ledger=ledger).looks == 2  # the same looks again
    assert runtime.compare(sides, everything, seconds=0, ledger=ledger, against="b").looks == 2
    assert len(ledger.looks(everything.fingerprint)) == 4
    questions = [json.loads(look.question) for look in ledger.looks(everything.fingerprint)]
    assert {question["kind"] for question in questions} == {"compare"}
    assert [question["than"] for question in questions][:2] == [None, sides["a"][0].identity]


def test_nothing_is_looked_at_where_no_look_can_be_recorded(tmp_path: Path, tone_task: Classify,
                                                            everything: data.Dataset) -> None:
    (tmp_path / "file").write_text("")
    sides = {name: [shipped(tmp_path, tone_task, name)] for name in ("a", "b")}
    asked: list[str] = []
    with pytest.raises(LinnetError, match="LINNET_STATE"):
        runtime.compare(sides, everything, ledger=evidence.Ledger(tmp_path / "file" / "ledger"),
                        progress=lambda done, total, text: asked.append(text))
    assert not asked


def test_what_does_not_fit_is_all_said_at_once(tmp_path: Path, tone_task: Classify, tones: data.Splits,
                                               everything: data.Dataset) -> None:
    by_voice = Classify(everything, input="audio", target="voice")
    two = Classify(everything.where(pitch=["low", "high"]), input="audio", target="pitch")
    a = shipped(tmp_path, tone_task, "a")
    b = replace(shipped(tmp_path, tone_task, "b"), task=by_voice)
    c = replace(shipped(tmp_path, tone_task, "c"), task=two)
    elsewhere = everything.map("pitch", str.upper, name="other")
    with pytest.raises(LinnetError) as error:
        runtime.compare({"a": [a], "b": [b], "c": [c]}, elsewhere)
    said = str(error.value)
    assert "b.onnx answers 'voice', a.onnx 'pitch'" in said
    assert "c.onnx has other labels than a.onnx: only a.onnx knows middle" in said
    with pytest.raises(LinnetError, match=r"a\.onnx needs the columns pitch, voice, which"):
        runtime.compare({"a": [a], "b": [a]}, data.load(_bare(tmp_path)))


class Shouting:
    """A task that writes its right answers in large letters."""

    def __init__(self, task: Classify) -> None:
        self.task = task

    def __getattr__(self, name: str) -> object:
        return getattr(self.task, name)

    def expected(self, dataset: data.Dataset) -> list[str]:
        return [answer.upper() for answer in self.task.expected(dataset)]


def test_answers_in_different_forms_are_refused(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    a, b = shipped(tmp_path, tone_task, "a"), shipped(tmp_path, tone_task, "b")
    loud = replace(b, task=Shouting(tone_task))
    with pytest.raises(LinnetError, match=r"'b' takes 'LOW' for the right answer to sample .* different forms"):
        runtime.compare({"a": [a], "b": [loud]}, everything)


def _bare(folder: Path) -> Path:
    """A manifest without labels of the right name."""
    soundfile.write(folder / "x.wav", np.zeros(800) + 0.1, 8000)
    with (folder / "bare.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["audio", "word"], ["x.wav", "low"]])
    return folder / "bare.csv"


def test_sides_are_named(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    a = shipped(tmp_path, tone_task, "a")
    with pytest.raises(LinnetError, match="did you mean 'good'"):
        runtime.compare({"good": [a], "b": [a]}, everything, against="god")
    with pytest.raises(LinnetError, match="at least two"):
        runtime.compare({"good": [a]}, everything)


def test_one_file_is_not_two_seeds(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    b = shipped(tmp_path, tone_task, "b", WORSE_HZ)
    a, again = (shipped(tmp_path, tone_task, name) for name in ("a", "c"))
    with pytest.raises(LinnetError, match=r"'seeds' has the same model more than once: a\.onnx, c\.onnx"):
        runtime.compare({"b": [b], "seeds": [a, b, again]}, everything, seconds=0)


def test_training_on_these_rows_is_said(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    def trained(file: Shipped, on: str) -> Shipped:
        return replace(file, card=file.card.model_copy(update={"training": {"data": {"train": on}}}))

    a, b, c = (shipped(tmp_path, tone_task, name) for name in "abc")
    sides = {"a": [trained(a, everything.fingerprint)], "b": [trained(b, "0" * 64)], "c": [c]}
    notes = " ".join(runtime.compare(sides, everything, seconds=0).notes)
    assert "a was trained on these very rows" in notes
    assert "c: the card does not say on what it was trained" in notes
    assert "not all trained on the same data" in notes


def test_how_many_rows_a_file_was_trained_and_chosen_on_is_said(
        tmp_path: Path, tone_task: Classify, tones: data.Splits, everything: data.Dataset,
        caplog: pytest.LogCaptureFixture) -> None:
    parts = {"train": tones.train.fingerprint, "validation": tones.validation.fingerprint}

    def trained(file: Shipped, **on: str) -> Shipped:
        return replace(file, card=file.card.model_copy(update={"training": {"data": on}}))

    proven = trained(runtime.load(proven_file(tmp_path / "proven.onnx", tone_task, tones)), **parts)
    bare = trained(shipped(tmp_path, tone_task, "bare"), **parts)
    strange = trained(shipped(tmp_path, tone_task, "strange"), train="0" * 64)
    sides = {"bare": [bare], "proven": [proven], "strange": [strange]}
    notes = runtime.compare(sides, everything, seconds=0).notes
    for name in ("bare", "proven"):
        assert (f"{name} was trained on {len(tones.train)} of these 150 rows and chosen on {len(tones.validation)} of "
                "these 150 rows: it looks better here than it is.") in notes
    assert "strange: rows on which it was trained or chosen may be among these" in " ".join(notes)
    assert f"bare was trained on {len(tones.train)} of these" in caplog.text
    caplog.clear()
    fair = runtime.compare({"bare": [bare], "proven": [proven]}, tones.test, seconds=0)
    assert fair.notes == ()
    assert runtime.compare({"bare": [bare], "other": [bare]}, tones.test, seconds=0).notes == ()
    chosen = runtime.compare({"bare": [bare], "proven": [proven]}, tones.validation, seconds=0)
    assert "proven was chosen on these very rows: it looks better here than it is." in chosen.notes


def test_json_holds_what_was_found(compared: Comparison) -> None:
    said = json.loads(json.dumps(compared.to_json()))
    assert [side["name"] for side in said["sides"]] == ["good", "bad", "seeds"]
    assert said["sides"][2]["deviation_over_seeds"] > 0
    assert said["differences"][0]["word"] == "worse"
    assert said["level"] == 0.95


def test_progress_names_the_file(tmp_path: Path, tone_task: Classify, everything: data.Dataset) -> None:
    heard: list[str] = []
    sides = {name: [shipped(tmp_path, tone_task, name)] for name in ("a", "b")}
    runtime.compare(sides, everything, seconds=0, progress=lambda done, total, text: heard.append(text))
    assert {"a: a.onnx", "b: b.onnx", "latency of 2 files in turns"} == set(heard)


def test_rows_are_those_of_the_first_file_s_claims(tmp_path: Path, tone_task: Classify, tones: data.Splits,
                                                   tone_manifest: Path) -> None:
    first = runtime.load(proven_file(tmp_path / "tones.onnx", tone_task, tones))
    assert runtime.rows(first).fingerprint == tones.test.fingerprint
    assert runtime.rows(first, tone_manifest).fingerprint == tones.test.fingerprint
    assert len(runtime.rows(first, tone_manifest, {})) == 150
    chosen = runtime.rows(first, tone_manifest, {"voice": ["ann", "bob"], "pitch": ["low"]})
    assert set(chosen.values("voice")) == {"ann", "bob"}
    assert set(chosen.values("pitch")) == {"low"}


def test_rows_that_nothing_names_are_refused(tmp_path: Path, tone_task: Classify, tones: data.Splits) -> None:
    bare = shipped(tmp_path, tone_task, "bare")
    with pytest.raises(LinnetError, match=r"carries no claim about data.*--all-rows"):
        runtime.rows(bare)
    with pytest.raises(LinnetError, match=r"bare.onnx, bare.onnx carry no claim"):
        runtime.rows([bare, bare])
    with pytest.raises(LinnetError, match="--data"):
        runtime.rows(bare, None, {"voice": ["ann"]})
    proven = runtime.load(proven_file(tmp_path / "tones.onnx", tone_task, tones))
    with pytest.raises(LinnetError, match=r"not those of the claim.*--where"):
        runtime.rows(proven, _bare(tmp_path))


def test_numbers_are_chosen_as_numbers(tmp_path: Path, tone_task: Classify) -> None:
    _bare(tmp_path)
    (tmp_path / "aged.csv").write_text("audio,word,age\nx.wav,low,7\n")
    bare = shipped(tmp_path, tone_task, "bare")
    assert len(runtime.rows(bare, tmp_path / "aged.csv", {"age": ["7"]})) == 1
    with pytest.raises(LinnetError, match="holds numbers; got old"):
        runtime.rows(bare, tmp_path / "aged.csv", {"age": ["old"]})


def test_figures_that_a_seed_does_not_have_are_left_out(tmp_path: Path, numbers: data.Splits) -> None:
    task = Regress(numbers, input=["length"], target="weight", tolerance=1.0)
    files = []
    for slope in (1.0, 0.0):  # the second answers always the same, so that nothing correlates with it
        path = tmp_path / f"{slope:g}.onnx"
        path.write_bytes(table_bytes(task, np.full((1, 1), slope)))
        files.append(runtime.load(path))
    found = runtime.compare({"seeds": files, "first": [files[0]]}, numbers.test, seconds=0)
    assert "pearson" in found.side("first").metrics
    assert set(found.side("seeds").metrics) == {"mean_absolute_error", "root_mean_squared_error", "r2"}
