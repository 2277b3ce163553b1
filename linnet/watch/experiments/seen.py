"""What a table holds, as far as a first plan needs it: read with the very reader and kinds of `analyse`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from linnet.watch.experiments import checks
from linnet.watch.experiments.layout import layout_of
from linnet.watch.experiments.moments import ROWS, filled, moment
from linnet.watch.experiments.plan import Experiment
from linnet.watch.experiments.sql import DuckTable, quoted
from linnet.watch.experiments.tables import ARM
from linnet.watch.experiments.texts import DRESSED, NUMBER

Kind = Literal["proportion", "mean", "text", "time", "other"]

MOST_ARMS = 6
_FIRST_ROWS = 200_000
_EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6}
_EARLIEST, _LATEST = 1e9, 4.2e9
_TIMES = re.compile(r"(?:^|_)(?:time|timestamp|ts|at|date|day|datetime|epoch|unix|when|created|updated)(?:_|$)")
_LEAST_CHANCE = 0.001


@dataclass(frozen=True)
class Column:
    """A column by what can be done with it."""

    kind: Kind
    different: int
    """About how many different values the first rows hold."""
    epoch: str | None = None
    """A number that counts "seconds" or the like since 1970."""
    is_nearly_number: bool = False
    """A text of which most are numbers, or would be without their commas and signs."""

    @property
    def can_name_arms(self) -> bool:
        """Two to a few different values."""
        return 2 <= self.different <= MOST_ARMS and self.kind != "time"


def columns_of(table: DuckTable) -> dict[str, Column]:
    """Every column of a table; empty where there are no rows."""
    terms = [term for name, kind in table.columns.items() for term in _terms(quoted(name), kind)]
    rows, *found = table.ask(["count(*)", *terms], first=_FIRST_ROWS)[0]
    each = [found[n:n + 5] for n in range(0, len(found), 5)]
    return {name: _column(name, kind, facts) for (name, kind), facts in zip(table.columns.items(), each, strict=True)
            } if rows else {}


def words(name: str) -> str:
    """A name in small letters and underscores.

    >>> words("createdAt"), words("User-ID")
    ('created_at', 'user_id')
    """
    return re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()


def units_by_arm(table: DuckTable, arm: str, unit: str | None) -> dict[str, int]:
    """How many units each arm has, or rows without a unit; of at most one arm more than there may be."""
    count = f"count(DISTINCT {quoted(unit)})" if unit else "count(*)"
    found = table.ask([quoted(arm), count], where=f"{quoted(arm)} IS NOT NULL", group=True, limit=MOST_ARMS + 1)
    return {checks.arm_of({ARM: value}): int(number) for value, number in found}


def likely_shares(counts: Sequence[int]) -> tuple[list[float], bool]:
    """Equal shares and True where chance can explain what is seen; else the seen shares, as round as chance allows."""
    equal = _closed([round(1 / len(counts), 4)] * len(counts))
    if _is_chance(counts, [1 / len(counts)] * len(counts)):
        return equal, True
    seen = [max(count, 1) / sum(counts) for count in counts]
    for digits in (1, 2, 3):
        shares = _closed([round(share, digits) for share in seen])
        if min(shares) > 0 and _is_chance(counts, shares):
            return shares, False
    return _closed([max(round(share, 4), 0.0001) for share in seen]), False


def measured(table: DuckTable, plan: Experiment) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each metric in the control arm, over units; those that are finite."""
    layout = layout_of(plan)
    names = {name: layout.metrics[name].numerator for name in plan.metrics}
    items = [item for name in names.values() for item in (filled(name), moment(name), moment(name, name))]
    if layout.unit is not None:
        table.prepare(layout, None)
    rows = table.aggregate(layout, tuple(dict.fromkeys([ROWS, *items])), "observations", by_arm=True)
    found = {}
    for row in (row for row in rows if row[ARM] is not None and checks.arm_of(row) == plan.reference):
        for metric, name in names.items():
            n, total, squares = (float(row[item] or 0) for item in (filled(name), moment(name), moment(name, name)))
            mean = total / n if n else math.nan
            deviation = math.sqrt(max(squares / n - mean**2, 0.0)) if n > 1 else math.nan
            if math.isfinite(mean) and math.isfinite(deviation) and deviation > abs(mean) * 1e-6:
                found[metric] = mean, deviation
    return found


def _terms(name: str, kind: str) -> list[str]:
    """Five facts: different values, values, and by kind smallest, largest and not 0 or 1; or nearly numbers."""
    both = [f"approx_count_distinct({name})", f"count({name})"]
    if kind == "number":
        number = f"CAST({name} AS DOUBLE)"
        return [*both, f"min({number})", f"max({number})", f"count(*) FILTER (WHERE {number} NOT IN (0, 1))"]
    if kind == "text":
        text = f"CAST({name} AS VARCHAR)"
        return [*both, "0", "0", f"count(*) FILTER (WHERE regexp_matches({text}, '{NUMBER}') OR "
                                 f"regexp_full_match(trim({text}), '{DRESSED}'))"]
    return [*both, "0", "0", "0"]


def _column(name: str, kind: str, facts: Sequence[float]) -> Column:
    different, values, least, most, counted = facts
    if kind == "timestamp":
        return Column("time", int(different))
    if kind == "boolean" or (kind == "number" and values and not counted):
        return Column("proportion", int(different))
    if kind == "number" and values:
        epoch = next((word for word, factor in _EPOCHS.items() if _EARLIEST * factor <= least <= most
                      < _LATEST * factor), None) if _TIMES.search(words(name)) else None
        return Column("time" if epoch else "mean", int(different), epoch)
    is_nearly = kind == "text" and 2 * counted > values
    return Column("text" if kind == "text" else "other", int(different), is_nearly_number=is_nearly)


def _closed(shares: list[float]) -> list[float]:
    """The last one is what is left."""
    return [*shares[:-1], round(1 - sum(shares[:-1]), 4)]


def _is_chance(counts: Sequence[int], shares: Sequence[float]) -> bool:
    """By the usual chi-squared test."""
    from scipy.special import chdtrc

    expected = [share * sum(counts) for share in shares]
    distance = sum((count - wanted) ** 2 / wanted for count, wanted in zip(counts, expected, strict=True))
    return bool(chdtrc(len(counts) - 1, distance) >= _LEAST_CHANCE)
