"""The figures behind the plain words, one function a section; a section without contents is "" and does not appear."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from linnet.evidence import Claim
from linnet.introspect import Finding
from linnet.report import charts
from linnet.report.answers import examples, figures, mistakes
from linnet.report.contents import Contents
from linnet.report.counting import kilobytes, percent
from linnet.report.found import found
from linnet.report.markup import Html, chart, join, section, table, tag
from linnet.report.sensitivity import sensitivity
from linnet.report.verdicts import MARKS, SAID
from linnet.report.words import bench_names

if TYPE_CHECKING:
    from linnet.runtime import Bench, Parity, Realised


def claims(contents: Contents) -> Html:
    """Every claim with its estimate, interval, bound, level, method and verdict."""
    if not contents.claims:
        return Html("")
    head = ["", "claim", "estimate", "interval", "bound", "level", "n"]
    rows = [[badge(claim), _statement(claim), _amount(claim, claim.estimate), _interval(claim),
             _amount(claim, claim.bound), percent(claim.level), f"{claim.n:,}"] for claim in contents.claims]
    note = ("An interval is made of two one-sided bounds, each sure at the level by itself. A claim holds where the "
            "interval lies on the right side of the bound, fails on the wrong one, and is undecided between.")
    command = tag("p", "Derive them again: ", tag("code", contents.verify_command)) if contents.verify_command else ""
    return section("Claims that the file carries", table(head, rows, numbers=(2, 3, 4, 5, 6)),
                   tag("p", note, class_="note"), command)


def badge(claim: Claim) -> Html:
    """The verdict as a mark and a word, so that it does not hang on colour."""
    return tag("span", tag("span", MARKS[claim.verdict], aria_hidden="true"), f" {SAID[claim.verdict]}",
               class_=f"badge {claim.verdict}")


def groups(contents: Contents) -> Html:
    """Accuracy of each group, one chart a column."""
    scores = contents.after
    if scores is None or scores.metric != "accuracy":
        return Html("")
    drawn = [charts.by_group(scores, name, contents.before) for name in scores.groups]
    return section("Who it works for", *map(chart, drawn))


def learning(contents: Contents) -> Html:
    """The learning curves of every model that was trained."""
    drawn = [(name, charts.learning(history)) for name, history in contents.histories.items() if history]
    return section("How it learned", *(join([tag("h3", name), chart(figure)]) for name, figure in drawn))


def cost(contents: Contents) -> Html:
    """Size, latency, throughput and memory of each file, with what they depend on."""
    if not contents.benches:
        return Html("")
    head = ["file", "KB", "with claims", "median ms", "p95 ms", "p99 ms", "answers/s", "memory MB", "runs"]
    rows = [[name, *_bench_row(bench)]
            for name, bench in zip(bench_names(contents.benches), contents.benches, strict=True)]
    last = contents.benches[-1]
    engines = ", ".join(dict.fromkeys(f"{bench.engine} {bench.version}" for bench in contents.benches))
    note = (f"Measured with {engines} on {last.processor}; latency of one sample on {last.threads} "
            f"thread(s), throughput in batches of {last.throughput_batch} on {last.throughput_threads} thread(s). "
            f"Memory is what loading and running the file adds. Energy: {last.energy}.")
    return section("What it costs to run", chart(charts.size_and_latency(contents.benches)),
                   table(head, rows, numbers=range(1, len(head))), tag("p", note, class_="note"))


def precision(contents: Contents) -> Html:
    """Which operators the engine ran in eight bits, which stayed in float and why; and how that was checked."""
    if contents.card is None:
        return Html("")
    return section("Realised precision", _realised(contents.card.realised), _parity(contents.card.parity))


def redundancy(contents: Contents) -> Html:
    """What was seen in the layers, as it led to what was removed."""
    parts = []
    for name, findings in contents.findings.items():
        if findings.kind == "redundancy" and len(findings):
            rows = [_layer(item) for item in findings]
            parts.append(join([tag("h3", name), table(["layer", "units", "effective", "seen"], rows, numbers=(1, 2))]))
    return section("What was seen inside", *parts)


def data(contents: Contents) -> Html:
    """The parts, their groups and fingerprints."""
    if not contents.data:
        return Html("")
    rows = [[part.get("part") or "all", f"{part['rows']:,}", tag("code", part["fingerprint"][:16]), _groups(part)]
            for part in contents.data]
    head = ["part", "rows", "fingerprint", "groups" if any(map(_groups, contents.data)) else ""]
    note = "A fingerprint is the start of the SHA-256 over what the samples hold, in any order."
    shown = table(head, rows, numbers=(1,))
    return section("The data", shown, tag("p", note, class_="note"))


def looks(contents: Contents) -> Html:
    """Every question that was put to the test part so far."""
    if not contents.looks:
        return Html("")
    rows = [[(look.date or "")[:16].replace("T", " "), _question(look.question), tag("code", look.subject[:12])]
            for look in contents.looks]
    return section("Looks at the test part so far", table(["when (UTC)", "question", "file"], rows))


def environment(contents: Contents) -> Html:
    """Versions and machine."""
    rows = [[key, value] for key, value in contents.environment.items()]
    return section("Where it was made", table(["", ""], rows)) if rows else Html("")


def recipe(contents: Contents) -> Html:
    """The recipe as it was run."""
    return section("The recipe", tag("pre", contents.recipe.strip())) if contents.recipe.strip() else Html("")


SECTIONS: tuple[Callable[[Contents], Html], ...] = (
    groups, figures, mistakes, examples, claims, cost, precision, learning, redundancy, sensitivity, found, data, looks,
    environment, recipe)
"""In the order of the page."""


def _bench_row(bench: Bench) -> list[str]:
    sizes = [f"{size / 1000:,.1f}" for size in (bench.size_without_claims_bytes, bench.size_bytes)]
    times = [f"{value:.3g}" for value in (bench.p50_ms, bench.p95_ms, bench.p99_ms)]
    memory = "unknown" if bench.peak_memory_mb is None else f"{bench.peak_memory_mb:.1f}"
    return [*sizes, *times, f"{bench.throughput_per_second:,.0f}", memory,
            f"{len(bench.seconds):,}"]


def _realised(found: Realised | None) -> Html:
    if found is None:
        return Html("")
    by_reason: dict[str, dict[str, int]] = {}
    for name, count in found.float_.items():
        by_reason.setdefault(_reason(found, name), {})[name] = count
    rows = [["int8", _operators(found.int8), ""]] if found.int8 else []
    rows += [["float", _operators(operators), reason] for reason, operators in by_reason.items()]
    said = (f"As {found.engine} {found.version} runs the file after its own optimisation: {sum(found.int8.values())} "
            f"operators in int8, {sum(found.float_.values())} in float.")
    return join([tag("p", said), table(["precision", "operators", "why in float"], rows)])


def _operators(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _reason(found: Realised, name: str) -> str:
    return found.float_reasons.get(name, "not known" if found.int8 else "")


def _parity(same: Parity | None) -> Html:
    if same is None:
        return Html("")
    said = (f"Checked against {same.compared_with} on {same.samples:,} samples: largest difference "
            f"{same.largest_difference:.2g} (allowed: {same.tolerance:.2g}), {same.answers_changed} answers changed.")
    return tag("p", said, class_="note")


def _question(question: str) -> str:
    """The ledger keeps questions as canonical JSON; anything else is shown as it is."""
    try:
        asked = json.loads(question)
        settings = [f"{name} {value}" for name, value in asked["settings"].items() if value is not None]
        return ", ".join([str(asked["kind"]), *settings])
    except (ValueError, TypeError, KeyError, AttributeError):
        return question


def _statement(claim: Claim) -> Html:
    notes = [f"Method: {claim.method}."]
    if claim.clusters:
        groups = claim.clusters
        notes.append(f"The unit is a {groups.by}: {groups.count} tested, at least {groups.needed} needed.")
    if claim.than:
        notes.append(f"The other side, {claim.than.name} ({claim.than.subject[:12]}), is kept sample by sample.")
    if claim.tested_level is not None:
        notes.append(f"File {claim.looks} that was held against these data: tested at {100 * claim.tested_level:.5g} "
                     f"%, so that all of them together keep {100 * claim.level:.5g} %.")
    return join([claim.statement, tag("div", " ".join(notes), class_="note")])


def _amount(claim: Claim, value: float) -> str:
    if math.isinf(value):
        return "no bound"
    if claim.unit in ("share", "score"):
        return f"{100 * value:.1f} {'points' if claim.than else '%'}"
    if claim.unit == "KB":
        return kilobytes(value)
    return f"{value:.3g} {claim.unit}".strip()


def _interval(claim: Claim) -> str:
    if claim.interval[0] == claim.interval[1]:
        return "counted"
    return " to ".join(_amount(claim, end).removesuffix(" points") for end in claim.interval)


def _groups(part: Mapping[str, Any]) -> str:
    counted = {name: column["counts"] for name, column in part.get("columns", {}).items() if column["kind"] == "group"}
    return "; ".join(f"{name}: {', '.join(list(counts)[:8])}{' ...' if len(counts) > 8 else ''}"
                     for name, counts in counted.items())


def _layer(item: Finding) -> list[object]:
    seen = item.evidence
    return [item.subject, seen.get("units", ""), _short(seen.get("effective_units")), item.statement]


def _short(value: Any) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value or "")
