"""Measure again what a claim rests on: answers on the claim's data, latency under the claim's conditions, size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from linnet import data as data_room
from linnet.data import Dataset
from linnet.errors import LinnetError, NotAvailableError, NotFoundError
from linnet.evidence import Claim, DataRef, OtherSide, Scores, Size, Timing
from linnet.runtime.engines import COMPANIONS, start
from linnet.runtime.inputs import random_inputs, varying_samples
from linnet.runtime.latency import Call, conditions, processors, take_turns
from linnet.runtime.shipped import Shipped
from linnet.tasks import evaluate

_MOST_RUNS = 10_000


class ElsewhereError(LinnetError):
    """The claim's data or machine is not here, so that the claim can neither be confirmed nor refuted."""


class NotHereError(ElsewhereError):
    """Nothing lies where the claim's data are said to lie: neither those data nor others."""


class RecordError(LinnetError):
    """The claim cannot have been made as it is recorded."""


@dataclass(frozen=True)
class Remeasure:
    """What was measured of one file so far; every dataset is looked for and evaluated once."""

    shipped: Shipped
    data: str | Path | Dataset | None
    engine: str
    seen: dict[str, Scores | ElsewhereError] = field(default_factory=dict)

    def size(self, claim: Claim) -> tuple[Size]:
        """The size of the file without its claims, whatever the claim."""
        del claim
        return (self.shipped.size,)

    def timing(self, claim: Claim) -> tuple[Timing]:
        """The latency under the claim's conditions; raises ElsewhereError where this machine cannot give them."""
        said = claim.conditions.get("threads", "")
        threads = int(said) if said.isdecimal() and len(said) < 5 else 1
        here = conditions(self.engine, self.shipped.session.version, threads)
        differing = sorted(name for name in {*here, *claim.conditions} if here.get(name) != claim.conditions.get(name))
        if differing:
            raise ElsewhereError("it was measured under other conditions: " + ", ".join(
                f"{name} {claim.conditions.get(name, '(not said)')} (here: {here.get(name, '(not known)')})"
                for name in differing))
        if threads > processors():
            raise ElsewhereError(f"it was measured on {threads} threads, this machine has {processors()} processors")
        model = self.shipped.path if self.engine in COMPANIONS else self.shipped.artifact.content
        session = start(model, engine=self.engine, threads=threads)
        inputs = random_inputs(session, samples=varying_samples(self.shipped.artifact))
        runs = max(1, min(claim.n, _MOST_RUNS))
        [seconds] = take_turns([Call(session, inputs)], runs=runs, seconds=0)
        return (Timing(seconds, self.shipped.identity, self.shipped.name, here),)

    def scores(self, claim: Claim) -> tuple[Scores]:
        """The file's scores on the claim's data; raises ElsewhereError where these are not to be found."""
        if claim.data is None:
            raise RecordError("it rests on data and names none")
        return (self._evaluated(claim.data),)

    def both_sides(self, claim: Claim) -> tuple[Scores, OtherSide]:
        """The file's scores, and the rows that the claim keeps of the other side."""
        if claim.than is None:
            raise RecordError("it compares and names no other side")
        return (*self.scores(claim), claim.than)

    def _evaluated(self, wanted: DataRef) -> Scores:
        key = wanted.model_dump_json()
        if key not in self.seen:
            try:
                dataset = find(wanted, self.data)
                self.seen[key] = evaluate(self.shipped, self.shipped.task, dataset)
            except ElsewhereError as error:
                self.seen[key] = error
        result = self.seen[key]
        if isinstance(result, ElsewhereError):
            raise result
        return result


MEASURES: dict[str, Callable[[Remeasure, Claim], tuple[Any, ...]]] = {
    "accuracy_at_least": Remeasure.scores,
    "accuracy_in_every_group": Remeasure.scores,
    "latency_below": Remeasure.timing,
    "mean_score_at_least": Remeasure.scores,
    "no_worse": Remeasure.both_sides,
    "better": Remeasure.both_sides,
    "equivalent": Remeasure.both_sides,
    "size_below": Remeasure.size,
}
"""What the function of `evidence.KINDS` is to be given, by kind."""


def find(wanted: DataRef, data: str | Path | Dataset | None = None) -> Dataset:
    """The dataset of the wanted fingerprint: restored from its origin (read from `data` where given), or `data` itself.

    Raises ElsewhereError saying what was found instead, NotHereError where nothing was found.
    """
    reasons = []
    for attempt in _attempts(wanted, data):
        try:
            dataset = attempt()
            if dataset.fingerprint == wanted.fingerprint:
                return dataset
            reasons.append(f"fingerprint expected {wanted.fingerprint[:12]} ({wanted.rows} rows), "
                           f"received {dataset.fingerprint[:12]} ({len(dataset)} rows)")
        except NotFoundError as error:
            if data is None:
                raise NotHereError(f"'{wanted.origin['source']}' is no folder or file here") from error
            reasons.append(str(error).rstrip("."))
        except NotAvailableError as error:
            raise NotHereError(str(error).rstrip(".")) from error
        except LinnetError as error:
            reasons.append(str(error).rstrip("."))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            # The origin comes out of the file and may hold anything; what it makes the data room trip over is no crash.
            reasons.append(f"the origin that the claim records cannot be followed ({type(error).__name__}: {error})")
    raise ElsewhereError(f"the data are not those of the claim, {wanted.population}: {reasons[0]}")


def check_there(data: str | Path | Dataset | None) -> None:
    """Raise NotFoundError where `data` names neither a known corpus nor a folder or file that is there."""
    if isinstance(data, str | Path) and str(data) not in data_room.SOURCES and not Path(data).exists():
        raise NotFoundError(f"there is no folder or file '{data}', nor a known corpus of that name; give the data that "
                            "the claims speak of with --data (in Python: data=).")


def _attempts(wanted: DataRef, data: str | Path | Dataset | None) -> list[Callable[[], Dataset]]:
    if isinstance(data, Dataset):
        return [lambda: data]
    restored = partial(data_room.restore, wanted.origin, source=data)
    return [restored] if data is None else [restored, partial(data_room.load, data)]
