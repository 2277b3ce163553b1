"""A comparison in words and as a table: which file is better, by how much, how sure that is, and what each costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from textwrap import fill

from linnet.evidence.many import Difference
from linnet.evidence.rounding import down, shift, up
from linnet.report.counting import counted, in_words, kilobytes, listed, percent, plural
from linnet.report.words import held_out
from linnet.runtime import Comparison, Side

_WIDTH = 110
_ZERO = Decimal(0)
_MANY = 10_000
"""From so many rows on, a difference in points is given with one more digit."""


@dataclass(frozen=True)
class Row:
    """One side as a row of a table, every number as text."""

    side: Side
    difference: Difference | None
    right: str
    """In 100."""
    spread: str
    change: str
    """Points: right answers more in 100 than the reference."""
    interval: str
    p_value: str
    word: str
    metrics: tuple[str, ...]
    parameters: str
    kilobytes: str
    median_ms: str


def sentence(compared: Comparison) -> str:
    """What was found, the reference first; rounded so that no difference looks surer than it is."""
    first = compared.side(compared.reference)
    others = [f"{found.name} is {found.word} ({span(compared, found)})" if found.word != "no difference shown"
              else f"for {found.name} no difference is shown ({span(compared, found)})"
              for found in compared.differences]
    sure = f"{percent(compared.level)} sure" + (" of all of this together" if len(others) > 1 else "")
    return (f"On {compared.data.rows:,} {compared.data.population}, {first.name} answers "
            f"{_points(compared, first.seeds.mean)} in 100 correctly. Against it, {'; '.join(others)}; {sure}.")


def span(compared: Comparison, found: Difference) -> str:
    """An interval as one says it: "0.3 fewer to 0.9 more in 100"."""
    low, high = bounds(compared, found)
    if found.interval == (-1.0, 1.0):
        return "too few rows to say anything"
    if low >= 0:
        return f"{low} to {high} more in 100"
    return f"{-high} to {-low} fewer in 100" if high <= 0 else f"{-low} fewer to {high} more in 100"


def bounds(compared: Comparison, found: Difference) -> tuple[Decimal, Decimal]:
    """The interval in points, rounded outwards, yet never across zero."""
    low, high = found.interval
    return down(shift(low, 2), _ZERO, _digits(compared)), up(shift(high, 2), _ZERO, _digits(compared))


def limits(compared: Comparison) -> list[str]:
    """What the numbers do not say."""
    several = [side for side in compared.sides if len(side.files) > 1]
    said = [f"The intervals speak of other {compared.noun} like these and of these very files; files trained anew may "
            "come out otherwise."]
    by = held_out(compared.data)
    if by:
        said.append(f"They take the {compared.noun} as independent of each other: they speak of other ones of the same "
                    f"{plural(by)}, not of other {plural(by)}.")
    if several:
        spread = listed([f"{side.name}: {100 * (side.seeds.deviation or 0):.2f} points over "
                         f"{in_words(len(side.files))} seeds" for side in several])
        said.append(f"How much the seed matters is told apart (standard deviation {spread}) and is in no interval; so "
                    "few trainings bound it badly.")
    if len(several) < len(compared.sides):
        single = [side.name for side in compared.sides if len(side.files) == 1]
        said.append(f"Of {listed(single)} one training each was seen: a difference may be the seed's.")
    said += [f"The p-value of {found.name} ({p_value(found)}) and its interval come from different tests and do not "
             "agree; the word follows the interval." for found in _disagreeing(compared)]
    said += compared.notes
    said.append(f"{counted(compared.looks, 'file').capitalize()} were held against these rows so far. The intervals "
                "here reckon with the files of this page only: the more one tries and chooses, the more is luck.")
    return said


def rows(compared: Comparison) -> list[Row]:
    """The table, a row a side, in the order in which they were given."""
    return [_row(compared, side, compared.difference(side.name)) for side in compared.sides]


def head(compared: Comparison) -> list[str]:
    """The titles of the columns that `cells` fills."""
    seeds = ["over seeds"] if any(len(side.files) > 1 for side in compared.sides) else []
    return ["", "right in 100", *seeds, *compared.sides[0].metrics, "points", f"{percent(compared.level)} interval",
            "p (Holm)", "", "parameters", "KB", "median ms"]


def cells(compared: Comparison, row: Row) -> list[str]:
    """A row under the titles of `head`."""
    seeds = [row.spread] if any(len(side.files) > 1 for side in compared.sides) else []
    return [row.side.name, row.right, *seeds, *row.metrics, row.change, row.interval, row.p_value, row.word,
            row.parameters, row.kilobytes, row.median_ms]


def text(compared: Comparison) -> str:
    """The sentence, the table, and what they do not say, for a terminal."""
    lines = _aligned([head(compared), *(cells(compared, row) for row in rows(compared))])
    limit = [fill(said, _WIDTH, initial_indent="  ", subsequent_indent="  ") for said in limits(compared)]
    return "\n\n".join([fill(sentence(compared), _WIDTH), "\n".join(lines),
                        "\n".join(["What this does not say", *limit]), fill(how(compared), _WIDTH)])


def how(compared: Comparison) -> str:
    """Method and machine."""
    methods = "; ".join(dict.fromkeys(found.method for found in compared.differences))
    return (f"Intervals: {methods}, {percent(compared.level)} for all together. P-values: exact sign test of the rows "
            f"that disagree (McNemar), adjusted by Holm for {counted(len(compared.differences), 'comparison')}. "
            f"Latency of one sample at a time, the files in turns: {machine(compared)}.")


def machine(compared: Comparison) -> str:
    """What the latencies depend on."""
    where = compared.conditions
    return f"{where['engine']} {where['version']}, {where['processor']}, {counted(int(where['threads']), 'thread')}"


def p_value(found: Difference) -> str:
    """Three digits, or below what.

    >>> p_value(Difference("b", 0.1, (0.0, 0.2), 0, 9, 0.004, 0.0078, ""))
    '0.0078'
    """
    value = found.adjusted_p_value
    return "<0.0001" if value < 0.0001 else f"{value:.3g}"


def _row(compared: Comparison, side: Side, found: Difference | None) -> Row:
    deviation = side.seeds.deviation
    low, high = bounds(compared, found) if found else (_ZERO, _ZERO)
    return Row(
        side=side, difference=found, right=_points(compared, side.seeds.mean),
        spread="" if deviation is None else f"± {100 * deviation:.2f} ({len(side.files)})",
        change=f"{100 * found.estimate:+.{_digits(compared)}f}" if found else "",
        interval=f"{low:+} to {high:+}" if found else "", p_value=p_value(found) if found else "",
        word=found.word if found else "reference", metrics=tuple(f"{value:.4g}" for value in side.metrics.values()),
        parameters=f"{side.parameters:,}", kilobytes=kilobytes(side.size_bytes / 1000).removesuffix(" KB"),
        median_ms=f"{side.p50_ms:.3g}")


def _points(compared: Comparison, share: float) -> str:
    return f"{100 * share:.{_digits(compared)}f}"


def _digits(compared: Comparison) -> int:
    return 2 if compared.data.rows >= _MANY else 1


def _disagreeing(compared: Comparison) -> list[Difference]:
    """Differences whose interval and p-value would lead to different words."""
    alpha = 1 - compared.level
    return [found for found in compared.differences
            if (found.adjusted_p_value <= alpha) != (found.word != "no difference shown")]


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Columns of one width each: names and words on the left, numbers on the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    left = {at for at, title in enumerate(table[0]) if not title}
    return ["  ".join(cell.ljust(width) if at in left else cell.rjust(width)
                      for at, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in table]
