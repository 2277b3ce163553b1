"""A grid of methods in words: every point held against the float file, who is on the front, who could not be made."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from linnet.report import comparison
from linnet.report.front import front
from linnet.runtime import Comparison

_WIDTH = 110
_COSTS = (("median latency", "ms", "{:.3g} ms"), ("size", "kb", "{:,.1f} KB"))


def text(compared: Comparison, refused: Sequence[tuple[str, str]] = ()) -> str:
    """The comparison's table and words, then the front; `refused` are points without a file, each with its reason."""
    parts = [comparison.text(compared), "\n".join(["On the front, beaten by no other in both:", *_fronts(compared)])]
    if refused:
        lines = [fill(f"{name}: {reason}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
                 for name, reason in refused]
        parts.append("\n".join(["Could not be made", *lines]))
    return "\n\n".join(parts)


def _fronts(compared: Comparison) -> list[str]:
    rows = [{"name": side.name, "right": side.seeds.mean, "ms": side.p50_ms, "kb": side.size_bytes / 1000}
            for side in compared.sides]
    return [fill(f"by {title}: " + "; ".join(f"{row['name']} ({form.format(row[of])})"
                                             for row in front(rows, cost=of, worth="right")),
                 _WIDTH, initial_indent="  ", subsequent_indent="    ") for title, of, form in _COSTS]
