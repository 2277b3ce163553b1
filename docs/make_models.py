"""Write the table of docs/models.md from what the families say of themselves: python docs/make_models.py [--check]."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from linnet import recipe
from linnet.nn import FAMILIES
from linnet.recipe.arguments import FitArguments

PAGE = Path(__file__).with_name("models.md")
RECIPES = PAGE.parent.parent / "recipes"
BEGIN, END = "<!-- families -->\n", "\n<!-- /families -->"


def families() -> str:
    """The table."""
    used = recipes()
    rows = [f"| `{name}` | {first_line(family)} | {dial(family)} | {used.get(name, '')} |"
            for name, family in FAMILIES.items()]
    return "\n".join(["| family | what it is | dial | recipes |", "|---|---|---|---|", *rows])


def first_line(family: Any) -> str:
    """What a family says of itself."""
    return inspect.getdoc(family).partition("\n")[0].rstrip(".")  # type: ignore[union-attr]


def dial(family: Any) -> str:
    """Its dial with the default, and whether it can be causal."""
    known = {name: parameter.default for name, parameter in inspect.signature(family).parameters.items()
             if name not in ("task", "seed")}
    return ", ".join(f"`{name}`" if name == "causal" else f"`{name}={value}`" for name, value in known.items())


def recipes() -> dict[str, str]:
    """Family to links to the recipes that train it."""
    found: dict[str, list[str]] = {}
    for path in sorted(RECIPES.glob("*.yaml")):
        for _, arguments in recipe.load(path).steps.values():
            for family in arguments.model if isinstance(arguments, FitArguments) and isinstance(
                    arguments.model, dict) else ():
                found.setdefault(family, []).append(f"[{path.stem}](../recipes/{path.name})")
    return {family: ", ".join(links) for family, links in found.items()}


def page() -> str:
    """The whole page, with the generated part anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n{families()}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        print("docs/models.md is not what the families say; run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
