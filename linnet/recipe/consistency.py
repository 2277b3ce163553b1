"""What is wrong between the steps of a recipe, though each is right by itself; found before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linnet import nn
from linnet.recipe.arguments import (
    Arguments,
    ConfusionsArguments,
    ExportArguments,
    FitArguments,
    ProveArguments,
    RedundancyArguments,
    SensitivityArguments,
    ShrinkArguments,
)

Steps = Mapping[str, tuple[str, Arguments]]


def faults(steps: Steps, groups: Sequence[str]) -> list[str]:
    """Each fault with its place; `groups` are those of the task."""
    return [*_paths(steps), *_proofs(steps), *_findings(steps), *_redundancies(steps), *_clusters(steps, groups)]


def nothing_removable(step: str, family: str) -> str:
    """Why redundancy cannot be looked for in the model of this step."""
    return (f"'{step}' is of the family {family}, which has no layers whose channels can be removed yet; families that "
            f"have: {', '.join(nn.zoo.REMOVABLE)}")


def _paths(steps: Steps) -> list[str]:
    """Two steps that write the same file: the second would pass for the first."""
    writer: dict[str, str] = {}
    found = []
    for name, (_, arguments) in steps.items():
        if isinstance(arguments, ExportArguments) and writer.setdefault(arguments.path, name) != name:
            found.append(f"steps.{name}.export.path: '{arguments.path}' is written by the step "
                         f"'{writer[arguments.path]}' already; give it another name")
    return found


def _proofs(steps: Steps) -> list[str]:
    """Two proofs of one file: the second would take the claims of the first out of it."""
    prover: dict[str, str] = {}
    return [f"steps.{name}.prove.file: the step '{prover[arguments.file]}' proves '{arguments.file}' already; "
            "write all of its claims there"
            for name, (_, arguments) in steps.items()
            if isinstance(arguments, ProveArguments) and prover.setdefault(arguments.file, name) != name]


def _findings(steps: Steps) -> list[str]:
    """A plan made of what was seen in another model, or of findings of another kind."""
    found = []
    for name, (_, arguments) in steps.items():
        if isinstance(arguments, ShrinkArguments):
            where, plan = f"steps.{name}.shrink.plan", arguments.plan
            found += _looked(steps, f"{where}.findings", plan.findings, RedundancyArguments, arguments.model)
            found += _looked(steps, f"{where}.protect", plan.protect, SensitivityArguments, arguments.model)
    return found


_SEEN: Mapping[type[Arguments], str] = {
    RedundancyArguments: "redundancy", SensitivityArguments: "sensitivity", ConfusionsArguments: "confusions"}


def _looked(steps: Steps, where: str, source: str | None, wanted: type[Arguments], model: str) -> list[str]:
    """Why this step's findings do not serve a plan for the model; nothing where they do."""
    looked = steps[source][1] if source is not None and source in steps else None
    kind = None if looked is None else _SEEN.get(type(looked))
    if kind is not None and not isinstance(looked, wanted):
        return [f"{where}: '{source}' is a step of {kind}, a plan takes one of {_SEEN[wanted]} here"]
    if isinstance(looked, (RedundancyArguments, SensitivityArguments)) and looked.model != model:
        return [f"{where}: '{source}' looked inside '{looked.model}', the model is '{model}'"]
    return []


def _redundancies(steps: Steps) -> list[str]:
    """Redundancy in a model of which nothing can be removed."""
    looked = {name: arguments.model for name, (_, arguments) in steps.items()
              if isinstance(arguments, RedundancyArguments)}
    return [f"steps.{name}.redundancy.model: {nothing_removable(model, family)}" for name, model in looked.items()
            if (family := _family(steps, model)) is not None and family not in nn.zoo.REMOVABLE]


def _family(steps: Steps, name: str) -> str | None:
    """The family of the model that a step gives; None where the recipe is wrong there, which is said elsewhere."""
    earlier = list(steps)
    while name in steps:
        arguments = steps[name][1]
        if not isinstance(arguments, FitArguments | ShrinkArguments):
            return None
        if isinstance(arguments.model, dict):
            return next(iter(arguments.model))
        if arguments.model not in earlier[:earlier.index(name)]:
            return None
        name = arguments.model
    return None


def _clusters(steps: Steps, groups: Sequence[str]) -> list[str]:
    found = []
    for name, (_, arguments) in steps.items():
        for number, claim in enumerate(arguments.claims if isinstance(arguments, ProveArguments) else []):
            for kind in type(claim).model_fields:
                for key in ("clusters", "by"):
                    by = getattr(getattr(claim, kind), key, None)
                    if isinstance(by, str) and by not in groups:
                        found.append(f"steps.{name}.prove.claims.{number}.{kind}.{key}: '{by}' is none of the task's "
                                     f"groups; those are: {', '.join(groups) or '(none)'}")
    return found
