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
