"""The verbs of a recipe: what each calls, and how its value is kept between runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from linnet import evidence, export, introspect, nn, runtime, shrink, tasks, train
from linnet.data import Splits
from linnet.data.augment import Augment
from linnet.errors import LinnetError
from linnet.evidence import Claim, Scores
from linnet.progress import Progress
from linnet.recipe import store
from linnet.recipe.arguments import (
    Arguments,
    AttributionArguments,
    BenchArguments,
    ClaimArguments,
    ConfusionsArguments,
    ExportArguments,
    FitArguments,
    ForgettingArguments,
    LabelIssuesArguments,
    LeakageArguments,
    NearDuplicatesArguments,
    OperateArguments,
    ProfileArguments,
    ProveArguments,
    RedundancyArguments,
    SensitivityArguments,
    ShrinkArguments,
    SlicesArguments,
    TrainingArguments,
)
from linnet.recipe.consistency import nothing_removable


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


def fit(context: Context, arguments: FitArguments, folder: Path) -> nn.Model:
    """Train a model."""
    model = context.value(arguments.model) if isinstance(arguments.model, str) else _fresh(context, arguments.model)
    if arguments.start is not None:
        model = nn.transfer(nn.load(arguments.start), model)
    fitted = train.fit(model, context.task, context.splits, **training(context, arguments, folder))
    return replace(fitted, name=folder.name)


def _fresh(context: Context, wanted: Mapping[str, Mapping[str, Any]]) -> nn.Model:
    ((family, dial),) = wanted.items()
    try:
        return nn.FAMILIES[family](context.task, seed=context.seed, **dial)
    except TypeError as error:
        raise LinnetError(f"model family '{family}': {error}.") from error


def redundancy(context: Context, arguments: RedundancyArguments, folder: Path) -> introspect.Findings:
    """See which channels say the same."""
    model: nn.Model = context.value(arguments.model)
    if not model.removable:
        raise LinnetError(f"{nothing_removable(arguments.model, model.spec['family'])}.")
    responses = model.responses(context.task, getattr(context.splits, arguments.on), layers=model.removable)
    return introspect.redundancy(responses)


def confusions(context: Context, arguments: ConfusionsArguments, folder: Path) -> introspect.Findings:
    """See which labels are taken for one another."""
    return introspect.confusions(_answered(context, arguments.model, arguments.on))


def profile(context: Context, arguments: ProfileArguments, folder: Path) -> introspect.Findings:
    """See what is wrong with the data."""
    return introspect.profile(getattr(context.splits, arguments.on), seed=context.seed, progress=context.progress)


def leakage(context: Context, arguments: LeakageArguments, folder: Path) -> introspect.Findings:
    """See which samples of one part are, or nearly are, in another."""
    return introspect.leakage(context.splits, seed=context.seed, progress=context.progress)


def near_duplicates(context: Context, arguments: NearDuplicatesArguments, folder: Path) -> introspect.Findings:
    """See which samples are nearly the same."""
    return introspect.near_duplicates(getattr(context.splits, arguments.on), rate=arguments.rate, seed=context.seed,
                                      progress=context.progress)


def label_issues(context: Context, arguments: LabelIssuesArguments, folder: Path) -> introspect.Findings:
    """See which labels are probably wrong, by models that did not see them."""
    if not isinstance(context.task, tasks.Classify):
        raise LinnetError(f"label_issues doubts labels; the task {context.task.kind} answers with something else.")
    how = training(context, arguments, folder)
    how.pop("folder")
    asked = train.out_of_fold(_fresh(context, arguments.model), context.task, getattr(context.splits, arguments.on),
                              folds=arguments.folds, by=arguments.by, folder=folder / "folds", how=how)
    return introspect.label_issues(asked.probabilities, asked.given, names=asked.names, ids=asked.ids,
                                   rate=arguments.rate)


def attribution(context: Context, arguments: AttributionArguments, folder: Path) -> introspect.Findings:
    """See whether maps of what answers hang on may be believed."""
    part = getattr(context.splits, arguments.on)
    drawn = np.random.default_rng(context.seed).permutation(len(part))[:arguments.samples]  # rows often come by label
    return nn.attribution.explained(
        context.value(arguments.model), context.task, part.take(sorted(drawn.tolist())),
        method=arguments.method, layer=arguments.layer, progress=context.progress, seed=context.seed).findings


def slices(context: Context, arguments: SlicesArguments, folder: Path) -> introspect.Findings:
    """See for which samples a model is worse than for the rest."""
    return introspect.slices(_answered(context, arguments.model, arguments.on), clusters=arguments.clusters,
                             level=arguments.level, seed=context.seed)


def forgetting(context: Context, arguments: ForgettingArguments, folder: Path) -> introspect.Findings:
    """See what a model no longer answers that another one did."""
    before, after = (_answered(context, step, arguments.on) for step in (arguments.than, arguments.model))
    return introspect.forgetting(before, after, level=arguments.level)


def _answered(context: Context, step: str, on: str) -> Scores:
    return tasks.evaluate(predictor(context, step), context.task, getattr(context.splits, on),
                          progress=context.progress)


def sensitivity(context: Context, arguments: SensitivityArguments, folder: Path) -> introspect.Findings:
    """See which layers suffer from fewer bits."""
    wanted = arguments.model_dump(exclude={"model", "on"})
    return shrink.sensitivity(context.value(arguments.model), context.task, getattr(context.splits, arguments.on),
                              seed=context.seed, progress=context.progress, **wanted)


def shrink_(context: Context, arguments: ShrinkArguments, folder: Path) -> nn.Model:
    """Make a model smaller."""
    wanted = arguments.plan
    found = context.value(wanted.findings) if wanted.findings else None
    plan = shrink.plan(found, keep=wanted.keep)
    plan = plan.quantize(wanted.bits) if wanted.bits else plan
    for method, settings in wanted.methods.items():
        plan = plan.plus(method, **settings)
    if wanted.protect:
        plan = shrink.protect(plan, context.value(wanted.protect), sqnr_db=wanted.sqnr_db)
    smaller = shrink.apply(plan, context.value(arguments.model), context.task, context.splits,
                           **training(context, arguments, folder))
    return replace(smaller, name=folder.name)


def operate(context: Context, arguments: OperateArguments, folder: Path) -> tasks.Task:
    """Choose the thresholds that serve what is wanted."""
    task = context.value(arguments.task) if arguments.task else context.task
    return tasks.operate(task, predictor(context, arguments.model), getattr(context.splits, arguments.on),
                         progress=context.progress, **arguments.wanted)


def export_(context: Context, arguments: ExportArguments, folder: Path) -> Path:
    """Write the file that ships."""
    task = context.value(arguments.task) if arguments.task else context.task
    return export.write(context.value(arguments.model), task, context.folder / arguments.path,
                        samples=context.splits.validation)


def prove(context: Context, arguments: ProveArguments, folder: Path) -> list[Claim]:
    """Look at the test part, once, and write the claims into the file."""
    path: Path = context.value(arguments.file)
    context = replace(context, task=runtime.load(path).task)  # at the operating point at which it ships
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
    for kind in ("accuracy_at_least", "accuracy_in_every_group", "mean_score_at_least"):
        if asked := getattr(wanted, kind):
            return evidence.KINDS[kind](scores_of(context, path), **asked.model_dump())
    for kind in ("no_worse", "better", "equivalent"):
        if asked := getattr(wanted, kind):
            settings = asked.model_dump()
            before = scores_of(context, settings.pop("than"))
            return evidence.KINDS[kind](scores_of(context, path), before, **settings)
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


def bench(context: Context, arguments: BenchArguments, folder: Path) -> list[runtime.Bench]:
    """Measure latency, throughput, memory and size, files and engines in turn."""
    paths = [context.value(step) for step in arguments.files]
    if len(arguments.engines) == 1:
        return runtime.bench_many(paths, engine=arguments.engines[0], threads=arguments.threads,
                                  seconds=arguments.seconds)
    return runtime.bench_engines(paths, arguments.engines, threads=arguments.threads, seconds=arguments.seconds)


def predictor(context: Context, step: str) -> tasks.Predictor:
    """A step's model, or its shipped file opened by the engine."""
    value = context.value(step)
    return runtime.load(value) if isinstance(value, Path) else value


def training(context: Context, arguments: TrainingArguments, folder: Path) -> dict[str, Any]:
    """The keywords that `train.fit` and `shrink.apply` share."""
    augment = Augment.from_json(arguments.augment) if isinstance(arguments.augment, list) else arguments.augment
    given: dict[str, Any] = {"seed": context.seed, "augment": augment, "options": arguments.options, "folder": folder,
                             "progress": context.progress}
    if arguments.epochs:
        given["epochs"] = arguments.epochs
    if arguments.teacher:
        given["teacher"] = predictor(context, arguments.teacher)
    return given


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


def _save_task(value: tasks.Task, folder: Path) -> None:
    store.write_json(folder / "task.json", value.to_json())


def _load_task(folder: Path) -> tasks.Task:
    return tasks.from_json(store.read_json(folder / "task.json"))


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
    "sensitivity": Verb("see which layers suffer from fewer bits", SensitivityArguments, run=sensitivity, **_FINDINGS),
    "confusions": Verb("see which labels are taken for one another", ConfusionsArguments, run=confusions, **_FINDINGS),
    "profile": Verb("see what is wrong with the data", ProfileArguments, run=profile, **_FINDINGS),
    "leakage": Verb("see which samples are in two parts", LeakageArguments, run=leakage, **_FINDINGS),
    "near_duplicates": Verb("see which samples are nearly the same", NearDuplicatesArguments, run=near_duplicates,
                            **_FINDINGS),
    "label_issues": Verb("see which labels are probably wrong", LabelIssuesArguments, run=label_issues, **_FINDINGS),
    "attribution": Verb("see whether maps of what answers hang on may be believed", AttributionArguments,
                        run=attribution, **_FINDINGS),
    "slices": Verb("see for which samples a model is worse", SlicesArguments, run=slices, **_FINDINGS),
    "forgetting": Verb("see what a smaller model no longer answers", ForgettingArguments, run=forgetting,
                       **_FINDINGS),
    "shrink": Verb("make a model smaller", ShrinkArguments, run=shrink_, **_MODEL),
    "operate": Verb("choose the thresholds that serve what is wanted", OperateArguments, gives="task", run=operate,
                    save=_save_task, load=_load_task),
    "export": Verb("write the file that ships", ExportArguments, gives="file", run=export_, save=_save_file,
                   load=_load_file),
    "prove": Verb("derive claims on the test part and write them into the file", ProveArguments, gives="claims",
                  run=prove, save=_save_claims, load=_load_claims),
    "bench": Verb("measure latency, throughput, memory and size", BenchArguments, gives="benches", run=bench,
                  save=_save_benches, load=_load_benches),
}
