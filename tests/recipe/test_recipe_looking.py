"""What the explorer shows of a run, of a shipped file, and of data alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from linnet import data, export, recipe, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.introspect import Finding, Findings
from linnet.recipe.explaining import shown
from linnet.recipe.likeness import described
from linnet.report.look.sample import attribution


@pytest.fixture(scope="module")
def folder(tone_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that trained a small model for one epoch and looked for confusions."""
    where = tmp_path_factory.mktemp("look")
    (where / "tones.yaml").write_text(f"""
name: tones
data: {{source: '{tone_manifest}', options: {{columns: {{pitch: label, voice: group}}}}, split: {{by: voice}}}}
task: {{classify: {{input: audio, target: pitch, groups: [voice]}}}}
steps:
  big: {{fit: {{model: {{dscnn: {{width: 8}}}}, epochs: 1}}}}
  found: {{redundancy: {{model: big, on: validation}}}}
""")
    return recipe.run(where / "tones.yaml", folder=where / "runs").folder


def test_a_run_shows_its_part_with_answers_findings_and_a_map(folder: Path) -> None:
    view = recipe.look(str(folder))
    assert view.dataset.part == "validation"
    assert view.points is not None
    assert [trait.name for trait in view.traits] == ["pitch", "answer", "right", "confidence", "voice"]
    assert view.target == "pitch"
    assert [found.kind for found in view.findings] == ["confusions", "redundancy"]
    wrong = sum(item.evidence["count"] for item in view.findings[0])
    right = next(trait for trait in view.traits if trait.name == "right")
    assert right.names
    assert sum(right.names[code] == "wrong" for code in right.values) == wrong
    assert f"{len(view.dataset) - wrong} answered right" in view.sentence
    assert "layer block5 of big" in view.notes[0]


def test_the_test_part_is_named_for_what_it_is_and_other_layers_give_other_maps(folder: Path) -> None:
    view = recipe.look(str(folder), recipe.Asked(on="test", layer="block1", method="pca"))
    assert view.dataset.part == "test"
    assert "no longer proven" in view.notes[-1]
    assert "layer block1" in view.notes[0]
    last = recipe.look(str(folder), recipe.Asked(on="test", method="pca"))
    assert not np.allclose(np.asarray(view.points), np.asarray(last.points))


def test_answers_of_a_run_are_explained_when_asked(folder: Path) -> None:
    found = attribution(recipe.look(str(folder), recipe.Asked(method="pca")), 0)
    assert found
    assert found["method"] == "integrated gradients"
    assert found["heat"].startswith("data:image/png")


@pytest.mark.parametrize(("asked", "message"), [
    (recipe.Asked(on="tests"), "unknown part 'tests'; did you mean 'test'"),
    (recipe.Asked(layer="blok1"), "unknown layer 'blok1'; did you mean 'block1'"),
    (recipe.Asked(method="tsne"), "unknown method of projection 'tsne'"),
])
def test_what_is_not_known_is_named(folder: Path, asked: recipe.Asked, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        recipe.look(str(folder), asked)


def test_a_run_without_a_model_says_what_can_be_looked_at(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text((folder / "run.json").read_text())
    with pytest.raises(LinnetError, match=r"made no model yet.*linnet look"):
        recipe.look(str(tmp_path))


def test_a_shipped_file_is_shown_on_the_data_that_are_given(folder: Path, tone_manifest: Path, tmp_path: Path) -> None:
    from linnet import nn

    facts = json.loads((folder / "run.json").read_text())
    path = export.write(nn.load(folder / "big"), tasks.from_json(facts["task"]), tmp_path / "tones.onnx")
    with pytest.raises(LinnetError, match=r"tones\.onnx does not say which data.*--data"):
        recipe.look(str(path))
    view = recipe.look(str(path), recipe.Asked(source=str(tone_manifest)))
    assert len(view.dataset) == 150
    assert "what the file answers" in view.notes[0]


def test_sounds_of_one_pitch_lie_together_without_a_model(tone_manifest: Path) -> None:
    view = recipe.look(str(tone_manifest))
    points, pitch = np.asarray(view.points), np.array(view.dataset.values("pitch"))
    near = np.argsort(((points[:, None] - points) ** 2).sum(axis=2), axis=1)[:, 1:6]
    assert (pitch[near] == pitch[:, None]).mean() > 0.9
    assert [trait.name for trait in view.traits] == ["pitch", "voice"]
    assert view.explain is None


def test_texts_images_and_numbers_are_described(sentences: data.Splits, squares: data.Splits,
                                                numbers: data.Splits) -> None:
    for dataset, label in ((sentences.train, "intent"), (squares.train, "side")):
        features, _ = described(dataset)
        assert features is not None
        near = np.argsort(((features[:, None] - features) ** 2).sum(axis=2), axis=1)[:, 1:4]
        values = np.array(dataset.values(label))
        assert (values[near] == values[:, None]).mean() > 0.8
    features, _ = described(numbers.train)
    assert features is not None
    assert features.shape == (len(numbers.train), 3)


def test_files_that_cannot_be_read_lie_in_the_middle_and_are_said(tmp_path: Path, tone_manifest: Path) -> None:
    good = data.load(tone_manifest).file("audio", 0)
    assert isinstance(good, Path)
    (tmp_path / "good.wav").write_bytes(good.read_bytes())
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "a.csv").write_text("audio\ngood.wav\nbad.wav\n")
    features, said = described(data.load(tmp_path / "a.csv"))
    assert features is not None
    assert said == ["1 files of 'audio' cannot be read; they lie in the middle."]
    (tmp_path / "a.csv").write_text("audio\nbad.wav\n")
    assert described(data.load(tmp_path / "a.csv"))[0] is None


def test_every_character_of_a_text_is_shown_once() -> None:
    pieces = [SimpleNamespace(start=0, end=4, score=1.0), SimpleNamespace(start=5, end=8, score=-2.0)]
    found = SimpleNamespace(space="tokens", texts=((),), pieces=lambda row: pieces)
    assert shown(found, 0, "what now?") == {"tokens": [["what", 1.0], [" ", 0.0], ["now", -2.0], ["?", 0.0]]}


def test_findings_are_read_from_json(tmp_path: Path) -> None:
    given = Findings("odd", (Finding("s1", "Odd.", {"p": 0.1}),), {"rate": 0.05})
    (tmp_path / "odd.json").write_text(json.dumps(given.to_json()))
    assert recipe.findings_in(tmp_path / "odd.json") == (given,)


def test_several_findings_are_read_from_what_a_profile_prints(tmp_path: Path) -> None:
    given = Findings("odd", (Finding("s1", "Odd.", {"p": 0.1}),)), Findings("order", ())
    (tmp_path / "all.json").write_text(json.dumps({one.kind: one.to_json() for one in given}))
    assert recipe.findings_in(tmp_path / "all.json") == given


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"kind": "odd"}', '{"kind": "odd", "items": [{"subject": 1}]}',
    '{"kind": "odd", "items": [{"subject": 1, "statement": "", "evidence": {}}]}',
    '{"kind": "odd", "items": [{"subject": "s1", "statement": "", "evidence": []}]}',
    '{"kind": "odd", "items": [], "facts": []}'])
def test_a_file_without_findings_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"odd\.json holds no findings"):
        recipe.findings_in(tmp_path / "odd.json")


def test_a_layer_of_data_alone_is_refused(tone_manifest: Path) -> None:
    with pytest.raises(LinnetError, match="shows no layer"):
        recipe.look(str(tone_manifest), recipe.Asked(layer="block1"))
