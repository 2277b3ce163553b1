"""The docs say what the code does: their scripts run, their recipes are good, their links lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
import soundfile

from linnet import data, runtime
from linnet.cli.app import answer

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", page.read_text())
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", prose)
               if not target.startswith(("http", "#"))]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


def own_recordings(folder: Path, real_data: Path) -> Path:
    """WAV files of two words in a folder each, and a manifest that names their speakers."""
    rows = ["audio,species,bird"]
    for recording in data.load("fsdd").where(digit=["1", "2"], index=[5, 6, 7]).ids:
        digit, speaker, number = recording.split("_")
        path = folder / "birds" / {"1": "robin", "2": "blackbird"}[digit] / f"{speaker}_{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = data.read_audio(real_data / "fsdd" / "audio" / f"{recording}.flac")
        soundfile.write(path, sound.samples, sound.sample_rate_hz)
        rows.append(f"{path.relative_to(folder)},{path.parent.name},{speaker}")
    (folder / "birds.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.slow
def test_the_three_commands_take_a_folder_to_a_proven_file(
        real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own_recordings(tmp_path, real_data))
    text = (ROOT / "docs" / "getting-started.md").read_text()
    lines = re.findall(r"^linnet [^\n]*birds.*$", text, re.M)[:3]
    init, run, verify = (line.split("#")[0].split()[1:] for line in lines)
    assert answer(init) == 0
    assert answer([*run, "--set", "big.epochs=1"]) in (0, 1, 2)
    assert answer(verify) in (0, 1, 2)
    assert answer(["try", "runs/birds/birds.onnx", "birds/robin/theo_5.wav"]) == 0
    (manifest,) = (line.split("#")[0].split()[1:] for line in re.findall(r"^linnet init birds.csv.*$", text, re.M))
    assert answer([*manifest, "--force"]) == 0
    assert "split: {by: bird}" in (tmp_path / "birds.yaml").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
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
