"""The health of a dataset in a terminal: a table of its measures, what is odd, and where it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linnet.introspect import Finding, Findings

_MOST_ITEMS, _MOST_OF_COLUMN, _MOST_FORMS, _MOST_NAMES = 12, 6, 6, 3
_BARS = " ▁▂▃▄▅▆▇█"
_TITLES = {"order": "the order of the rows", "drift": "drift", "near_duplicates": "near duplicates"}


def text(looks: Mapping[str, Findings]) -> str:
    """All of it; `looks` maps "profile", "order", "drift" and "near_duplicates" to what they found."""
    facts = looks["profile"].facts
    groups = [item for item in looks["profile"] if "group" in item.evidence]
    odd = [f"{item.subject}: {item.statement}{_names(item.evidence)}" for item in looks["profile"]
           if "group" not in item.evidence]
    lines = [f"{facts['name']}: {facts['rows']:,} rows", "", *_measures(facts["measures"]), *_columns(facts),
             *_list("what is odd", odd, len(odd)),
             *_list(f"groups unlike the others{_rate(facts)}", _some_of_each(groups), len(groups))]
    for name, title in _TITLES.items():
        if name in looks:
            rate = "" if name == "near_duplicates" else _rate(looks[name].facts)
            lines += _list(title + rate, [item.statement for item in looks[name]][:_MOST_ITEMS], len(looks[name]))
    lines += [f"broken: '{one['column']}' of {one['sample']} {one['reason']}" for one in facts["broken"]]
    return "\n".join(lines)


def _measures(measures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    cells = [["measure", "unit", "least", "5 %", "median", "95 %", "most", "spread"]]
    cells += [[name, one["unit"], *(f"{one[key]:.4g}" for key in ("least", "low", "median", "high", "most")),
               _spread(one["counts"])] for name, one in measures.items() if one["rows"]]
    widths = [max(len(line[at]) for line in cells) for at in range(8)]
    for line in cells if len(cells) > 1 else ():
        yield "  ".join([f"{line[0]:<{widths[0]}}", f"{line[1]:<{widths[1]}}",
                         *(f"{line[at]:>{widths[at]}}" for at in range(2, 7)), line[7]]).rstrip()


def _spread(counts: Sequence[int]) -> str:
    """A histogram of eight heights; what is there at all has a bar.

    >>> _spread([0, 1, 50, 100])
    ' ▁▄█'
    """
    most = max(counts)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most)] for count in counts)


def _columns(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, forms in facts["forms"].items():
        shown = ", ".join(f"{form} ({rows:,})" for form, rows in list(forms.items())[:_MOST_FORMS])
        yield f"{name}: {shown}{' ...' if len(forms) > _MOST_FORMS else ''}"
    for name, said in facts["labels"].items():
        rows = f"{said['most']:,}" if said["most"] == said["least"] else f"{said['least']:,} to {said['most']:,}"
        yield f"{name}: {said['different']:,} different, {rows} rows each"


def _names(evidence: Mapping[str, Any]) -> str:
    names = evidence.get("samples", ())
    return f" Such as {', '.join(names[:_MOST_NAMES])}." if names else ""


def _some_of_each(groups: Sequence[Finding]) -> list[str]:
    """The first few groups of each column: the thirtieth speaker tells no more than the first ones."""
    seen: Counter[str] = Counter()
    shown = []
    for item in groups:
        seen[item.evidence["column"]] += 1
        shown += [item.statement] if seen[item.evidence["column"]] <= _MOST_OF_COLUMN else []
    return shown


def _rate(facts: Mapping[str, Any]) -> str:
    return f" (told without a cause in at most {100 * facts['rate']:.3g} of 100 datasets)"


def _list(title: str, shown: Sequence[str], count: int) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"  {line}" for line in shown or ["nothing"])
    if count > len(shown):
        yield f"  ... and {count - len(shown):,} more (--json has all)"
