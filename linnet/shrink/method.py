"""Method: one way to make a model smaller; what it is given, and what it must say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.nn import Model
from linnet.tasks import Arrays, Task


class Settings(BaseModel):
    """What a plan may say of a method; unknown keys fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Materials:
    """What a method may look at: never the test part."""

    task: Task
    data: Splits
    seed: int

    def samples(self, count: int) -> Arrays:
        """So many training samples, drawn by the seed, as the network takes them."""
        rows = np.random.default_rng(self.seed).permutation(len(self.data.train))[:count]
        return dict(self.task.prepare(self.task.read(self.data.train.take(sorted(rows.tolist())))))


@dataclass(frozen=True)
class Method:
    """`prepare` changes the model before tuning, `finish` after it; both return a new model and leave theirs alone."""

    summary: str
    settings: type[Settings]
    prepare: Callable[[Model, Any, Materials], Model]
    finish: Callable[[Model, Any, Materials], Model]
    needs_tuning: bool | Callable[[Any], bool]
    """Whether `apply` tunes between the two; a function of the settings where they decide it."""

    def tunes(self, settings: Settings) -> bool:
        """Whether a plan with these settings needs tuning."""
        return self.needs_tuning(settings) if callable(self.needs_tuning) else self.needs_tuning

    def read(self, name: str, given: Mapping[str, Any]) -> Settings:
        """The settings, checked; LinnetError says all that is wrong with them."""
        try:
            return self.settings.model_validate(dict(given))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, found['loc'])) or 'settings'}: {found['msg']}"
                              for found in error.errors())
            known = ", ".join(self.settings.model_fields)
            raise LinnetError(f"plan: {name}: {wrong}. Known settings: {known}.") from error


def unchanged(model: Model, settings: Settings, materials: Materials) -> Model:
    """For methods that have nothing to prepare, or nothing to finish."""
    return model
