"""Every recipe that Linnet brings, from the real data to a proven file, on few rows and one epoch."""

from pathlib import Path

import pytest

from linnet import recipe, runtime
from linnet.data import SOURCES
from linnet.nn import FAMILIES
from linnet.recipe.arguments import FitArguments, ProveArguments, ShrinkArguments

FOLDER = Path(__file__).parent.parent / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ROWS = {"clinc150": 4500, "snips": 1200, "speechocean762": 80, "cifar10": 1500, "fsdd": 400, "speech_activity": 150,
        "digit_streams": 200}
SMALLER = {name: {"big.model": "{conformer: {width: 16}}"}
           for name in ("speechocean762-conformer", "speechocean762-closed")}
SMALLER["speechocean762-speakers"] = {"big.model": "{ecapa: {width: 16}}", "data.rows": "600",
                                      "point.wanted": "{dimensions: 40}"}


FIRST = {"speechocean762-pronunciation": ("speechocean762-conformer", "task.assess.acoustic")}
"""The recipe whose file another one takes, and where it is named."""


def family_of(name: str) -> set[str]:
    steps = recipe.load(FOLDER / f"{name}.yaml").steps.values()
    models = [arguments.model for _, arguments in steps if isinstance(arguments, FitArguments)]
    return {family for model in models if isinstance(model, dict) for family in model}


def test_every_family_has_a_recipe() -> None:
    assert set().union(*map(family_of, RECIPES)) == set(FAMILIES)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_runs_to_a_proven_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_STATE", str(tmp_path / "state"))
    path = FOLDER / f"{name}.yaml"
    made = recipe.load(path)
    if SOURCES[made.data.source].find() is None:
        pytest.skip(f"{made.data.source} is not on this machine; set LINNET_DATA to the folder of real data")
    changes = {f"{step}.epochs": "1" for step, (_, arguments) in made.steps.items()
               if isinstance(arguments, FitArguments) or (isinstance(arguments, ShrinkArguments)
                                                          and arguments.plan.keep < 1)}
    if made.data.source in ROWS:
        changes["data.rows"] = str(ROWS[made.data.source])
    if name in FIRST:
        first, where = FIRST[name]
        ears = recipe.run(FOLDER / f"{first}.yaml", changes=changes | SMALLER[first], folder=tmp_path / "first")
        changes[where] = str(recipe.read(ears.folder).file)
    ended = recipe.run(path, changes=changes | SMALLER.get(name, {}), folder=tmp_path)
    (proof,) = [arguments for _, arguments in made.steps.values() if isinstance(arguments, ProveArguments)]
    found = recipe.read(ended.folder)
    assert found.file is not None
    assert len(runtime.load(found.file).claims) == len(proof.claims)
    verified = runtime.verify(found.file)
    again = [(result.claim.kind, result.outcome) for result in verified.results if result.claim.kind != "latency_below"]
    assert again == [(claim.kind, claim.verdict) for claim in found.claims if claim.kind != "latency_below"]
    assert ended.report.stat().st_size > 10_000
