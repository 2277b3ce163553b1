"""Read a run's folder back into what the report shows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from linnet import runtime, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.evidence import Claim, Ledger, Look, Scores
from linnet.recipe import store
from linnet.recipe.verbs import VERBS
from linnet.report import Contents

log = logging.getLogger("linnet")


def read(folder: str | Path) -> Contents:
    """What the run in `folder` made; a step that has not run yet, or only with other settings or inputs, is absent."""
    folder = Path(folder)
    if not (folder / "run.json").exists():
        raise LinnetError(f"there is no run in '{folder}': it holds no run.json. Give a run's folder.")
    facts = store.read_json(folder / "run.json")
    missing = sorted({"name", "source", "steps", "keys", "task", "data", "environment"} - facts.keys())
    if missing:
        raise DamagedFileError(f"{folder / 'run.json'} cannot be read: it lacks {', '.join(missing)}. Run the recipe "
                               "again; what is done already is kept.")
    steps = {name: verb for name, verb in facts["steps"].items() if _is_made(folder / name, facts["keys"][name])}
    values = {name: VERBS[verb].load(folder / name) for name, verb in steps.items()}
    by_kind = {kind: {name: value for name, value in values.items() if VERBS[steps[name]].gives == kind}
               for kind in ("model", "file", "findings", "claims", "benches")}
    claims: list[Claim] = [claim for made in by_kind["claims"].values() for claim in made]
    file = _shipped(by_kind["file"], claims)
    shipped = runtime.load(file) if file else None
    after = _scores(folder, steps, "after")
    return Contents(
        name=facts["name"], task=tasks.from_json(facts["task"]), data=facts["data"],
        histories={name: model.history for name, model in by_kind["model"].items() if model.history},
        before=_scores(folder, steps, "before"), after=after, claims=claims,
        benches=_in_order([bench for made in by_kind["benches"].values() for bench in made], shipped, claims),
        card=shipped.card if shipped else None, findings=by_kind["findings"],
        looks=_looks(after), environment=facts["environment"],
        recipe=(folder / "recipe.yaml").read_text(encoding="utf-8"), file=file,
        verify_command=f"linnet verify {file} --data {facts['source']}" if file else "")


def _shipped(files: dict[str, Path], claims: list[Claim]) -> Path | None:
    """The file that the claims speak of; without claims, the last one written. One that is gone is said."""
    subjects = {claim.subject for claim in claims}
    for name, path in files.items():
        if not path.exists():
            log.warning("%s, which the step '%s' wrote, is gone; run the recipe again.", path.name, name)
    there = [path for path in files.values() if path.exists()]
    candidates = [path for path in there if runtime.load(path).identity in subjects] if subjects else there
    return candidates[-1] if candidates else None


def _is_made(folder: Path, key: str) -> bool:
    path = folder / "step.json"
    return path.exists() and bool(store.read_json(path)["key"] == key)


def _scores(folder: Path, steps: Mapping[str, str], role: str) -> Scores | None:
    found = [path for name, verb in steps.items() if verb == "prove"
             and (path := folder / name / f"{role}.parquet").exists()]
    return store.read_scores(found[-1]) if found else None


def _in_order(benches: list[runtime.Bench], shipped: runtime.Shipped | None, claims: list[Claim]
              ) -> list[runtime.Bench]:
    """What the shipped file was compared with first, the shipped file last; between them the larger ones first."""
    compared = {claim.than.subject for claim in claims if claim.than}
    return sorted(benches, key=lambda bench: (shipped is not None and bench.subject == shipped.identity,
                                              bench.subject not in compared, -bench.size_bytes))


def _looks(after: Scores | None) -> list[Look]:
    return Ledger().looks(after.data.fingerprint) if after else []
