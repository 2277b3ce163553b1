from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from proven_file import proven_file

import linnet
from linnet import data, tasks
from linnet.cli import app
from linnet.errors import LinnetError

ROOT = Path(linnet.__file__).parent.parent


@pytest.fixture
def proven(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits) -> Path:
    return proven_file(tmp_path / "tones.onnx", tone_task, tones)


def linnet_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from linnet.cli import main; main()", *arguments]
    return subprocess.run(program, text=True, timeout=60, capture_output=True, check=False, cwd=ROOT,
                          env={**os.environ, "COLUMNS": "100", **environment})


def raising(error: BaseException) -> None:
    """Make `linnet list` end in this error."""

    def fails() -> int:
        raise error

    command = next(command for command in app.app.registered_commands if command.name == "list")
    command.callback = fails


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> None:
    command = next(command for command in app.app.registered_commands if command.name == "list")
    monkeypatch.setattr(command, "callback", command.callback)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.answer(["--version"]) == 0
    assert capsys.readouterr().out == f"linnet {linnet.__version__}\n"


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    code = ("import resource, sys; from linnet.cli import app; code = app.answer(['--help']); "
            "used = resource.getrusage(resource.RUSAGE_SELF); "
            "heavy = {'torch', 'onnxruntime', 'pyarrow', 'numpy', 'scipy', 'pydantic', 'altair'} & set(sys.modules); "
            "print(code, used.ru_utime + used.ru_stime, sorted(heavy))")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    code_, seconds, heavy = shown.splitlines()[-1].split(maxsplit=2)
    assert (code_, heavy) == ("0", "[]")
    assert float(seconds) < 0.4


@pytest.mark.parametrize("verb", ["run", "show", "try", "verify", "bench", "list", "data show"])
def test_every_verb_teaches_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.answer([*verb.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"Examples:\n +linnet {verb}\b", shown)


@pytest.mark.parametrize("arguments", [["nope"], ["list", "--nope"], ["verify"], ["list", "a", "b"],
                                       ["bench", "x", "--threads", "0"]])
def test_wrong_usage_is_three_and_never_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.answer(arguments) == app.USAGE == 3
    assert "Usage: linnet" in capsys.readouterr().err


def test_a_linnet_error_is_one_message_without_a_traceback() -> None:
    ended = linnet_command("verify", "nowhere.onnx")
    assert ended.returncode == 3
    assert "nowhere.onnx" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("verb")
def test_a_crash_is_seventy_and_says_how_to_see_more(capsys: pytest.CaptureFixture[str],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    raising(ZeroDivisionError("by zero"))
    monkeypatch.delenv("LINNET_TRACEBACK", raising=False)
    assert app.answer(["list"]) == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in said
    assert "LINNET_TRACEBACK=1" in said
    assert "Traceback" not in said
    monkeypatch.setenv("LINNET_TRACEBACK", "1")
    assert app.answer(["list"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.usefixtures("verb")
def test_a_stop_says_that_what_was_done_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    raising(KeyboardInterrupt())
    assert app.answer(["list"]) == 130
    assert capsys.readouterr().err == "stopped; what was done is kept.\n"


@pytest.mark.usefixtures("verb")
@pytest.mark.parametrize(("package", "extra"), [("torch", "train"), ("altair", "report")])
def test_a_missing_package_names_its_extra(package: str, extra: str, capsys: pytest.CaptureFixture[str]) -> None:
    raising(ModuleNotFoundError(f"No module named '{package}'", name=package))
    assert app.answer(["list"]) == 3
    assert f'pip install "linnet[{extra}]"' in capsys.readouterr().err


@pytest.mark.usefixtures("verb")
def test_a_missing_module_that_is_no_extra_is_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    raising(ModuleNotFoundError("No module named 'linnet.gone'", name="linnet.gone"))
    assert app.answer(["list"]) == 70


@pytest.mark.usefixtures("verb")
def test_a_full_disk_is_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    raising(OSError(28, "No space left on device", "runs/digits/big"))
    assert app.answer(["list"]) == 3
    assert capsys.readouterr().err == "the system refused: No space left on device: runs/digits/big\n"


@pytest.mark.usefixtures("verb")
def test_an_error_of_the_user_is_three(capsys: pytest.CaptureFixture[str]) -> None:
    raising(LinnetError("the cause and the cure."))
    assert app.answer(["list"]) == 3
    assert capsys.readouterr().err == "the cause and the cure.\n"


def test_a_reader_that_leaves_early_is_no_verdict() -> None:
    program = [sys.executable, "-c", "from linnet.cli import main; main()", "data", "ls"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, "")


def test_a_terminal_without_check_marks_still_gets_its_answer(proven: Path, tone_manifest: Path) -> None:
    ended = linnet_command("verify", str(proven), "--data", str(tone_manifest), PYTHONIOENCODING="latin-1")
    assert ended.returncode == 0, ended.stderr
    assert "? claim 1" in ended.stdout


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    ended = subprocess.run([sys.executable, "docs/make_cli.py", "--check"], cwd=ROOT, capture_output=True, text=True,
                           check=False)
    assert ended.returncode == 0, ended.stderr
