from pathlib import Path

import pytest

from linnet.errors import LinnetError
from linnet.recipe.reading import check, load

GOOD = """
name: tones
data: {source: tones.csv, split: {by: voice}}
task: {classify: {input: audio, target: pitch, groups: [voice]}}
steps:
  big:   {fit: {model: {dscnn: {width: 8}}, epochs: 2}}
  found: {redundancy: {model: big}}
  small: {shrink: {model: big, plan: {findings: found, keep: 0.5, bits: 8}, teacher: big}}
  file:  {export: {model: small, path: tones.onnx}}
  proof: {prove: {file: file, claims: [{accuracy_at_least: {bound: 0.5}}, {no_worse: {than: big, margin: 0.1}}]}}
"""


def errors_of(text: str) -> str:
    with pytest.raises(LinnetError) as caught:
        check(text, {})
    return str(caught.value)


def test_a_good_recipe_is_read() -> None:
    recipe = check(GOOD, {"big.epochs": "3", "seed": "5"})
    assert recipe.seed == 5
    assert recipe.steps["big"][1].epochs == 3
    assert list(recipe.steps) == ["big", "found", "small", "file", "proof"]


def test_every_recipe_of_the_repository_is_good() -> None:
    paths = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
    assert paths
    for path in paths:
        load(path)


def test_all_errors_come_at_once_each_with_the_nearest_key() -> None:
    text = (GOOD.replace("epochs: 2", "epoch: 2").replace("bits: 8", "bits: 5").replace("margin: 0.1", "marginn: 0.1")
            .replace("model: small", "model: smal").replace("{by: voice}", "{bye: voice}"))
    message = errors_of(text)
    assert "5 errors" in message or "6 errors" in message
    for part in ("steps.big.fit.epoch: unknown key, did you mean 'epochs'?", "steps.small.shrink.plan.bits",
                 "did you mean 'margin'?", "did you mean 'small'?", "data.split.bye: unknown key, did you mean 'by'?"):
        assert part in message


@pytest.mark.parametrize(("old", "new", "part"), [
    ("{fit:", "{fitt:", "unknown verb 'fitt', did you mean 'fit'?"),
    ("dscnn", "dscn", "unknown model family 'dscn'; did you mean 'dscnn'?"),
    ("{redundancy: {model: big}}", "{redundancy: {model: file}}", "'file' is no earlier step that gives a model"),
    ("than: big", "than: found", "'found' is no earlier step that gives a model or file"),
    ("than: big", "than: foun", "'foun' is no earlier step that gives a model or file; those are"),
    ("tones.onnx", "../tones.onnx", "steps.file.export.path"),
    ("name: tones", "name: ../x", "name:"),
    ("{accuracy_at_least: {bound: 0.5}}", "{}", "exactly one kind of claim"),
    ("epochs: 2", "options: {learning_rat: 1e-3}", "did you mean 'learning_rate'?"),
])
def test_what_is_wrong_is_said(old: str, new: str, part: str) -> None:
    assert old in GOOD
    assert part in errors_of(GOOD.replace(old, new))


def test_a_change_of_something_that_is_not_there_is_refused() -> None:
    with pytest.raises(LinnetError, match="did you mean 'big'"):
        check(GOOD, {"bigg.epochs": "3"})


@pytest.mark.parametrize(("old", "new", "part"), [
    ("{fit:", "{1:", "unknown verb '1'"),
    ("{classify:", "{clasify:", "task: unknown task 'clasify', did you mean 'classify'?; known: classify"),
    ("target: pitch", "taget: pitch", "task.classify.taget: unknown key, did you mean 'target'?"),
    ("target: pitch", "target: [pitch]", "task.classify.target: Input should be a valid string"),
    ("input: audio, ", "", "task.classify.input: missing"),
    ("{classify: {input: audio, target: pitch, groups: [voice]}}", "3", "task: is one task with its keywords"),
    ("split: {by: voice}", "split: {by: voice}, rows: 0", "data.rows: Input should be greater than or equal to 1"),
    ("{fit:", "{null:", "unknown verb 'None'"),
    ("  found:", "  7:", "steps.7: a step's name is a word"),
    ("  found:", "  ../found:", "steps.../found: a step's name is a word"),
    ("{width: 8}", "{depth: 8}",
     "steps.big.fit: unknown dial of dscnn 'depth'; did you mean 'width'? Known: causal, width"),
    ("{width: 8}", "{widht: 8}", "did you mean 'width'?"),
    ("epochs: 2", "options: {batch: 0}", "steps.big.fit: batch must lie between"),
    ("epochs: 2", "options: {patience: 0}", "patience must be at least 1"),
    ("epochs: 2", "options: {temperature: 0}", "temperature must"),
    ("epochs: 2", "options: {weight_decay: -1}", "weight_decay must"),
    ("epochs: 2", "augment: spech", "steps.big.fit.augment: unknown augmentation 'spech'; did you mean 'speech'?"),
    ("epochs: 2", "augment: [{step: gain, low: 3}]", "unknown setting of 'gain' 'low'"),
    ("epochs: 2", "augment: [{step: gain, low_db: quiet}]", "gain"),
    ("epochs: 2", "augment: [{step: gain}, {step: flip}]", "use steps of one kind"),
    ("name: tones", "name: tones\nseed: -1", "seed: Input should be greater than or equal to 0"),
    ("{bound: 0.5}", "{bound: 0.5, clusters: singer}",
     "clusters: 'singer' is none of the task's groups; those are: voice"),
    ("accuracy_at_least: {bound: 0.5}", "accuracy_in_every_group: {by: singer, bound: 0.5}",
     "accuracy_in_every_group.by: 'singer' is none of the task's groups; those are: voice"),
    ("{bound: 0.5}", "{bound: 0}", "greater than 0"),
    ("  proof:", "  whole: {export: {model: big, path: tones.onnx}}\n  proof:",
     "steps.whole.export.path: 'tones.onnx' is written by the step 'file' already"),
    ("findings: found, ", "", "keep needs findings"),
    ("{dscnn: {width: 8}}", "{gru: {width: 8}}",
     "steps.found.redundancy.model: 'big' is of the family gru, which has no layers whose channels can be removed yet; "
     "families that have: bcresnet, dscnn, mobilenet, resnet, smallcnn"),
    ("input: audio, ", "input: text, length: '3', ", "task.classify.length: Input should be a valid integer"),
    ("input: audio, ", "input: audio, seconds: '1.5', ", "task.classify.seconds: Input should be a valid number"),
    ("input: audio, ", "input: audio, sample_rate_hz: true, ", "task.classify.sample_rate_hz: Input should be a valid"),
    ("input: audio, ", "input: audio, sample_rate_hz: 8000.0, ", "task.classify.sample_rate_hz: Input should be"),
    ("split: {by: voice}", "split: {by: voice}, rows: '300'", "data.rows: Input should be a valid integer"),
    ("{by: voice}", "{by: voice, seed: true}", "data.split.seed: Input should be a valid integer"),
    ("found: {redundancy", "found: {confusions", "steps.small.shrink.plan.findings: 'found' is a step of confusions"),
    ("found: {redundancy", "found: {sensitivity", "steps.small.shrink.plan.findings: 'found' is a step of sensitivity"),
    ("bits: 8}", "bits: 8, protect: found}", "steps.small.shrink.plan.protect: 'found' is a step of redundancy, a plan "
     "takes one of sensitivity here"),
    ("bits: 8}", "bits: 8, protect: nowhere}", "'nowhere' is no earlier step that gives a findings"),
    ("found: {redundancy: {model: big}}", "found: {sensitivity: {model: big, how: prune}}", "steps.found.sensitivity"),
])
def test_what_would_go_wrong_later_is_said_before_anything_runs(old: str, new: str, part: str) -> None:
    assert old in GOOD
    assert part in errors_of(GOOD.replace(old, new))


def test_findings_of_another_model_are_refused() -> None:
    text = GOOD.replace("  small:", "  other: {fit: {model: {dscnn: {width: 8}}}}\n  small:")
    assert ("steps.small.shrink.plan.findings: 'found' looked inside 'big', the model is 'other'"
            in errors_of(text.replace("shrink: {model: big", "shrink: {model: other")))


@pytest.mark.parametrize(("old", "new", "change"), [
    ("{fit: {model: {dscnn: {width: 8}}, epochs: 2}}", "[a]", "big.epochs"),
    ("{fit: {model: {dscnn: {width: 8}}, epochs: 2}}", "{a: 1, b: 2}", "big.epochs"),
    ("{fit: {model: {dscnn: {width: 8}}, epochs: 2}}", "{fit: 3}", "big.epochs"),
    ("steps:", "steps: [{a: 1}]\nother:", "nothing"),
    ("steps:", "steps: 5\nother:", "nothing"),
    ("steps:", "steps:", "proof.claims.0"),
    ("steps:", "steps:", "text"),
])
def test_a_change_that_fits_nowhere_is_refused(old: str, new: str, change: str) -> None:
    with pytest.raises(LinnetError):
        check(GOOD.replace(old, new), {change: "1"})


def test_a_change_stands_in_the_text_of_the_recipe() -> None:
    assert check(GOOD, {}).text == GOOD
    assert "big.epochs=3" in check(GOOD, {"big.epochs": "3"}).text


def test_two_proofs_of_one_file_are_refused() -> None:
    twice = GOOD + "  again: {prove: {file: file, claims: [{size_below: {bound_kb: 64}}]}}\n"
    assert "the step 'proof' proves 'file' already" in errors_of(twice)


@pytest.mark.parametrize(("task", "keywords"), [
    ("{classify: {input: audio, target: pitch, seconds: 1}}", {"seconds": 1}),
    ("{classify: {input: image, target: pitch, size: [32, 48]}}", {"size": [32, 48]}),
    ("{classify: {input: [a, b], target: pitch, groups: [c]}}", {"input": ["a", "b"], "groups": ["c"]}),
    ("{regress: {input: text, target: grade, tolerance: 1, tokenizer: null}}", {"tolerance": 1, "tokenizer": None}),
    ("{regress: {input: text, target: grade, tolerance: 0.5, tokenizer: word}}", {"tokenizer": "word"}),
])
def test_whole_numbers_pass_for_numbers_and_lists_for_sequences(task: str, keywords: dict[str, object]) -> None:
    given = check(GOOD.replace("{classify: {input: audio, target: pitch, groups: [voice]}}", task), {}).task[1]
    assert {name: given[name] for name in keywords} == keywords


def test_findings_in_a_shrunk_or_fitted_again_model_are_of_its_family() -> None:
    text = GOOD.replace("dscnn", "mlp") + "  again: {fit: {model: small}}\n  seen: {redundancy: {model: again}}\n"
    assert "steps.seen.redundancy.model: 'again' is of the family mlp" in errors_of(text)
