"""Run a recipe: do what changed, keep what did not, and end with a report."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from linnet import __version__, data, evidence, nn, report, runtime, tasks
from linnet.errors import LinnetError, NotAvailableError, unknown
from linnet.evidence import Claim, Verdict, canonical_json
from linnet.files import alone
from linnet.progress import Progress
from linnet.recipe import contents, store
from linnet.recipe.arguments import Arguments, FitArguments, OperateArguments, ProveArguments, references
from linnet.recipe.reading import Recipe, load
from linnet.recipe.task import after_another, make_task
from linnet.recipe.verbs import VERBS, Context
from linnet.runtime import artifact

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Outcome:
    """Where a run's results lie, its one sentence, and the verdict of all its claims (None without claims)."""

    folder: Path
    report: Path
    sentence: str
    verdict: Verdict | None


def run(path: str | Path, *, until: str | None = None, changes: Mapping[str, str] | None = None,
        folder: str | Path = "runs", progress: Progress | None = None) -> Outcome:
    """Run the recipe at `path` below `folder`, redoing only steps whose arguments, inputs or data changed.

    `until` names the last step to run; `changes` are values by dotted path ({"big.epochs": "3"}). A stop or a kill
    loses at most the epoch that was running. Raises LinnetError for a wrong recipe, before anything runs.
    """
    recipe = load(path, changes=changes)
    _check_until(until, recipe)
    try:
        splits = splits_of(recipe)
    except NotAvailableError as error:
        if recipe.otherwise is None:
            raise
        log.warning("%s Running %s instead.", error, recipe.otherwise)
        recipe = load(Path(path).parent / recipe.otherwise, changes=changes)
        _check_until(until, recipe)
        splits = splits_of(recipe)
    with alone(Path(folder) / recipe.name, "run"):
        return _Run(recipe, splits, Path(folder) / recipe.name, progress).go(until)


def _check_until(until: str | None, recipe: Recipe) -> None:
    if until is not None and until not in recipe.steps:
        raise unknown("step", until, recipe.steps)


def splits_of(recipe: Recipe) -> data.Splits:
    """The recipe's data, its rows drawn and split by the recipe's seed. Raises NotAvailableError without the data."""
    wanted = recipe.data.split
    seed = recipe.seed if wanted.seed is None else wanted.seed
    loaded = data.load(recipe.data.source, **recipe.data.options)
    if recipe.data.rows is not None and recipe.data.rows < len(loaded):
        drawn = np.random.default_rng(seed).permutation(len(loaded))[:recipe.data.rows]
        log.warning("only %d of the %d rows are used (data.rows).", len(drawn), len(loaded))
        loaded = loaded.take(sorted(drawn.tolist()))
    return loaded.split(**wanted.model_dump(exclude={"seed"}, exclude_none=True), seed=seed)


@dataclass
class _Run:
    """One run of one recipe: the values and keys of the steps so far."""

    recipe: Recipe
    splits: data.Splits
    folder: Path
    progress: Progress | None
    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def go(self, until: str | None) -> Outcome:
        self.task = make_task(self.recipe, self.splits, folder=self.folder)
        for name, (verb, arguments) in self.recipe.steps.items():
            self.keys[name] = self._key(verb, arguments)
        self._write_facts()
        self._check_ahead()
        for name, (verb, arguments) in self.recipe.steps.items():
            if self._is_done(name) and self._is_carried(name, arguments):
                log.info("%s: unchanged, kept.", name)
            else:
                self._do(name, verb, arguments)
            if name == until or self._is_refused(name, arguments):
                break
        return self._finish()

    def _check_ahead(self) -> None:
        """What is needed at the end, found before the first epoch: an operating point that the task knows, and for a
        proof a test part that can be read, and a ledger.
        """
        for name, (_, arguments) in self.recipe.steps.items():
            if isinstance(arguments, OperateArguments):
                try:
                    tasks.check_wanted(self.task, arguments.wanted)
                except LinnetError as error:
                    raise LinnetError(f"{name}: {error}") from error
        if any(isinstance(arguments, ProveArguments) for _, arguments in self.recipe.steps.values()):
            self.task.read(self.splits.test)
            evidence.Ledger().ready()

    def _key(self, verb: str, arguments: Arguments) -> str:
        """A hash of all that the result depends on: arguments, inputs' keys, data, task, seed, version."""
        inputs = {where: self.keys[step] for where, (step, _) in references(arguments).items()}
        if isinstance(arguments, FitArguments) and arguments.start is not None:
            with after_another():
                inputs["start"] = nn.load(arguments.start).identity
        parts = [part.fingerprint for part in (self.splits.train, self.splits.validation, self.splits.test)]
        facts = [verb, arguments.model_dump(mode="json"), inputs, parts, self.task.to_json(), self.recipe.seed,
                 __version__]
        return hashlib.sha256(canonical_json(facts).encode()).hexdigest()

    def _is_done(self, name: str) -> bool:
        path = self.folder / name / "step.json"
        if not path.exists():
            return False
        state = store.read_json(path)
        return bool(state["key"] == self.keys[name] and state["status"] == "done"
                    and all(_digest(self.folder / file) == digest for file, digest in state["outputs"].items()))

    def _is_carried(self, name: str, arguments: Arguments) -> bool:
        """Whether the file still carries what a proof wrote into it: one that was written anew carries nothing."""
        if not isinstance(arguments, ProveArguments) or self._lacking(name, arguments):
            return True
        carried = runtime.load(self._value(arguments.file)).claims
        return all(claim in carried for claim in self._value(name))

    def _do(self, name: str, verb: str, arguments: Arguments) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "step.json").unlink(missing_ok=True)
        context = Context(self.splits, self.task, self.recipe.seed, self.folder, self._value, self._named(name))
        start = time.perf_counter()
        value = VERBS[verb].run(context, arguments, folder)
        VERBS[verb].save(value, folder)
        self.values[name] = value
        stopped = getattr(value, "notes", {}).get("stopped")
        outputs = {str(file.relative_to(self.folder)): _digest(file) for file in self._outputs(folder, value)}
        store.write_json(folder / "step.json", {"key": self.keys[name], "verb": verb, "outputs": outputs,
                                                "status": "stopped" if stopped else "done",
                                                "seconds": round(time.perf_counter() - start, 2)})
        if stopped:
            raise KeyboardInterrupt

    def _outputs(self, folder: Path, value: Any) -> list[Path]:
        files = [file for file in sorted(folder.iterdir())
                 if file.suffix != ".partial" and file.name not in ("step.json", "checkpoint.safetensors")]
        return [*files, value] if isinstance(value, Path) else files

    def _value(self, name: str) -> Any:
        if name not in self.values:
            verb, _ = self.recipe.steps[name]
            self.values[name] = VERBS[verb].load(self.folder / name)
        return self.values[name]

    def _named(self, name: str) -> Progress | None:
        return None if self.progress is None else partial(_with_name, self.progress, name)

    def _is_refused(self, name: str, arguments: Arguments) -> bool:
        """Whether a proof was required and does not stand: nothing after it may run."""
        lacking = self._lacking(name, arguments)
        for claim in lacking:
            log.warning("%s: required, but it %s: %s", name, "fails" if claim.verdict == "fails" else "is undecided",
                        claim.reason or claim.statement)
        return bool(lacking)

    def _lacking(self, name: str, arguments: Arguments) -> list[Claim]:
        """The claims for whose sake a proof was refused."""
        if not isinstance(arguments, ProveArguments) or arguments.require is None:
            return []
        return [claim for claim in self._value(name) if not claim.holds]

    def _write_facts(self) -> None:
        parts = (self.splits.train, self.splits.validation, self.splits.test)
        store.write_text(self.folder / "recipe.yaml", self.recipe.text)
        store.write_json(self.folder / "run.json", {
            "name": self.recipe.name, "seed": self.recipe.seed, "source": self.recipe.data.source,
            "steps": {name: verb for name, (verb, _) in self.recipe.steps.items()}, "keys": self.keys,
            "task": self.task.to_json(), "data": [data.describe(part) for part in parts], "environment": environment()})

    def _finish(self) -> Outcome:
        found = contents.read(self.folder)
        page = report.write(found, self.folder / "report.html")
        verdict = evidence.verdict_of(found.claims) if found.claims else None
        return Outcome(self.folder, page, report.summary(found), verdict)


def _with_name(progress: Progress, name: str, done: int, total: int, text: str) -> None:
    progress(done, total, f"{name}: {text}")


def _digest(path: Path) -> str | None:
    """SHA-256 of a file, of a model file without its claims (a later step adds them); None where it is gone."""
    try:
        if path.suffix == ".onnx":
            return artifact.read(path).identity
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, LinnetError):
        return None


def environment() -> dict[str, str]:
    """What the run ran on."""
    packages = ("torch", "onnxruntime", "onnx", "numpy", "scipy", "pyarrow")
    versions = {package: _version(package) for package in packages}
    return {"linnet": __version__, "python": platform.python_version(), "system": platform.system(),
            "machine": platform.machine(), "cores": str(os.cpu_count()), **versions}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
