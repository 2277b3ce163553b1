"""What a search found: its front as a table and a picture, what each step cost, and what compression changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from linnet.files import replacing
from linnet.report.charts import BLUE, INK, ORANGE, PALE, Figure, altair, svg
from linnet.report.verdicts import MARKS

if TYPE_CHECKING:
    from linnet.shrink.search import Outcome, Trial

_WIDTH, _SHOWN = 110, 8
_COLOURS = {"tried": PALE, "front": BLUE, "certified": ORANGE, "unchanged": INK}


def front_text(found: Outcome) -> str:
    """The front, the steps of the chosen plan, the claims, the samples that changed, and the sentence."""
    blocks = [_table(found), _steps(found), _claims(found), _changed(found), fill(found.sentence, _WIDTH)]
    return "\n\n".join(block for block in blocks if block)


def front_figure(found: Outcome) -> Figure:
    """Every trial that gave a file: the goal across, what it lost on validation up."""
    goal, unit = found.wish.goal, found.wish.unit
    rows = [{"cost": found.base[goal], "lost": 0.0, "kind": "unchanged"},
            *({"cost": trial.cost[goal], "lost": 100 * trial.damage, "kind": _kind(trial, found)}
              for trial in found.trials if trial.state == "done")]
    told = f"{len(rows) - 1} files, {len(found.front)} on the front"
    caption = (f"Each mark is a file: {goal} in {unit}, and points lost on the validation part. The line is the front; "
               f"dashed: what may be lost ({100 * found.wish.no_worse:g} points).")
    return Figure(svg(_drawn(rows, found)), caption, f"Pareto front of {goal} and loss: {told}. {found.sentence}")


def write_front(found: Outcome, path: Path) -> Path:
    """Write the picture as SVG."""
    with replacing(path) as partial:
        partial.write_text(front_figure(found).svg, encoding="utf-8")
    return path


def _table(found: Outcome) -> str:
    from linnet.shrink.search import words

    goal, unit = found.wish.goal, found.wish.unit
    rows = [("trial", f"{goal} {unit}", "of it", "points lost", "worst group", "plan")]
    rows += [(f"{trial.job.number}{' *' if _kind(trial, found) == 'certified' else ''}", f"{trial.cost[goal]:.4g}",
              f"{trial.share[goal]:.2f}", f"{100 * trial.damage:.1f}", _worst(trial), words(trial.job.plan))
             for trial in found.front]
    rows.append(("unchanged", f"{found.base[goal]:.4g}", "1.00", "0.0", "", ""))
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
             for row in rows]
    return "\n".join(["The front, by what was lost on validation (* certified and chosen):", *lines])


def _worst(trial: Trial) -> str:
    name, lost = trial.worst_group
    return f"{100 * lost:.1f} {name}" if name else ""


def _kind(trial: Trial, found: Outcome) -> str:
    if found.chosen is not None and trial.job.number == found.chosen.candidate.trial.job.number:
        return "certified"
    return "front" if any(trial.job.number == one.job.number for one in found.front) else "tried"


def _steps(found: Outcome) -> str:
    lines = [f"  {step.method:<16} {step.cost:.4g} {found.wish.unit}, {100 * step.damage:.1f} points lost"
             for step in found.steps]
    return "\n".join(["What each step brought and cost, on validation:", *lines]) if lines else ""


def _claims(found: Outcome) -> str:
    lines = [f"{MARKS[claim.verdict]} {claim.statement}{' ' + claim.reason if claim.reason else ''}"
             for one in found.certificate.tested[-1:] if found.chosen is None for claim in one.claims]
    lines += [f"{MARKS[claim.verdict]} {claim.statement}" for claim in (found.chosen.claims if found.chosen else ())]
    return "\n".join(fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


def _changed(found: Outcome) -> str:
    rows = found.changed
    if not rows:
        return ""
    lines = [f"  {row['id']}: {row['before']} before, {row['after']} now, {row['expected']} expected"[:_WIDTH]
             for row in rows[:_SHOWN]]
    more = [f"  and {len(rows) - _SHOWN} more in result.json"] if len(rows) > _SHOWN else []
    worse = sum(row["effect"] == "worse" for row in rows)
    return "\n".join([f"{len(rows)} samples are answered otherwise than before, {worse} of them worse:", *lines, *more])


def _drawn(rows: Sequence[dict[str, Any]], found: Outcome) -> Any:
    alt, goal = altair(), found.wish.goal
    x = alt.X("cost:Q", title=f"{goal} in {found.wish.unit}", scale=alt.Scale(zero=True))
    y = alt.Y("lost:Q", title="points lost on validation")
    kinds = [kind for kind in _COLOURS if any(row["kind"] == kind for row in rows)]
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[_COLOURS[kind] for kind in kinds]),
                       legend=alt.Legend(title=None, orient="top", direction="horizontal"))
    line = alt.Chart(alt.Data(values=[{"cost": trial.cost[goal], "lost": 100 * trial.damage} for trial in found.front])
                     ).mark_line(color=BLUE, strokeWidth=1.5, interpolate="step-after").encode(x=x, y=y)
    allowed = alt.Chart(alt.Data(values=[{"lost": 100 * found.wish.no_worse}])).mark_rule(
        stroke=ORANGE, strokeDash=[3, 3]).encode(y="lost:Q")
    marks = alt.Chart(alt.Data(values=list(rows))).mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=y, color=colour)
    return alt.layer(allowed, line, marks).properties(width=560, height=320)
