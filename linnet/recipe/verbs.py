"""The verbs of a recipe: each one's arguments, what it gives, and the call it stands for."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from linnet import evidence, export, introspect, nn, runtime, shrink, tasks, train
from linnet.data import Splits
from linnet.data.augment import Augment
from linnet.errors import LinnetError, unknown
from linnet.evidence import Claim, Scores
from linnet.recipe import store

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Refers:
    """Marks an argument that names an earlier step, and what that step must give."""

    kinds: tuple[str, ...]


ModelStep = Annotated[str, Refers(("model",))]
FileStep = Annotated[str, Refers(("file",))]
AnyModelStep = Annotated[str, Refers(("model", "file"))]
FindingsStep = Annotated[str, Refers(("findings",))]
Part = Literal["train", "validation"]


class Arguments(BaseModel):
    """The keywords of a verb; unknown ones fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True)
class Context:
    """What every verb can reach: the data, the task, and the values of earlier steps."""

    splits: Splits
    task: tasks.Task
    seed: int
    folder: Path
    """The run's folder: shipped files lie there, a step's own files in a folder of its name."""
    value: Callable[[str], Any]
    """The value of an earlier step."""
    progress: Progress | None = None
    measured: dict[str | Path, Scores] = field(default_factory=dict)
    """Scores on the test part by step, or by file."""


class TrainingArguments(Arguments):
    """What `fit` and `shrink` share."""

    epochs: int | None = Field(default=None, ge=1)
    teacher: AnyModelStep | None = None
    augment: str | list[dict[str, Any]] | None = None
    options: train.Options | None = None

    @field_validator("augment")
    @classmethod
    def _known_augmentation(cls, value: str | list[dict[str, Any]] | None) -> str | list[dict[str, Any]] | None:
        try:
            train.augmentation(Augment.from_json(value) if isinstance(value, list) else value)
        except LinnetError as error:
            raise ValueError(str(error)) from error
        return value

    def keywords(self, context: Context, folder: Path) -> dict[str, Any]:
        """The keywords of the call."""
        augment = Augment.from_json(self.augment) if isinstance(self.augment, list) else self.augment
        given: dict[str, Any] = {"seed": context.seed, "augment": augment, "options": self.options, "folder": folder,
                                 "progress": context.progress}
        if self.epochs:
            given["epochs"] = self.epochs
        if self.teacher:
            given["teacher"] = predictor(context, self.teacher)
        return given


class FitArguments(TrainingArguments):
    """Keywords of `train.fit`; `model` is a family with its dial, or an earlier step's model."""

    model: dict[str, dict[str, Any]] | ModelStep

    @model_validator(mode="after")
    def _one_family(self) -> FitArguments:
        if isinstance(self.model, dict):
            if len(self.model) != 1:
                raise ValueError("model is one family with its dial, for example {dscnn: {width: 64}}")
            ((family, dial),) = self.model.items()
            if family not in nn.FAMILIES:
                raise ValueError(str(unknown("model family", family, nn.FAMILIES)))
            known = [name for name in inspect.signature(nn.FAMILIES[family]).parameters if name not in ("task", "seed")]
            for name in dial:
                if name not in known:
                    raise ValueError(str(unknown(f"dial of {family}", name, known)))
        return self


def fit(context: Context, arguments: FitArguments, folder: Path) -> nn.Model:
    """Train a model."""
    if isinstance(arguments.model, str):
        model = context.value(arguments.model)
    else:
        ((family, dial),) = arguments.model.items()
        try:
            model = nn.FAMILIES[family](context.task, seed=context.seed, **dial)
        except TypeError as error:
            raise LinnetError(f"model family '{family}': {error}.") from error
    fitted = train.fit(model, context.task, context.splits, **arguments.keywords(context, folder))
    return replace(fitted, name=folder.name)


class RedundancyArguments(Arguments):
    """Keywords of `introspect.redundancy`."""

    model: ModelStep
    on: Part = "validation"


def redundancy(context: Context, arguments: RedundancyArguments, folder: Path) -> introspect.Findings:
    """See which channels say the same."""
    model: nn.Model = context.value(arguments.model)
    responses = model.responses(context.task, getattr(context.splits, arguments.on), layers=model.removable)
    return introspect.redundancy(responses)


class ConfusionsArguments(Arguments):
    """Keywords of `introspect.confusions`; never on the test part, which is looked at last."""

    model: AnyModelStep
    on: Part = "validation"


def confusions(context: Context, arguments: ConfusionsArguments, folder: Path) -> introspect.Findings:
    """See which labels are taken for one another."""
    scores = tasks.evaluate(predictor(context, arguments.model), context.task, getattr(context.splits, arguments.on),
                            progress=context.progress)
    return introspect.confusions(scores)


class PlanArguments(Arguments):
    """Keywords of `shrink.plan` and `Plan.quantize`."""

    findings: FindingsStep | None = None
    keep: float = Field(default=1.0, gt=0, le=1)
    bits: Literal[8] | None = None

    @model_validator(mode="after")
    def _something_to_keep(self) -> PlanArguments:
        if self.keep < 1 and self.findings is None:
            raise ValueError("keep needs findings, which say what can go; add the step of introspect.redundancy")
        return self


class ShrinkArguments(TrainingArguments):
    """Keywords of `shrink.apply`."""

    model: ModelStep
    plan: PlanArguments


def shrink_(context: Context, arguments: ShrinkArguments, folder: Path) -> nn.Model:
    """Make a model smaller."""
    wanted = arguments.plan
    found = context.value(wanted.findings) if wanted.findings else None
    plan = shrink.plan(found, keep=wanted.keep)
    plan = plan.quantize(wanted.bits) if wanted.bits else plan
    smaller = shrink.apply(plan, context.value(arguments.model), context.task, context.splits,
                           **arguments.keywords(context, folder))
    return replace(smaller, name=folder.name)


class ExportArguments(Arguments):
    """Keywords of `export.write`; `path` is a file name in the run's folder."""

    model: ModelStep
    path: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.onnx$")


def export_(context: Context, arguments: ExportArguments, folder: Path) -> Path:
    """Write the file that ships."""
    return export.write(context.value(arguments.model), context.task, context.folder / arguments.path,
                        samples=context.splits.validation)


class AccuracyArguments(Arguments):
    """Keywords of `evidence.accuracy_at_least`."""

    bound: float = Field(gt=0, le=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    clusters: str | None = None


class NoWorseArguments(Arguments):
    """Keywords of `evidence.no_worse`."""

    than: AnyModelStep
    margin: float = Field(gt=0, lt=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    clusters: str | None = None


class LatencyArguments(Arguments):
    """Keywords of `evidence.latency_below`."""

    bound_ms: float = Field(gt=0)
    quantile: float = Field(default=0.95, gt=0, lt=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)


class SizeArguments(Arguments):
    """Keywords of `evidence.size_below`."""

    bound_kb: float = Field(gt=0)


class ClaimArguments(Arguments):
    """One claim by its kind."""

    accuracy_at_least: AccuracyArguments | None = None
    no_worse: NoWorseArguments | None = None
    latency_below: LatencyArguments | None = None
    size_below: SizeArguments | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> ClaimArguments:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"give exactly one kind of claim; known: {', '.join(type(self).model_fields)}")
        return self


class ProveArguments(Arguments):
    """Keywords of `export.prove`."""

    file: FileStep
    claims: list[ClaimArguments] = Field(min_length=1)
    require: Literal["holds"] | None = None


def prove(context: Context, arguments: ProveArguments, folder: Path) -> list[Claim]:
    """Look at the test part, once, and write the claims into the file."""
    path: Path = context.value(arguments.file)
    made = [_claim(context, path, claim) for claim in arguments.claims]
    store.write_scores(_by_role(context.measured, path), folder)
    if arguments.require and evidence.verdict_of(made) != "holds":
        return [export.counted(claim) for claim in made]  # the run ends here; the file stays without claims
    export.prove(path, made, keep=False)  # the file carries what the recipe asks, not what it asked before
    return list(runtime.load(path).claims)


def _by_role(measured: Mapping[str | Path, Scores], path: Path) -> dict[str, Scores | None]:
    """The shipped file's scores, and those of what it was first compared with."""
    others = [scores for of, scores in measured.items() if of != path]
    return {"after": measured.get(path), "before": others[0] if others else None}


def _claim(context: Context, path: Path, wanted: ClaimArguments) -> Claim:
    if wanted.accuracy_at_least:
        return evidence.accuracy_at_least(scores_of(context, path), **wanted.accuracy_at_least.model_dump())
    if wanted.no_worse:
        settings = wanted.no_worse.model_dump()
        before = scores_of(context, settings.pop("than"))
        return evidence.no_worse(scores_of(context, path), before, **settings)
    if wanted.latency_below:
        return evidence.latency_below(runtime.bench(path).timing, **wanted.latency_below.model_dump())
    assert wanted.size_below is not None
    return evidence.size_below(runtime.load(path).size, **wanted.size_below.model_dump())


def scores_of(context: Context, of: str | Path) -> Scores:
    """Scores of a step or a file on the test part, measured once."""
    if of not in context.measured:
        model = runtime.load(of) if isinstance(of, Path) else predictor(context, of)
        context.measured[of] = tasks.evaluate(model, context.task, context.splits.test, progress=context.progress)
    return context.measured[of]


class BenchArguments(Arguments):
    """Keywords of `runtime.bench_many`."""

    files: list[FileStep] = Field(min_length=1)
    engines: list[Literal["onnxruntime"]] = ["onnxruntime"]
    threads: int = Field(default=1, ge=1)
    seconds: float = Field(default=2.0, gt=0)


def bench(context: Context, arguments: BenchArguments, folder: Path) -> list[runtime.Bench]:
    """Measure latency, throughput, memory and size, the files in turn."""
    paths = [context.value(step) for step in arguments.files]
    results: list[runtime.Bench] = []
    for engine in arguments.engines:
        results += runtime.bench_many(paths, engine=engine, threads=arguments.threads, seconds=arguments.seconds)
    return results


def predictor(context: Context, step: str) -> tasks.Predictor:
    """A step's model, or its shipped file opened by the engine."""
    value = context.value(step)
    return runtime.load(value) if isinstance(value, Path) else value


@dataclass(frozen=True)
class Verb:
    """A verb: what it takes, what it gives, the call, and how its value is kept between runs."""

    summary: str
    arguments: type[Arguments]
    gives: str
    run: Callable[[Context, Any, Path], Any]
    save: Callable[[Any, Path], None]
    load: Callable[[Path], Any]


def _save_findings(value: introspect.Findings, folder: Path) -> None:
    store.write_json(folder / "findings.json", value.to_json())


def _load_findings(folder: Path) -> introspect.Findings:
    return introspect.Findings.from_json(store.read_json(folder / "findings.json"))


def _save_file(value: Path, folder: Path) -> None:
    store.write_json(folder / "file.json", {"file": value.name})


def _load_file(folder: Path) -> Path:
    return folder.parent / str(store.read_json(folder / "file.json")["file"])


def _save_claims(value: list[Claim], folder: Path) -> None:
    store.write_json(folder / "claims.json", [claim.model_dump(mode="json") for claim in value])


def _load_claims(folder: Path) -> list[Claim]:
    return [Claim.model_validate_json(json.dumps(value)) for value in store.read_json(folder / "claims.json")]


def _save_benches(value: list[runtime.Bench], folder: Path) -> None:
    store.write_json(folder / "bench.json", [bench.to_json() for bench in value])


def _load_benches(folder: Path) -> list[runtime.Bench]:
    return [runtime.Bench.from_json(value) for value in store.read_json(folder / "bench.json")]


_FINDINGS: Mapping[str, Any] = {"gives": "findings", "save": _save_findings, "load": _load_findings}
_MODEL: Mapping[str, Any] = {"gives": "model", "save": nn.save, "load": nn.load}

VERBS: dict[str, Verb] = {
    "fit": Verb("train a model", FitArguments, run=fit, **_MODEL),
    "redundancy": Verb("see which channels say the same", RedundancyArguments, run=redundancy, **_FINDINGS),
    "confusions": Verb("see which labels are taken for one another", ConfusionsArguments, run=confusions, **_FINDINGS),
    "shrink": Verb("make a model smaller", ShrinkArguments, run=shrink_, **_MODEL),
    "export": Verb("write the file that ships", ExportArguments, gives="file", run=export_, save=_save_file,
                   load=_load_file),
    "prove": Verb("derive claims on the test part and write them into the file", ProveArguments, gives="claims",
                  run=prove, save=_save_claims, load=_load_claims),
    "bench": Verb("measure latency, throughput, memory and size", BenchArguments, gives="benches", run=bench,
                  save=_save_benches, load=_load_benches),
}


def references(arguments: BaseModel, where: str = "") -> dict[str, tuple[str, tuple[str, ...]]]:
    """Every argument that names an earlier step: its place, the name, and the kinds that it may give."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, info in type(arguments).model_fields.items():
        value, place = getattr(arguments, name), f"{where}{name}"
        kinds = _kinds(info.annotation, info.metadata)
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            here = f"{place}.{number}" if isinstance(value, list) else place
            if isinstance(item, BaseModel):
                found |= references(item, f"{here}.")
            elif isinstance(item, str) and kinds:
                found[here] = (item, kinds)
    return found


def _kinds(annotation: Any, metadata: list[Any]) -> tuple[str, ...]:
    for mark in (*metadata, *getattr(annotation, "__metadata__", ())):
        if isinstance(mark, Refers):
            return mark.kinds
    return next((kinds for part in getattr(annotation, "__args__", ()) if (kinds := _kinds(part, []))), ())
