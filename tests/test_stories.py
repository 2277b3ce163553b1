"""The stories of the docs: their commands run on a small scale, and end as they are told."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from linnet import introspect, runtime
from linnet.cli.app import answer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "stories" / "dirty_labels.md"


@pytest.mark.slow
def test_dirty_labels_are_found_repaired_and_the_gain_certified(tmp_path: Path) -> None:
    commands = re.findall(r"^(?:\$ )?((?:python|linnet) .*)$", PAGE.read_text(), re.MULTILINE)
    script, look, verify = (command.split() for command in commands)
    run = subprocess.run([sys.executable, *script[1:], "--small", "--folder", str(tmp_path)], cwd=ROOT, check=False,
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "labels doubted" in run.stdout
    with (tmp_path / "queue.csv").open() as file:
        queue = list(csv.DictReader(file))
    found = introspect.Findings.from_json(json.loads((tmp_path / "doubtful.json").read_text()))
    assert [row["id"] for row in queue] == list(found.subjects)
    assert len(found) > 150  # of 216 that were flipped
    (claim,) = runtime.load(tmp_path / "repaired.onnx").claims
    assert claim.kind == "better"
    expected = {"holds": 0, "fails": 1, "undecided": 2}[claim.verdict]
    assert answer([*verify[1:-1], str(tmp_path / "repaired.onnx")]) == expected
    table = (tmp_path / "table.tex").read_text()
    assert table.count(r"\\") == 4
    assert ElementTree.parse(tmp_path / "gain.svg").getroot().tag.endswith("svg")
    page = tmp_path / "look.html"
    wanted = [part.replace("runs/dirty-labels", str(tmp_path)) for part in look[1:]]
    assert answer([*wanted, "--save", str(page), "--limit", "20"]) == 0
    assert "label issues" in page.read_text().lower().replace("_", " ")
