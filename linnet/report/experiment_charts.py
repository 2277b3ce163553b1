"""Pictures of an experiment over time: each metric with its interval, and whether the arms filled as planned."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from linnet.errors import LinnetError
from linnet.files import replacing
from linnet.report import charts
from linnet.report.charts import BLUE, INK, LINE, MUTED, ORANGE, Figure
from linnet.report.experiment import row_of, seen, title
from linnet.report.experiment_numbers import turned
from linnet.report.experiment_words import decided, deciding, is_share, noun, when, word
from linnet.watch.experiments import Analysis, Outcome, Track

_COLOURS = {"holds": BLUE, "fails": "#a8451a", "undecided": MUTED}
_WIDTH, _HEIGHT = 690, 150
_LABELS = 36
"""Room for the numbers beside a picture, so that all pictures stand in one line."""
_SETTLED = 0.1
"""The picture is scaled to the looks after this share of them; the first ones are wider than any page."""


def sequence(analysis: Analysis, outcome: Outcome) -> Figure | None:
    """One metric over the looks: the estimate, its narrowing interval, zero, what was asked, and the decision.

    None where no look excludes anything.
    """
    drawn = _sequence(analysis, outcome)
    if drawn is None:
        return None
    change, span = seen(row_of(analysis, outcome))
    over = when(analysis, len(analysis.looks) - 1)
    end = decided(analysis, outcome) or "not decided yet"
    last = f"{change} ({span}) at the last look" + (f", {over}" if over else "")
    return Figure(charts.svg(drawn), f"{title(analysis, outcome)}: {last}; {end}.",
                  f"Difference of {title(analysis, outcome)} over {len(analysis.looks)} looks: {last}; {end}.")


def split(analysis: Analysis) -> Figure | None:
    """The evidence against the planned shares over the looks, and the alarm that it must not reach."""
    if len(analysis.looks) < 2:
        return None
    found = analysis.assignment
    told = "the alarm rang" if found.alarm else "the alarm did not ring"
    caption = ("Evidence that the arms do not fill as planned, in powers of ten: below 0 it speaks for the plan, from "
               f"{found.threshold / math.log(10):.3g} on the alarm rings and stays. Here {told}.")
    alt = f"Sample-ratio check over {len(analysis.looks)} looks: {told}."
    return Figure(charts.svg(_split(analysis)), caption, alt)


def write_experiment_picture(analysis: Analysis, path: str | Path) -> Path:
    """Write the metrics' pictures, one below the other, as SVG, or as PNG where the name ends so."""
    target = checked_picture(path)
    parts = [part for part in (_sequence(analysis, outcome, titled=True) for outcome in analysis.outcomes) if part]
    if not parts:
        raise LinnetError("there is nothing to draw: no metric excludes anything yet. Gather more and look again.")
    drawn = charts.altair().vconcat(*parts, spacing=18)
    content = charts.png(drawn) if target.suffix.lower() == ".png" else charts.svg(drawn).encode()
    with replacing(target) as partial:
        partial.write_bytes(content)
    return target


def checked_picture(path: str | Path) -> Path:
    """The path, if its name ends in .svg or .png; to be asked before long work."""
    if Path(path).suffix.lower() not in (".svg", ".png"):
        raise LinnetError(f"a picture is written as .svg or .png; got the name {Path(path).name}.")
    return Path(path)


def _sequence(analysis: Analysis, outcome: Outcome, *, titled: bool = False) -> Any:
    track = deciding(outcome)
    factor = 100.0 if outcome.scale == "relative" or is_share(analysis.experiment, outcome) else 1.0
    limits = _limits(track, factor, factor * _asked(outcome))
    if limits is None:
        return None
    alt, colour = charts.altair(), _COLOURS[outcome.decision]
    looks = zip(_axis(analysis), factor * track.estimate, factor * track.low, factor * track.high, strict=True)
    values = [{"x": x, "value": _inside(value, limits), "low": _inside(low, limits, -1),
               "high": _inside(high, limits, 1)} for x, value, low, high in looks]
    scale, unit = alt.Scale(domain=limits, nice=False, zero=False), _unit(analysis, outcome)
    y = alt.Y("low:Q", title=unit, scale=scale, axis=alt.Axis(tickCount=5, gridColor=LINE, minExtent=_LABELS))
    base = alt.Chart(alt.Data(values=values)).encode(x=_x(analysis))
    if len(values) == 1:
        marks = [base.mark_rule(color=colour, strokeWidth=3).encode(y=y, y2="high:Q"),
                 base.mark_point(color=colour, filled=True, size=80).encode(y=alt.Y("value:Q", scale=scale))]
    else:
        marks = [base.mark_area(color=colour, opacity=0.18).encode(y=y, y2="high:Q"),
                 base.mark_line(color=colour, strokeWidth=2).encode(y=alt.Y("value:Q", scale=scale))]
    drawn = alt.layer(*marks, *_lines(outcome, scale, factor), *_moment(analysis, outcome, limits))
    drawn = drawn.properties(width=_WIDTH, height=_HEIGHT)
    return drawn.properties(title=_title(title(analysis, outcome))) if titled else drawn


def _title(text: str) -> Any:
    return charts.altair().Title(text, anchor="start", frame="group", color=INK, fontSize=13)


def _limits(track: Track, factor: float, bound: float) -> list[float] | None:
    """The range of the picture: every interval of the later looks, zero, and what was asked."""
    start = int(_SETTLED * len(track.low))
    ends = factor * np.concatenate([track.low[start:], track.high[start:]])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return None
    near = factor * np.array([track.low[-1], track.high[-1]])
    reach = np.percentile(np.abs(ends), 90) if not np.isfinite(near).all() else 4 * float(np.abs(near).max())
    ends = np.append(np.clip(ends, -reach, reach), [0.0, bound])
    room = 0.06 * (ends.max() - ends.min() or 1.0)
    return [float(ends.min() - room), float(ends.max() + room)]


def _inside(value: float, limits: list[float], edge: int = 0) -> float | None:
    """A number within the picture; an end that is not known lies on its edge, an estimate outside of it is left out."""
    if edge == 0:
        return float(value) if math.isfinite(value) and limits[0] <= value <= limits[1] else None
    if math.isnan(value):
        return limits[(edge + 1) // 2]
    return float(min(max(value, limits[0]), limits[1]))


def _lines(outcome: Outcome, scale: Any, factor: float) -> list[Any]:
    alt, bound = charts.altair(), factor * _asked(outcome)
    zero = alt.Chart(alt.Data(values=[{"y": 0.0}])).mark_rule(stroke=INK, strokeWidth=1).encode(
        y=alt.Y("y:Q", scale=scale))
    if not bound:
        return [zero]
    name = "margin" if outcome.role == "guardrail" else "worth having"
    margin = alt.Chart(alt.Data(values=[{"y": bound, "said": name}])).encode(y=alt.Y("y:Q", scale=scale))
    return [zero, margin.mark_rule(stroke=ORANGE, strokeDash=[5, 3]),
            margin.mark_text(color=ORANGE, align="left", dx=6).encode(x=alt.value(_WIDTH), text="said:N")]


def _asked(outcome: Outcome) -> float:
    """The margin of a guardrail, or the effect worth having; 0 where the plan names none."""
    return turned(outcome, outcome.bounds[0] or outcome.bounds[1])


def _moment(analysis: Analysis, outcome: Outcome, limits: list[float]) -> list[Any]:
    if outcome.first_decided is None or len(analysis.looks) == 1:
        return []
    alt, x = charts.altair(), _axis(analysis)[outcome.first_decided]
    is_late = outcome.first_decided > 0.7 * len(analysis.looks)
    base = alt.Chart(alt.Data(values=[{"x": x, "y": limits[1], "said": word(outcome)}])).encode(x=_x(analysis))
    colour = _COLOURS[outcome.decision]
    return [base.mark_rule(stroke=colour, strokeDash=[3, 3]),
            base.mark_text(color=colour, fontWeight="bold", align="right" if is_late else "left",
                           baseline="bottom", dy=-4).encode(y="y:Q", text="said:N")]


def _split(analysis: Analysis) -> Any:
    alt, found = charts.altair(), analysis.assignment
    alarm = found.threshold / math.log(10)
    powers = np.clip(found.log_e / math.log(10), -3, 3 * alarm)
    scale = alt.Scale(domain=[float(min(-1, powers.min())) - 0.2, float(max(alarm, powers.max())) + 0.6], nice=False)
    values = [{"x": x, "y": float(power)} for x, power in zip(_axis(analysis), powers, strict=True)]
    colour = _COLOURS["fails" if found.alarm else "holds"]
    line = alt.Chart(alt.Data(values=values)).mark_line(color=colour, strokeWidth=2).encode(
        x=_x(analysis), y=alt.Y("y:Q", title="powers of ten", scale=scale, axis=alt.Axis(
            tickCount=4, gridColor=LINE, minExtent=_LABELS)))
    top = alt.Chart(alt.Data(values=[{"y": alarm, "said": "alarm"}])).encode(y=alt.Y("y:Q", scale=scale))
    return alt.layer(line, top.mark_rule(stroke=ORANGE, strokeDash=[5, 3]), top.mark_text(
        color=ORANGE, align="left", dx=6).encode(x=alt.value(_WIDTH), text="said:N")
                     ).properties(width=_WIDTH, height=90)


def _axis(analysis: Analysis) -> list[float]:
    """Where each look stands: in milliseconds for timestamps, which is what the charts read, else in units so far."""
    if analysis.times is None:
        return [float(units) for units in analysis.looks]
    return [float(time) * (1000 if analysis.time_kind == "timestamp" else 1) for time in analysis.times]


def _x(analysis: Analysis) -> Any:
    alt = charts.altair()
    if analysis.time_kind == "timestamp":
        return alt.X("x:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(
            grid=False, tickCount=8, format="%-d %b" if _days(analysis) > 2 else "%-d %b %H:%M"))
    name = noun(analysis.experiment) + " so far" if analysis.times is None else analysis.experiment.time
    return alt.X("x:Q", title=name, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(grid=False, tickCount=8))


def _days(analysis: Analysis) -> float:
    axis = _axis(analysis)
    return (axis[-1] - axis[0]) / 86_400_000


def _unit(analysis: Analysis, outcome: Outcome) -> str:
    """What the numbers of a picture are: percent of the control arm, points, or the metric's own unit."""
    if outcome.scale == "relative":
        return f"% of {analysis.experiment.reference}"
    return "points" if is_share(analysis.experiment, outcome) else "difference"
