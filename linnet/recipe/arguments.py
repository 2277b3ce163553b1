"""What each verb of a recipe takes: its keywords, checked, and which of them name an earlier step."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from linnet import nn, runtime, shrink, train
from linnet.data.augment import Augment
from linnet.errors import LinnetError, unknown


@dataclass(frozen=True)
class Refers:
    """Marks an argument that names an earlier step, and what that step must give."""

    kinds: tuple[str, ...]


ModelStep = Annotated[str, Refers(("model",))]
FileStep = Annotated[str, Refers(("file",))]
AnyModelStep = Annotated[str, Refers(("model", "file"))]
FindingsStep = Annotated[str, Refers(("findings",))]
TaskStep = Annotated[str, Refers(("task",))]
Part = Literal["train", "validation"]


class Arguments(BaseModel):
    """The keywords of a verb; unknown ones fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


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

class FitArguments(TrainingArguments):
    """Keywords of `train.fit`; `model` is a family with its dial, or an earlier step's model.

    `start` is a folder with a model that a family begins from (`nn.transfer`), such as runs/other/big.
    """

    model: dict[str, dict[str, Any]] | ModelStep
    start: str | None = None

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
        elif self.start is not None:
            raise ValueError("start gives a new family's weights; an earlier step's model has its own")
        return self


class RedundancyArguments(Arguments):
    """Keywords of `introspect.redundancy`."""

    model: ModelStep
    on: Part = "validation"


class ConfusionsArguments(Arguments):
    """Keywords of `introspect.confusions`; never on the test part, which is looked at last."""

    model: AnyModelStep
    on: Part = "validation"


class ProfileArguments(Arguments):
    """Keywords of `introspect.profile`; never on the test part."""

    on: Part = "train"


class LeakageArguments(Arguments):
    """`introspect.leakage` looks at all parts at once: at what goes in, never at an answer."""


class NearDuplicatesArguments(Arguments):
    """Keywords of `introspect.near_duplicates`; never on the test part."""

    on: Part = "train"
    rate: float = Field(default=0.02, gt=0, lt=1)


class LabelIssuesArguments(FitArguments):
    """Keywords of `train.out_of_fold` and `introspect.label_issues`; `model` is a family with its dial."""

    model: dict[str, dict[str, Any]]
    start: None = None
    on: Part = "train"
    folds: int = Field(default=5, ge=2)
    by: str | None = None
    rate: float = Field(default=0.05, gt=0, lt=1)


class AttributionArguments(Arguments):
    """Keywords of `nn.attribution.explained`; on `samples` drawn from a part, never from the test part."""

    model: ModelStep
    on: Part = "validation"
    method: Literal[tuple(nn.attribution.METHODS)] = "integrated_gradients"  # type: ignore[valid-type]
    layer: str | None = None
    samples: int = Field(default=64, ge=2)


class SlicesArguments(Arguments):
    """Keywords of `introspect.slices`; by the task's groups and the target."""

    model: AnyModelStep
    on: Part = "validation"
    clusters: str | None = None
    level: float = Field(default=0.95, gt=0.5, lt=1)


class ForgettingArguments(Arguments):
    """Keywords of `introspect.forgetting`: a model, and what it was made from."""

    model: AnyModelStep
    than: AnyModelStep
    on: Part = "validation"
    level: float = Field(default=0.95, gt=0.5, lt=1)


class SensitivityArguments(Arguments):
    """Keywords of `shrink.sensitivity`; never on the test part, which is looked at last."""

    model: ModelStep
    on: Part = "validation"
    bits: list[int] = Field(default=[8], min_length=1)
    how: shrink.How = "round"
    samples: int = Field(default=256, ge=1)


class PlanArguments(Arguments):
    """Keywords of `shrink.plan` and `Plan.quantize`; `methods` has the settings of any method by its name.

    `protect` is a step of sensitivity: what it saw becomes layers in float, or bits of their own, so that the outputs
    are predicted to keep `sqnr_db` of signal to noise.
    """

    findings: FindingsStep | None = None
    keep: float = Field(default=1.0, gt=0, le=1)
    bits: Literal[8] | None = None
    methods: dict[str, dict[str, Any]] = {}
    protect: FindingsStep | None = None
    sqnr_db: float = 25.0

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        try:
            if value:
                shrink.check(shrink.Plan(value))
        except LinnetError as error:
            raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _something_to_keep(self) -> PlanArguments:
        if self.keep < 1 and self.findings is None:
            raise ValueError("keep needs findings, which say what can go; add the step of introspect.redundancy")
        return self


class ShrinkArguments(TrainingArguments):
    """Keywords of `shrink.apply`."""

    model: ModelStep
    plan: PlanArguments


class OperateArguments(Arguments):
    """Keywords of `tasks.operate`; `wanted` are the task's own: costs of mistakes, or a rate to be kept.

    `task` is an earlier such step to go on from: what is chosen on one part, then what is chosen on another.
    """

    model: AnyModelStep
    task: TaskStep | None = None
    on: Part = "validation"
    wanted: dict[str, Any] = {}


class ExportArguments(Arguments):
    """Keywords of `export.write`; `path` is a file name in the run's folder, `task` a step that chose thresholds."""

    model: ModelStep
    task: TaskStep | None = None
    path: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.onnx$")


class AccuracyArguments(Arguments):
    """Keywords of `evidence.accuracy_at_least`."""

    bound: float = Field(gt=0, le=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    clusters: str | None = None


class EveryGroupArguments(AccuracyArguments):
    """Keywords of `evidence.accuracy_in_every_group`."""

    by: str


class MeanScoreArguments(AccuracyArguments):
    """Keywords of `evidence.mean_score_at_least`."""


class NoWorseArguments(Arguments):
    """Keywords of `evidence.no_worse`."""

    than: AnyModelStep
    margin: float = Field(gt=0, lt=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    clusters: str | None = None


class BetterArguments(Arguments):
    """Keywords of `evidence.better`."""

    than: AnyModelStep
    by: float = Field(default=0.0, ge=0, lt=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    clusters: str | None = None


class EquivalentArguments(NoWorseArguments):
    """Keywords of `evidence.equivalent`."""


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
    accuracy_in_every_group: EveryGroupArguments | None = None
    mean_score_at_least: MeanScoreArguments | None = None
    no_worse: NoWorseArguments | None = None
    better: BetterArguments | None = None
    equivalent: EquivalentArguments | None = None
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


class BenchArguments(Arguments):
    """Keywords of `runtime.bench_many`."""

    files: list[FileStep] = Field(min_length=1)
    engines: list[str] = Field(default=["onnxruntime"], min_length=1)
    threads: int = Field(default=1, ge=1)
    seconds: float = Field(default=2.0, gt=0)

    @field_validator("engines")
    @classmethod
    def _known_engines(cls, value: list[str]) -> list[str]:
        for engine in value:
            if engine not in runtime.ENGINES:
                raise ValueError(str(unknown("engine", engine, runtime.ENGINES)))
        return value


def keywords_of(function: Callable[..., Any]) -> type[BaseModel]:
    """A model of the function's keywords (all but the first argument), so that unknown or ill-typed ones fail.

    Nothing is turned into another type, but a whole number passes for a number and a list for any sequence.
    """
    made = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    kinds = get_type_hints(made)
    fields: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:  # **options: Unpack[Options], each of which may be left out
            fields |= {option: (_plain(kind), None) for option, kind in get_type_hints(*get_args(kinds[name])).items()}
        else:
            fields[name] = (_plain(kinds[name]), ... if parameter.default is parameter.empty else parameter.default)
    config = ConfigDict(extra="forbid", frozen=True, strict=True)
    return create_model(f"{function.__name__}Keywords", __config__=config, **fields)


def _plain(kind: Any) -> Any:
    """What YAML can say of a keyword: values of our own classes are for Python only."""
    options = get_args(kind) if isinstance(kind, UnionType) or get_origin(kind) is Union else (kind,)
    plain = [option for option in options if not getattr(option, "__module__", "").startswith("linnet.")]
    return Union[tuple(plain)] if plain else Any  # noqa: UP007 the members are known at run time only


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
