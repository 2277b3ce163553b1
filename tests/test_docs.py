"""The docs say what the code does: their scripts run, their recipes are good, their links lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from linnet import runtime
from linnet.recipe.reading import check

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", page.read_text())
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", prose)
               if not target.startswith(("http", "#"))]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def test_the_recipes_of_getting_started_are_good() -> None:
    whole, manifest = blocks(ROOT / "docs" / "getting-started.md", "yaml")
    assert list(check(whole, {}).steps) == ["model", "file", "proof"]
    steps = whole[whole.index("steps:"):]
    assert check(f"name: birds\n{manifest}{steps}", {}).data.split.by == "bird"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_script_is_python(page: Path) -> None:
    for script in blocks(page, "python"):
        compile(script, str(page), "exec")


@pytest.mark.slow
def test_the_readmes_script_makes_a_proven_file(
        real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = blocks(ROOT / "README.md", "python")
    shorter = script.replace("epochs=30", "epochs=1").replace('teacher=big,', 'teacher=big, epochs=1,')
    shorter = shorter.replace(', require="holds"', "")
    assert shorter.count("epochs=1") == 2
    monkeypatch.chdir(tmp_path)
    exec(compile(shorter, "README.md", "exec"), {})
    assert [claim.kind for claim in runtime.load("digits.onnx").claims] == ["no_worse"]
    (snippet,) = blocks(ROOT / "docs" / "getting-started.md", "python")
    exec(compile(snippet.replace("runs/digits/", ""), "getting-started.md", "exec"), {})


@pytest.mark.slow
def test_the_example_makes_a_proven_file(real_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "digits.py"))["main"](tmp_path, epochs=1)
    assert len(runtime.load(tmp_path / "digits.onnx").claims) == 2
    assert capsys.readouterr().out.count(": ") >= 2
