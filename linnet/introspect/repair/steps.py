"""Drop, relabel, deduplicate: a new dataset each, with the step in its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from linnet.data import Dataset, restore
from linnet.data.repairing import relabelled, without
from linnet.errors import LinnetError
from linnet.introspect.findings import Finding, Findings

_REPAIRS = ("drop", "relabel")


def drop(dataset: Dataset, findings: Findings) -> Dataset:
    """Without the samples that the findings are about (foreign samples, label issues).

    No finding, no change. The step says which samples, and of which look. Raises LinnetError for a sample that is not
    there; pairs of samples are for `deduplicate`.
    """
    issues = [finding.subject for finding in findings if isinstance(finding.evidence.get("samples"), list)]
    if issues:
        raise LinnetError(f"drop takes findings about samples; '{issues[0]}' is an issue of several: give "
                          "introspect.affected(findings), which has one finding a sample.")
    pairs = [finding.subject for finding in findings if _pair(finding)]
    if pairs:
        raise LinnetError(f"drop takes findings about samples; '{pairs[0]}' is a pair, of which one is to stay: use "
                          "deduplicate.")
    if not len(findings):
        return dataset
    return without(dataset, findings.subjects, because=findings.kind)


def relabel(dataset: Dataset, findings: Findings, *, column: str) -> Dataset:
    """With the suggested label in place of the given one, in a column of labels (`label_issues`).

    No finding, no change. The step keeps both labels of each sample. Raises LinnetError for findings that suggest no
    label, for a sample that is not there or has been given another label since, and for unknown labels.
    """
    silent = [finding.subject for finding in findings if not {"given", "suggested"} <= set(finding.evidence)]
    if silent:
        raise LinnetError(f"relabel takes findings that suggest a label, as label_issues does; the one about "
                          f"'{silent[0]}' is of kind {findings.kind}. Use drop, or a labelling queue.")
    if not len(findings):
        return dataset
    wanted = {finding.subject: (str(finding.evidence["given"]), str(finding.evidence["suggested"]))
              for finding in findings}
    return relabelled(dataset, column, wanted, because=findings.kind)


def deduplicate(dataset: Dataset, findings: Findings) -> Dataset:
    """Without all but one of what is there several times (`near_duplicates`), or is in another part too (`leakage`).

    Of pairs within the dataset the sample that comes first stays; samples that are linked by pairs count as one thing.
    Of a pair whose other sample is not in this dataset, the one that is here goes: that is what clears a training part
    of what the test part holds. The step says for each sample which one stands for it.

    A leakage that is of groups alone (a speaker in two parts) changes nothing. Raises LinnetError where none of the
    findings names a sample of the dataset.
    """
    rows = {name: row for row, name in enumerate(dataset.ids)}
    pairs = [pair for finding in findings if (pair := _pair(finding))]
    here = [pair for pair in pairs if set(pair) & set(rows)]
    if not here:
        if pairs or (len(findings) and findings.kind != "leakage"):
            raise LinnetError(f"none of the {len(findings)} findings names a pair of which a sample is in "
                              f"'{dataset.name}'. Is it the dataset, or the part, that was looked at?")
        return dataset
    stands: dict[str, str] = {}
    for one, other in sorted(here, key=lambda pair: sorted(rows.get(name, -1) for name in pair)):
        roots = {_root(stands, one), _root(stands, other)}
        stays = min(roots, key=lambda name: rows.get(name, -1))
        stands |= dict.fromkeys(roots - {stays}, stays)
    gone = [name for name in dataset.ids if name in stands]
    return without(dataset, gone, because=findings.kind, kept={name: _root(stands, name) for name in gone})


def repairs(dataset: Dataset) -> list[dict[str, Any]]:
    """What was repaired, the first step first: plain JSON, as the dataset's origin keeps it."""
    return [dict(step) for step in dataset.origin.get("steps", ()) if any(name in step for name in _REPAIRS)]


def undo(dataset: Dataset, *, source: str | Path | None = None) -> Dataset:
    """The dataset as it was before its last step, which must be a repair.

    Labels are put back from what the step says. Samples are loaded again from the dataset's origin (`source` says where
    from instead), so that a dataset that was made in memory cannot get them back: keep it. Raises LinnetError then, and
    where the last step was no repair.
    """
    steps = list(dataset.origin.get("steps", ()))
    if not steps or not any(name in steps[-1] for name in _REPAIRS):
        raise LinnetError(f"the last step that led to '{dataset.name}' is no repair: {_named(steps)}. Undo takes one "
                          "repair back at a time, the last one first.")
    earlier = {**dataset.origin, "steps": steps[:-1]}
    if "relabel" in steps[-1]:
        back = {name: (after, before) for name, (before, after) in steps[-1]["relabel"].items()}
        return replace(relabelled(dataset, steps[-1]["column"], back), origin=earlier)
    return restore(earlier, source)


def _pair(finding: Finding) -> tuple[str, str] | None:
    """The two samples of a finding about a pair."""
    found = finding.evidence.get("ids")
    return (str(found[0]), str(found[1])) if isinstance(found, list | tuple) and len(found) == 2 else None


def _root(stands: Mapping[str, str], name: str) -> str:
    while name in stands:
        name = stands[name]
    return name


def _named(steps: list[Mapping[str, Any]]) -> str:
    return f"it is '{next(iter(steps[-1]))}'" if steps else "there is none"
