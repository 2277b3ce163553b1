from __future__ import annotations

import builtins
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import linnet
from linnet.cli.app import answer
from linnet.watch import experiments

ROOT = Path(linnet.__file__).parents[1]
PLAN = """\
name: sign-up page
arm: page
arms: {old: 0.5, new: 0.5}
unit: user
time: day
looks: 20
metrics:
  signed_up: {kind: proportion, value: signed_up, baseline: 0.1, minimum_lift: 0.2}
"""
GUARD = "  slow: {kind: proportion, value: slow, role: guardrail, goal: decrease, margin: 0.03}\n"
ANALYSE = ("ab", "analyse", "events.parquet", "--plan", "plan.yaml")


def events(*, old: float = 0.10, new: float = 0.10, slow: float = 0.05, share: float = 0.5, users: int = 12_000
           ) -> pa.Table:
    """Users in the order of their days, with their chances of signing up and of it being slow in the new arm."""
    rng = np.random.default_rng(3)
    is_new = rng.random(users) < share
    return pa.table({
        "user": np.arange(users), "day": np.sort(rng.uniform(0, 14, users)), "page": np.where(is_new, "new", "old"),
        "signed_up": rng.random(users) < np.where(is_new, new, old),
        "slow": rng.random(users) < np.where(is_new, slow, 0.05)})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with plan.yaml and events.parquet, in which nothing is different."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    pa.parquet.write_table(events(users=2_000), tmp_path / "events.parquet")
    return tmp_path


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("seen", "code", "said"), [
    ({"new": 0.15}, 0, "new is better than old: signed_up +59 % (+32 to +102). Not harmed: slow."),
    ({"new": 0.06}, 1, "new does not do what was asked of it. Worse: signed_up -32 % (-45 to -12)."),
    ({"new": 0.15, "slow": 0.15}, 1, "new does harm. Harmed: slow +"),
    ({"share": 0.6, "new": 0.15}, 1, "the arms did not fill as planned, so nothing can be said of new"),
    ({"new": 0.095, "users": 40_000}, 1, "new does not do what was asked of it. Not enough: signed_up"),
    ({"users": 2_000}, 2, "it is not decided whether new is better than old."),
], ids=["better", "worse", "a guardrail is harmed", "a broken split", "too little", "undecided"])
def test_the_exit_code_is_the_verdict(here: Path, capsys: pytest.CaptureFixture[str], seen: dict[str, float], code: int,
                                      said: str) -> None:
    (here / "plan.yaml").write_text(PLAN + GUARD)
    pa.parquet.write_table(events(**seen), here / "events.parquet")  # type: ignore[arg-type]
    assert answer([*ANALYSE]) == code
    assert said in flat(capsys.readouterr().out)


def test_all_that_can_be_written(here: Path, capsys: pytest.CaptureFixture[str],
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*ANALYSE, "--report", "out/page.html", "--svg", "picture.png", "--threads", "1", "--json"]
    monkeypatch.setattr(sys, "argv", ["linnet", *arguments])
    assert answer(arguments) == 2
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["schema"], found["verdict"]) == ("linnet/experiment/v1", "undecided")
    assert len(found["outcomes"][0]["absolute"]["low"]) == 20
    page = (here / "out" / "page.html").read_text()
    assert "it is not decided whether new is better than old" in page
    assert page.count("<svg") == 2
    assert "events.parquet" in page
    assert "minimum_lift: 0.2" in page
    assert (here / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "written: out/page.html" in shown.err
    assert "written: picture.png" in shown.err


def test_a_reader_that_leaves_early_does_not_cost_the_page(here: Path) -> None:
    program = [sys.executable, "-c", "from linnet.cli import main; main()", *ANALYSE, "--report", "page.html"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=here) as running:
        assert running.stdout is not None
        running.stdout.close()
    assert running.returncode == 141
    assert (here / "page.html").exists()


def test_csv_and_several_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = events(users=2_000)
    pa.csv.write_csv(table, here / "events.csv")
    pa.parquet.write_table(table.slice(0, 700), here / "part-0.parquet")
    pa.parquet.write_table(table.slice(700), here / "part-1.parquet")
    told = []
    for name in ("events.parquet", "events.csv", "part-*.parquet"):
        assert answer(["ab", "analyse", name, "--plan", "plan.yaml", "--json"]) == 2
        told.append(json.loads(capsys.readouterr().out))
    assert [found["rows"] for found in told] == [2_000] * 3
    assert told[0]["outcomes"] == told[1]["outcomes"] == told[2]["outcomes"]


def test_progress_is_on_the_other_stream(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer([*ANALYSE])
    shown = capsys.readouterr()
    assert re.search(r"\(\d of \d\)", shown.err)
    assert "of 4)" not in shown.out


def test_a_self_test_says_what_it_found_and_keeps_the_level(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["ab", "selftest", "events.parquet", "--plan", "plan.yaml", "--runs", "400", "--looks", "20"]
    assert answer(command) == 0
    shown = capsys.readouterr()
    assert "400 experiments in which nothing is different" in flat(shown.out)
    assert re.search(r"^✓  signed_up", shown.out, re.M)
    assert "sharing out anew" in shown.err
    assert answer([*command, "--json", "--seed", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], found["looks"], found["seed"], found["nominal"]) == (400, 20, 1, pytest.approx(0.05))
    assert found["metrics"][0]["naive_rate"] > 0.15 > 0.05 > found["metrics"][0]["rate"]


def test_too_few_runs_leave_a_self_test_undecided(here: Path) -> None:
    arguments = ["--runs", "100", "--looks", "5"]
    found = [answer(["ab", "selftest", "events.parquet", "--plan", "plan.yaml", *arguments, "--seed", str(seed)])
             for seed in range(5, 8)]
    assert 2 in found
    assert 1 not in found


def test_a_reckoning_says_how_many_users_it_takes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["ab", "power", "--plan", "plan.yaml", "--runs", "200"]) == 0
    assert re.search(r"^signed_up \(new\) +2.0 points +9\d\.\d %", capsys.readouterr().out, re.M)
    assert answer(["ab", "power", "--plan", "plan.yaml", "--runs", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "linnet/power/v1"
    assert found["stopping"][0]["expected_units"] < found["stopping"][0]["last_look"]


def test_a_first_plan_can_be_used_as_it_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["ab", "init", "events.parquet", "--time", "day", "--to", "first.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "Written to first.yaml. Change it, then: linnet ab power --plan first.yaml" in shown
    read = experiments.Experiment.load("first.yaml")
    assert (read.arm, read.reference, read.unit, read.time) == ("page", "old", "user", "day")
    assert list(read.metrics) == ["signed_up"]
    assert "# slow: {kind: proportion, value: slow}" in shown
    assert answer(["ab", "analyse", "events.parquet", "--plan", "first.yaml"]) in (0, 1, 2)


def test_a_plan_is_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["ab", "init", "events.parquet"]) == 3
    assert "plan.yaml is there already; give another name with --to, or --force" in capsys.readouterr().err
    assert (here / "plan.yaml").read_text() == PLAN
    assert answer(["ab", "init", "events.parquet", "--force"]) == 0
    assert (here / "plan.yaml").read_text() != PLAN


@pytest.mark.parametrize(("arguments", "said"), [
    (["analyse", "nowhere.parquet", "--plan", "plan.yaml"], "nowhere.parquet"),
    (["analyse", "events.parquet", "--plan", "nowhere.yaml"], "the plan 'nowhere.yaml' cannot be read"),
    (["analyse", "plan.yaml", "--plan", "plan.yaml"], "Parquet (.parquet) or CSV (.csv) files, all of one kind"),
    (["analyse", "events.parquet", "--plan", "events.parquet"], "the plan 'events.parquet' cannot be read"),
    (["analyse", "events.parquet", "--plan", "plan.yaml", "--svg", "a.pdf"], "written as .svg or .png"),
    (["analyse", "events.parquet"], "--plan"),
    (["analyse", "--plan", "plan.yaml"], "EVENTS"),
    (["analyse", "events.parquet", "--plan", "plan.yaml", "--threads", "0"], "--threads"),
    (["selftest", "nowhere.parquet", "--plan", "plan.yaml"], "nowhere.parquet"),
    (["selftest", "events.parquet", "--plan", "plan.yaml", "--runs", "3"], "--runs"),
    (["selftest", "events.parquet", "--plan", "plan.yaml", "--seed", "-1"], "--seed"),
    (["power", "--plan", "bare.yaml"], "the plan says too little to reckon with"),
    (["power", "--plan", "wrong.yaml"], "unknown key, did you mean 'metrics'?"),
    (["init", "nowhere.csv", "--to", "a.yaml"], "there is no file 'nowhere.csv'"),
    (["init", "events.parquet", "--to", "a.yaml", "--arm", "pag"], "did you mean 'page'"),
    (["nope"], "No such command"),
])
def test_what_is_wrong_is_said_and_ends_with_three(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                                                   said: str) -> None:
    (here / "bare.yaml").write_text(PLAN.replace(", baseline: 0.1, minimum_lift: 0.2", ""))
    (here / "wrong.yaml").write_text(PLAN.replace("metrics:", "metric:"))
    assert answer(["ab", *arguments]) == 3
    shown = capsys.readouterr()
    assert said in flat(shown.err)
    assert shown.out == ""


def test_duckdb_that_is_not_installed_is_named(here: Path, capsys: pytest.CaptureFixture[str],
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "duckdb":
            raise ModuleNotFoundError("No module named 'duckdb'", name="duckdb")
        return whole(name, *arguments, **more)

    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    assert answer([*ANALYSE]) == 3
    assert 'pip install "linnet[ab]"' in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code", "said"), [
    (KeyboardInterrupt(), 130, "stopped"), (ZeroDivisionError("by zero"), 70, "linnet crashed: ZeroDivisionError"),
    (OSError(28, "No space left on device", "/tmp"), 3, "No space left on device")])
def test_a_stop_a_crash_and_a_full_disk(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
                                        error: BaseException, code: int, said: str) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(experiments, "analyse", fails)
    monkeypatch.delenv("LINNET_TRACEBACK", raising=False)
    assert answer([*ANALYSE, "--report", "page.html"]) == code
    assert said in capsys.readouterr().err
    assert not (here / "page.html").exists()


def test_a_stop_inside_of_the_database_is_a_stop(here: Path, capsys: pytest.CaptureFixture[str],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def execute(self, *_: object) -> None:
            raise RuntimeError("Query interrupted")  # what DuckDB makes of it

        def __enter__(self) -> Interrupted:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

    monkeypatch.setattr("duckdb.connect", lambda *_, **__: Interrupted())
    assert answer([*ANALYSE]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stopped."


@pytest.mark.parametrize("verb", ["init", "power", "selftest", "analyse"])
def test_every_verb_teaches_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["ab", verb, "--help"]) == 0
    assert re.search(rf"Examples:\n +linnet ab {verb} ", capsys.readouterr().out)


def test_help_loads_nothing_heavy() -> None:
    code = ("import sys; from linnet.cli import app; app.answer(['ab', 'analyse', '--help']); "
            "print(sorted({'torch', 'onnxruntime', 'pyarrow', 'numpy', 'scipy', 'altair', 'duckdb'} "
            "& set(sys.modules)))")
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert shown.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_the_example_from_events_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    plan = str(ROOT / "examples" / "experiment.yaml")
    example = runpy.run_path(str(ROOT / "examples" / "experiment.py"))
    example["main"](tmp_path / "events.parquet", rows=50_000)
    assert answer(["ab", "power", "--plan", plan, "--runs", "200"]) == 0
    assert answer(["ab", "selftest", "events.parquet", "--plan", plan, "--runs", "400"]) == 0
    capsys.readouterr()
    assert answer(["ab", "analyse", "events.parquet", "--plan", plan, "--report", "page.html", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    decided = {one["metric"]: one["decision"] for one in found["outcomes"]}
    assert decided["understood"] == "holds"
    assert decided["wait_ms"] == "holds"
    truth, last = example["TRUTH"], {one["metric"]: one for one in found["outcomes"]}
    for name, track in (("understood", "absolute"), ("wait_ms", "relative")):
        assert last[name][track]["low"][-1] < truth[name] < last[name][track]["high"][-1]
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 6
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)|url\((?!#)|@import|<script""", page)


def test_the_guide_shows_the_plan_of_the_example() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "experiments.md").read_text(), re.M | re.S)
    example = (ROOT / "examples" / "experiment.yaml").read_text()
    assert shown == "".join(line for line in example.splitlines(keepends=True) if not line.startswith("#"))


def test_users_in_both_arms_are_cut_out_as_the_guide_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = events(users=2_000).rename_columns({"page": "model"})
    other = table.slice(0, 50).set_column(2, "model", pa.array(["new" if arm == "old" else "old"
                                                                for arm in table["model"][:50].to_pylist()]))
    pa.parquet.write_table(pa.concat_tables([table, other]), here / "events.parquet")
    (here / "plan.yaml").write_text(PLAN.replace("arm: page", "arm: model"))
    assert answer([*ANALYSE]) == 3
    assert "50 units are in more than one arm" in (said := flat(capsys.readouterr().err))
    assert "cut out all rows of these units (docs/experiments.md shows how)" in said
    (sql,) = re.findall(r"^```sql\n(.*?)^```", (ROOT / "docs" / "experiments.md").read_text(), re.M | re.S)
    duckdb.sql(sql)
    assert answer(["ab", "analyse", "clean.parquet", "--plan", "plan.yaml", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["rows"] == 1_950


def test_a_module_is_the_program_too(here: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "linnet", *ANALYSE], capture_output=True, text=True, check=False,
                          cwd=here)
    assert done.returncode == 2
    assert "it is not decided whether new is better than old." in flat(done.stdout)
