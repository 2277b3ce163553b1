"""What is to be decided, written down before anything is seen: the plan of an experiment."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from linnet import plain_yaml
from linnet.errors import LinnetError

Kind = Literal["proportion", "mean", "ratio", "quantile"]
Goal = Literal["increase", "decrease"]
Role = Literal["success", "guardrail"]

_WINDOW = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day|week)s?")
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
_SHORT_WINDOW = re.compile(r"(\d+(?:\.\d+)?) ?(s|sec|m|min|h|hr|hour|d|day|w|wk|week)s?", re.IGNORECASE)
_UNIT_OF = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "hr": "hour", "hour": "hour",
            "d": "day", "day": "day", "w": "week", "wk": "week", "week": "week"}
_LOOSE_NUMBER = re.compile(r"(-?\d*\.?\d+) ?(%?)")
_HINT = "A plan is a YAML file with the keys name, arm, arms and metrics."


class Metric(BaseModel):
    """One thing that is measured on every unit, and what is asked of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    kind: Kind
    value: str | None = None
    """The column; several rows of a unit are added up (for a proportion: any of them)."""
    numerator: str | None = None
    denominator: str | None = None
    share: bool = False
    """The numerator of a ratio is a part of its denominator (clicks of views): more of it is refused."""
    covariate: str | None = None
    """A column known before the first exposure, by which the variance is reduced (CUPED)."""
    role: Role = "success"
    goal: Goal = Field(default=None, validate_default=True)
    """Which way is good; a guardrail must say it, a success metric goes up where nothing is said."""
    minimum_effect: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The smallest effect worth having, in the metric's own unit, as a size without a sign."""
    minimum_lift: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The same as a share of the control arm's value."""
    baseline: float | None = Field(default=None, allow_inf_nan=False)
    """What the control arm is expected to show."""
    deviation: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """The expected standard deviation over units of a mean or ratio; `power` needs it."""
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """By how much a guardrail may be worse, in the metric's own unit."""
    margin_lift: float | None = Field(default=None, gt=0, lt=1, allow_inf_nan=False)
    """The same as a share of the control arm's value."""
    cap: float | None = Field(default=None, allow_inf_nan=False)
    """Values above it count as it (winsorised)."""
    quantile: float | None = Field(default=None, gt=0, lt=1)

    @field_validator("goal", mode="before")
    @classmethod
    def _goal(cls, goal: Any) -> Any:
        return goal or "increase"

    @model_validator(mode="after")
    def _check(self) -> Metric:
        wrong = [*_columns_wrong(self), *_bounds_wrong(self)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def lift(self) -> float | None:
        """The smallest relative effect worth having, where the plan says enough to know it; above 0."""
        if self.minimum_lift is not None:
            return self.minimum_lift
        return abs(self.minimum_effect / self.baseline) if self.minimum_effect and self.baseline else None

    @property
    def effect(self) -> float | None:
        """The smallest effect worth having in the metric's unit, where the plan says enough to know it; above 0."""
        if self.minimum_effect is not None:
            return self.minimum_effect
        return abs(self.minimum_lift * self.baseline) if self.minimum_lift and self.baseline else None

    @property
    def tolerated(self) -> float | None:
        """How much worse a guardrail may be in the metric's unit, where the plan says enough to know it; above 0."""
        if self.margin is not None:
            return self.margin
        return abs(self.margin_lift * self.baseline) if self.margin_lift and self.baseline else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return tuple(name for name in (self.value, self.numerator, self.denominator, self.covariate) if name)


class Experiment(BaseModel):
    """The plan: who was shown what by chance, and which metrics decide; read with `Experiment.load`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    name: str = Field(min_length=1)
    arm: str = Field(min_length=1)
    """The column that says which arm a row belongs to."""
    arms: dict[str, float]
    """Each arm with its planned share of the units; the first is the control, unless `control` names another."""
    control: str | None = None
    unit: str | None = None
    """The column of the unit (the user); left out: every row is a unit of its own."""
    time: str | None = None
    """The column of the event's time, a timestamp or a number; left out: there is one look."""
    looks: int = Field(default=100, ge=1, le=1000)
    """How many looks are shown, equally spaced in units; the error does not depend on it."""
    level: float = Field(default=0.95, gt=0.5, lt=1)
    """How sure all answers on the success metrics are together; every guardrail is by itself."""
    cluster: str | None = None
    """The column that was randomised, where it is coarser than the unit (a school, a shop)."""
    window: float | str | None = None
    """A unit counts once so much time has passed since its first event, and with its events up to then only:
    "7 days" where the time column holds timestamps, a number in its own unit where it holds numbers."""
    until: float | str | None = None
    """When the experiment ends: a number, or a timestamp such as "2026-03-01 00:00". Later rows are refused."""
    units: int | None = Field(default=None, ge=1)
    """How many units are expected in all; the sequences of means are narrowest there. Left out: at what one look would
    need by the baseline, deviation and smallest effect, or at 10,000."""
    in_order: bool = False
    """The rows stand in the order of their times, as a log is written: a time that runs backwards is refused."""
    metrics: dict[str, Metric] = Field(min_length=1)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """Read a plan; raises one LinnetError that lists everything that is wrong with it."""
        text = plain_yaml.read(path, "plan", hint=_HINT)
        try:
            return cls.parse(text)
        except LinnetError as error:
            raise LinnetError(f"{path}: {error}") from error

    @classmethod
    def parse(cls, text: str) -> Experiment:
        """A plan from the text of its YAML.

        >>> Experiment.parse('''{name: sign-up, arm: variant, arms: {old: 0.5, new: 0.5},
        ...     metrics: {signed_up: {kind: proportion, value: signed_up}}}''').treatments
        ('new',)
        """
        raw = plain_yaml.parse(text)
        if not isinstance(raw, dict):
            raise LinnetError(_HINT.replace("YAML file", "mapping"))
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise plain_yaml.together(_faults(error, cls), "plan") from error

    @field_validator("arms", mode="before")
    @classmethod
    def _names(cls, arms: Any) -> Any:
        return {arm_name(name): share for name, share in arms.items()} if isinstance(arms, dict) else arms

    @field_validator("arms")
    @classmethod
    def _shares(cls, arms: dict[str, float]) -> dict[str, float]:
        if len(arms) < 2:
            raise ValueError("an experiment needs at least two arms, each with its planned share")
        strange = [f"{name}: {share}" for name, share in arms.items() if not 0 < share < 1]
        if strange:
            raise ValueError(f"a planned share lies between 0 and 1; not so {', '.join(strange)}")
        if not math.isclose(sum(arms.values()), 1, abs_tol=1e-6):
            raise ValueError(f"the planned shares must add up to 1; they add up to {sum(arms.values()):g}")
        return arms

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        wrong = []
        if self.control is not None and self.control not in self.arms:
            wrong.append(f"control '{self.control}' is not among the arms{plain_yaml.near(self.control, self.arms)}")
        wrong += _window_wrong(self.window)
        if self.window is not None and (self.unit is None or self.time is None):
            wrong.append("a window needs the columns 'unit' and 'time'")
        wrong += [f"{key} needs the column 'time'" for key in ("until", "in_order")
                  if getattr(self, key) and self.time is None]
        if self.cluster is not None:
            wrong += [f"metric '{name}': a quantile cannot be had from whole clusters; ask for a mean or a ratio"
                      for name, metric in self.metrics.items() if metric.kind == "quantile"]
        roles = [key for key in ("arm", "unit", "time", "cluster") if getattr(self, key)]
        names = [getattr(self, key) for key in roles]
        wrong += [f"the column '{name}' cannot be two of {', '.join(roles)}" for name in sorted(set(names))
                  if names.count(name) > 1]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def reference(self) -> str:
        """The control arm."""
        return self.control if self.control is not None else next(iter(self.arms))

    @property
    def treatments(self) -> tuple[str, ...]:
        """The other arms, in the order of the plan."""
        return tuple(name for name in self.arms if name != self.reference)

    @property
    def window_length(self) -> float | None:
        """The window as a number: seconds for timestamps, else in the unit of the time column."""
        if not isinstance(self.window, str):
            return self.window
        return _seconds(self.window)

    def level_of(self, metric: str) -> float:
        """The level of a metric's intervals: success metrics share the error, guardrails only over the arms."""
        share = len(self.treatments)
        if self.metrics[metric].role == "success":
            share *= sum(other.role == "success" for other in self.metrics.values())
        return 1 - (1 - self.level) / share


def _seconds(window: str) -> float | None:
    found = _WINDOW.fullmatch(window)
    return float(found[1]) * _SECONDS[found[2]] if found else None


def _window_wrong(window: float | str | None) -> list[str]:
    if window is None:
        return []
    length = _seconds(window) if isinstance(window, str) else window
    if length is None:
        short = _SHORT_WINDOW.fullmatch(str(window))
        hint = f"; write '{short[1]} {_UNIT_OF[short[2].lower()]}s'" if short else ""
        return [f"window is a text such as '7 days' or '36 hours', or a number; got '{window}'{hint}"]
    if not math.isfinite(length):
        return [f"window is finite; got {window}"]
    return [] if length > 0 else [f"a window is longer than nothing; got {window}"]


def _faults(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """What is wrong, a line each; where a number was expected, how it would be written."""
    lines = plain_yaml.faults(error, model)
    for place, item in enumerate(error.errors()):
        hint = _hint(item["type"], item["input"])
        if hint:
            where = ".".join(str(part) for part in item["loc"])
            lines[place] = f"{where}: {hint} (got {item['input']!r})"
    return lines


def _hint(kind: str, given: Any) -> str:
    if kind == "dict_type":
        shares = given if isinstance(given, list) and len(given) > 1 and all(
            isinstance(name, str) for name in given) else ["old", "new"]
        example = ", ".join(f"{name}: {1 / len(shares):.2g}" for name in shares)
        return f"expected each arm with its planned share, such as arms: {{{example}}}"
    if kind == "int_type":
        return "expected a whole number such as 20"
    if kind != "float_type":
        return ""
    number = _LOOSE_NUMBER.fullmatch(given.strip()) if isinstance(given, str) else None
    if number is None:
        return "expected a number such as 0.05"
    return f"write {float(number[1]) / (100 if number[2] else 1):.10g}"


def arm_name(value: object) -> str:
    """The name of an arm as a plan writes it: true and 1 are written so, as in YAML.

    >>> arm_name(True), arm_name(1), arm_name("new")
    ('true', '1', 'new')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def _columns_wrong(metric: Metric) -> list[str]:
    wrong = []
    if metric.kind == "ratio":
        if metric.value or not (metric.numerator and metric.denominator):
            wrong.append("a ratio has the columns 'numerator' and 'denominator', and no 'value'")
    else:
        if metric.numerator or metric.denominator or not metric.value:
            wrong.append(f"a {metric.kind} has the column 'value'; 'numerator' and 'denominator' belong to a ratio")
        if metric.share:
            wrong.append("'share' belongs to a ratio")
    if (metric.kind == "quantile") != (metric.quantile is not None):
        wrong.append("a quantile says which ('quantile', such as 0.95), and nothing else does")
    if metric.covariate and metric.kind in ("proportion", "quantile"):
        wrong.append(f"a {metric.kind} takes no covariate; a mean or a ratio does")
    if metric.covariate and metric.covariate in (metric.value, metric.numerator, metric.denominator):
        wrong.append("the covariate is known beforehand, and so another column than what is measured")
    if metric.cap is not None and metric.kind in ("proportion", "quantile"):
        wrong.append(f"'cap' belongs to a mean or a ratio, not to a {metric.kind}")
    return wrong


def _bounds_wrong(metric: Metric) -> list[str]:
    wrong = []
    if metric.minimum_effect is not None and metric.minimum_lift is not None:
        wrong.append("give 'minimum_effect' or 'minimum_lift', not both")
    margins = [metric.margin, metric.margin_lift]
    if metric.role == "guardrail" and margins.count(None) != 1:
        wrong.append("a guardrail says how much worse it may be: 'margin' or 'margin_lift', one of them")
    if metric.role == "guardrail" and "goal" not in metric.model_fields_set:
        wrong.append("a guardrail says which way is good: goal: decrease (less of it) or goal: increase")
    if metric.role == "success" and margins.count(None) != 2:
        wrong.append("'margin' and 'margin_lift' belong to a guardrail; a success metric has 'minimum_effect'")
    if metric.kind == "proportion" and metric.baseline is not None and not 0 < metric.baseline < 1:
        wrong.append(f"the baseline of a proportion lies between 0 and 1; got {metric.baseline:g}")
    size = metric.effect or metric.tolerated
    if metric.kind == "proportion" and size is not None and size >= 1:
        wrong.append(f"two rates differ by less than 1 (one point is 0.01); the effect or margin comes to {size:g}")
    return wrong
