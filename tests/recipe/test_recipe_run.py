import shutil
from pathlib import Path

import pytest

from linnet import nn, recipe, report, runtime
from linnet.errors import LinnetError
from linnet.recipe import store

RECIPE = """
name: tones
data: {{source: "{source}", options: {{columns: {{pitch: label, voice: group}}}}, split: {{by: voice}}}}
task: {{classify: {{input: audio, target: pitch, groups: [voice]}}}}
steps:
  big:    {{fit: {{model: {{dscnn: {{width: 8}}}}, epochs: 2, options: {{batch: 16}}}}}}
  found:  {{redundancy: {{model: big}}}}
  mixed:  {{confusions: {{model: big}}}}
  health: {{profile: {{}}}}
  leaks:  {{leakage: {{}}}}
  twins:  {{near_duplicates: {{}}}}
  doubts: {{label_issues: {{model: {{dscnn: {{width: 8}}}}, folds: 2, epochs: 1, options: {{batch: 16}}}}}}
  maps:   {{attribution: {{model: big, method: saliency, samples: 8}}}}
  weak:   {{slices: {{model: big}}}}
  small:  {{shrink: {{model: big, plan: {{findings: found, keep: 0.5, bits: 8}}, teacher: big, epochs: 1}}}}
  lost:   {{forgetting: {{model: small, than: big}}}}
  whole:  {{export: {{model: big, path: big.onnx}}}}
  warm:   {{operate: {{model: small, on: train}}}}
  point:  {{operate: {{model: small, task: warm}}}}
  file:   {{export: {{model: small, task: point, path: tones.onnx}}}}
  proof:  {{prove: {{file: file, claims: [{{accuracy_at_least: {{bound: 0.05}}}},
                                     {{no_worse: {{than: whole, margin: 0.9}}}}, {{size_below: {{bound_kb: 64}}}},
                                     {{no_worse: {{than: small, margin: 0.9}}}}]}}}}
  timing: {{bench: {{files: [whole, file], seconds: 0.1}}}}
"""


@pytest.fixture(scope="module")
def path(tone_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tones.yaml"
    path.write_text(RECIPE.format(source=tone_manifest))
    return path


@pytest.fixture(scope="module")
def folder(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whole run, shared by the tests of what comes after it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNET_STATE", str(tmp_path_factory.mktemp("state")))
        return recipe.run(path, folder=tmp_path_factory.mktemp("runs")).folder


def stamps(folder: Path) -> dict[str, int]:
    return {step.parent.name: step.stat().st_mtime_ns for step in folder.glob("*/step.json")}


def test_a_run_leaves_a_proven_file_and_a_report(folder: Path) -> None:
    file = runtime.load(folder / "tones.onnx")
    assert [claim.kind for claim in file.claims] == ["accuracy_at_least", "no_worse", "size_below", "no_worse"]
    assert [(claim.than.name, claim.than.subject) for claim in file.claims if claim.than] == [
        ("big", runtime.load(folder / "big.onnx").identity), ("small", nn.load(folder / "small").identity)]
    verdicts = {claim.verdict for claim in file.claims}
    expected = 1 if "fails" in verdicts else 2 if "undecided" in verdicts else 0
    assert runtime.verify(folder / "tones.onnx").exit_code == expected
    page = (folder / "report.html").read_text()
    assert "of one voice it never heard" in page
    assert "dscnn: {width: 8}" in page
    for look in ("health: profile", "leaks: leakage", "weak: slices", "lost: forgetting", "twins: near duplicates",
                 "doubts: label issues", "maps: attribution"):
        assert look in page


def test_the_file_ships_and_is_judged_at_the_operating_point_that_was_chosen(folder: Path) -> None:
    chosen = store.read_json(folder / "point" / "task.json")["operating"]["temperature"]
    assert chosen != 1.0
    assert runtime.load(folder / "tones.onnx").task.operating == {"temperature": chosen}
    assert runtime.load(folder / "big.onnx").task.operating == {"temperature": 1.0}


def test_a_wish_that_the_task_does_not_know_is_refused(path: Path, folder: Path) -> None:
    with pytest.raises(LinnetError, match="'costs'"):
        recipe.run(path, folder=folder.parent, until="point", changes={"point.wanted": "{cost: 3}"})
    recipe.run(path, folder=folder.parent, until="point")


def test_the_same_again_does_nothing_and_says_the_same(path: Path, folder: Path) -> None:
    before = stamps(folder)
    outcome = recipe.run(path, folder=folder.parent)
    assert stamps(folder) == before
    assert len(before) == 17
    assert outcome.sentence == recipe.run(path, folder=folder.parent).sentence


def test_only_what_a_change_touches_is_done_again(path: Path, folder: Path) -> None:
    before = stamps(folder)
    recipe.run(path, folder=folder.parent, changes={"small.epochs": "2"})
    after = stamps(folder)
    assert {step for step in after if after[step] != before[step]} == {
        "small", "lost", "warm", "point", "file", "proof", "timing"}


def test_a_claim_that_is_no_longer_asked_leaves_the_file(path: Path, folder: Path) -> None:
    less = folder.parent / "less.yaml"
    less.write_text(path.read_text().replace("{bound: 0.05}", "{bound: 0.06}"))
    recipe.run(less, folder=folder.parent)
    claims = runtime.load(folder / "tones.onnx").claims
    assert [claim.bound for claim in claims if claim.kind == "accuracy_at_least"] == [0.06]


def test_a_step_whose_output_was_touched_is_done_again(path: Path, folder: Path) -> None:
    recipe.run(path, folder=folder.parent)
    before = stamps(folder)
    (folder / "found" / "findings.json").write_text("{}")
    recipe.run(path, folder=folder.parent)
    after = stamps(folder)
    assert {step for step in after if after[step] != before[step]} == {"found"}


def test_a_wish_that_the_task_does_not_know_is_said_before_the_first_epoch(path: Path, tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=r"point: unknown wish .* 'cost'"):
        recipe.run(path, folder=tmp_path / "runs", changes={"point.wanted": "{cost: 3}"})
    assert not list((tmp_path / "runs").rglob("step.json"))


def test_until_stops_there(path: Path, tmp_path: Path) -> None:
    outcome = recipe.run(path, folder=tmp_path, until="found")
    assert set(stamps(outcome.folder)) == {"big", "found"}
    assert outcome.verdict is None
    with pytest.raises(LinnetError, match="did you mean 'found'"):
        recipe.run(path, folder=tmp_path, until="fond")


def test_a_required_claim_that_does_not_hold_keeps_the_file_without_claims(
        path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_text(path.read_text().replace("{bound: 0.05}", "{bound: 1.0}").replace(
        "prove: {file: file,", "prove: {file: file, require: holds,"))
    outcome = recipe.run(strict, folder=tmp_path)
    assert outcome.verdict == "fails"
    assert runtime.load(outcome.folder / "tones.onnx").claims == ()
    assert "required, but it fails" in caplog.text
    assert "timing" not in stamps(outcome.folder)


def test_a_stop_keeps_the_best_so_far_and_goes_on(path: Path, tmp_path: Path) -> None:
    def stop_in_epoch_2(done: int, total: int, text: str) -> None:
        if text.startswith("big: epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.run(path, folder=tmp_path, until="big", progress=stop_in_epoch_2)
    assert len(recipe.read(tmp_path / "tones").histories["big"]) == 1
    resumed = recipe.run(path, folder=tmp_path, until="big")
    whole = recipe.run(path, folder=tmp_path / "other", until="big")
    assert nn.load(resumed.folder / "big").identity == nn.load(whole.folder / "big").identity


def test_what_a_proof_needs_is_checked_before_the_first_epoch(
        path: Path, tmp_path: Path, tone_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def note(done: int, total: int, text: str) -> None:
        started.append(text)

    (tmp_path / "blocked").write_text("a file where the ledger's folder should be")
    monkeypatch.setenv("LINNET_STATE", str(tmp_path / "blocked"))
    with pytest.raises(LinnetError, match="set LINNET_STATE"):
        recipe.run(path, folder=tmp_path, progress=note)
    sounds = shutil.copytree(tone_manifest.parent, tmp_path / "sounds")
    spoken = path.read_text().replace(str(tone_manifest), str(sounds / tone_manifest.name))
    (tmp_path / "broken.yaml").write_text(spoken)
    for voice in ("ann", "bob", "cleo", "dan", "eve"):
        cut = sounds / f"{voice}_low_3.wav"
        cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(LinnetError, match=r"_low_3.*cut off"):
        recipe.run(tmp_path / "broken.yaml", folder=tmp_path, progress=note)
    assert not started


def test_other_data_that_cannot_be_had_runs_the_other_recipe(
        path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINNET_DATA", raising=False)
    monkeypatch.setenv("LINNET_FSDD_URL", "http://127.0.0.1:9/fsdd.tar.gz")
    (tmp_path / "tones.yaml").write_text(path.read_text())
    digits = Path(__file__).parents[2] / "recipes" / "digits.yaml"
    (tmp_path / "digits.yaml").write_text(digits.read_text().replace("handwritten.yaml", "tones.yaml"))
    outcome = recipe.run(tmp_path / "digits.yaml", folder=tmp_path, until="big")
    assert outcome.folder.name == "tones"
    assert "Running tones.yaml instead" in caplog.text


def test_a_file_that_was_deleted_is_proven_again(path: Path, folder: Path) -> None:
    recipe.run(path, folder=folder.parent)
    (folder / "tones.onnx").unlink()
    recipe.run(path, folder=folder.parent)
    assert len(runtime.load(folder / "tones.onnx").claims) == 4


def test_a_file_that_was_made_otherwise_meanwhile_is_proven_again(path: Path, folder: Path) -> None:
    recipe.run(path, folder=folder.parent)
    changed = recipe.run(path, folder=folder.parent, changes={"small.plan.bits": "null"}, until="file")
    assert changed.verdict is None
    assert "nothing was measured on the test part yet" in changed.sentence
    recipe.run(path, folder=folder.parent)
    assert len(runtime.load(folder / "tones.onnx").claims) == 4


def test_what_a_changed_recipe_has_not_reached_is_not_shown(path: Path, folder: Path) -> None:
    recipe.run(path, folder=folder.parent)
    changed = recipe.run(path, folder=folder.parent, changes={"small.epochs": "3"}, until="found")
    assert recipe.read(changed.folder).claims == []
    assert set(recipe.read(changed.folder).histories) == {"big"}
    before = stamps(folder)
    assert recipe.run(path, folder=folder.parent).verdict is not None
    assert stamps(folder) == before


def test_a_refused_proof_is_a_look_too_and_leaves_no_scores_of_another_question(
        path: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe.run(path, folder=folder.parent)
    monkeypatch.setenv("LINNET_STATE", str(tmp_path / "fresh"))
    strict = tmp_path / "strict.yaml"
    strict.write_text(path.read_text().replace("{bound: 0.05}", "{bound: 1.0}").replace(
        "prove: {file: file,", "prove: {file: file, require: holds,"))
    refused = recipe.run(strict, folder=folder.parent,
                         changes={"proof.claims": "[{accuracy_at_least: {bound: 1.0}}]"})
    found = recipe.read(refused.folder)
    assert refused.verdict == "fails"
    assert found.before is None
    assert [claim.looks for claim in found.claims] == [1]
    assert len(found.looks) == 1


def test_changes_reach_the_other_recipe_and_two_do_not_call_each_other_for_ever(
        path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINNET_DATA", raising=False)
    monkeypatch.setenv("LINNET_FSDD_URL", "http://127.0.0.1:9/fsdd.tar.gz")
    (tmp_path / "tones.yaml").write_text(path.read_text())
    digits = (Path(__file__).parents[2] / "recipes" / "digits.yaml").read_text()
    (tmp_path / "digits.yaml").write_text(digits.replace("handwritten.yaml", "tones.yaml"))
    outcome = recipe.run(tmp_path / "digits.yaml", folder=tmp_path, until="big", changes={"big.epochs": "1"})
    assert len(recipe.read(outcome.folder).histories["big"]) == 1
    (tmp_path / "digits.yaml").write_text(digits.replace("handwritten.yaml", "digits.yaml"))
    with pytest.raises(LinnetError, match="fsdd"):
        recipe.run(tmp_path / "digits.yaml", folder=tmp_path)


def test_two_runs_of_one_recipe_do_not_write_over_each_other(path: Path, tmp_path: Path) -> None:
    def again(done: int, total: int, text: str) -> None:
        recipe.run(path, folder=tmp_path)

    with pytest.raises(LinnetError, match="another run is at work in"):
        recipe.run(path, folder=tmp_path, until="big", progress=again)
    recipe.run(path, folder=tmp_path, until="big", changes={"big.epochs": "1"})


def test_what_was_measured_of_the_shipped_file_stands_last(path: Path, folder: Path) -> None:
    recipe.run(path, folder=folder.parent, changes={"timing.files": "[file, whole]"})
    found = recipe.read(folder)
    assert found.benches[-1].subject == runtime.load(folder / "tones.onnx").identity
    answers = report.text(found)
    assert "answers come within" in answers
    recipe.run(path, folder=folder.parent, changes={"timing.files": "[whole]"})
    assert "answers come within" not in report.text(recipe.read(folder))


def test_a_damaged_run_is_said(path: Path, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe.run(path, folder=folder.parent)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "tones.onnx").unlink()
    assert recipe.read(copy).file is None
    assert "tones.onnx, which the step 'file' wrote, is gone" in caplog.text
    (copy / "proof" / "after.parquet").write_text("garbage")
    with pytest.raises(LinnetError, match=r"after\.parquet cannot be read"):
        recipe.read(copy)
    (copy / "run.json").write_text("{}")
    with pytest.raises(LinnetError, match=r"run\.json cannot be read"):
        recipe.read(copy)


def test_a_trial_on_few_rows_says_so(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe.run(path, until="big", changes={"data.rows": "40", "big.epochs": "1"}, folder=tmp_path)
    assert "only 40 of the 150 rows are used (data.rows)" in caplog.text
    parts = store.read_json(tmp_path / "tones" / "run.json")["data"]
    assert sum(part["rows"] for part in parts) == 40


def test_a_family_begins_from_another_runs_model(path: Path, folder: Path, tmp_path: Path) -> None:
    again = recipe.run(path, until="big", changes={"big.start": str(folder / "big")}, folder=tmp_path).folder
    notes = nn.load(again / "big").notes
    assert notes["began"]["identity"] == nn.load(folder / "big").identity
    assert nn.load(again / "big").history[0]["train_loss"] < nn.load(folder / "big").history[0]["train_loss"]
    with pytest.raises(LinnetError, match=r"there is no model in .*gone.*run that one first"):
        recipe.run(path, until="big", changes={"big.start": str(tmp_path / "gone")}, folder=tmp_path / "other")
    assert not list(tmp_path.glob("other/*/big"))
