"""Row tests in pytest: `pytest cases.csv --linnet-model model.onnx` makes each row of a table a test.

Without the option nothing is collected and nothing imported. Tables are those named on the command line, and in the
folders that pytest walks those whose names match the ini value `linnet_cases` ("*cases.csv" unless it is given).
The end says which cases newly fail and which recovered since the last run, which is kept beside the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from linnet.runtime import Shipped
    from linnet.runtime.cases import Cases
    from linnet.runtime.outcomes import Outcome

OPTION, ENOUGH, INI = "--linnet-model", "--linnet-enough", "linnet_cases"
_KEY = "linnet"
_models = pytest.StashKey["dict[str, Shipped]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that turns the plugin on, and which tables it takes."""
    group = parser.getgroup("linnet", "row tests of shipped models")
    group.addoption(OPTION, metavar="FILE", default=None, help="put the rows of tables of cases to this ONNX file")
    group.addoption(ENOUGH, metavar="SCORE", type=float, default=1.0, help="the score from which on a case passes")
    parser.addini(INI, "which tables of cases are taken from folders", default="*cases.csv")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A table of cases, where a model was named."""
    if parent.config.getoption(OPTION) is None or file_path.suffix not in (".csv", ".tsv", ".jsonl"):
        return None
    if not (parent.session.isinitpath(file_path) or fnmatch(file_path.name, str(parent.config.getini(INI)))):
        return None
    return CaseFile.from_parent(parent, path=file_path)


class CaseFile(pytest.File):
    """A table; a row is a test."""

    @cached_property
    def shipped(self) -> Shipped:
        """The file that is asked; loaded once a session."""
        from linnet import runtime

        path = str(self.config.getoption(OPTION))
        loaded = self.config.stash.setdefault(_models, {})
        if path not in loaded:
            loaded[path] = runtime.load(path)
        return loaded[path]

    @cached_property
    def cases(self) -> Cases:
        """The rows."""
        from linnet.runtime.cases import read_cases

        return read_cases(self.path, self.shipped.task)

    @cached_property
    def together(self) -> list[Outcome]:
        """What came of all cases, where answers are scored beside each other."""
        return self.asked(self.cases)

    def asked(self, cases: Cases) -> list[Outcome]:
        """What comes of some cases."""
        from linnet.runtime.outcomes import ask_cases

        return ask_cases(self.shipped, self.shipped.task, cases, enough=self.config.getoption(ENOUGH))

    def outcome(self, place: int) -> Outcome:
        """What comes of one case."""
        from linnet.runtime.outcomes import are_compared

        return self.together[place] if are_compared(self.shipped.task) else self.asked(self.cases.at(place))[0]

    def collect(self) -> Iterator[CaseItem]:
        """One test a row; what cannot be read fails the collection with its own message."""
        from linnet.errors import LinnetError

        try:
            names = self.cases.dataset.ids
        except LinnetError as error:
            raise self.CollectError(str(error)) from error
        for place, name in enumerate(names):
            yield CaseItem.from_parent(self, name=name, place=place)


class WrongAnswerError(Exception):
    """A case that did not pass."""


class CaseItem(pytest.Item):
    """One row."""

    def __init__(self, *, place: int, **given: Any) -> None:
        super().__init__(**given)
        self.place = place

    def runtest(self) -> None:
        """Ask the file; what came of it travels with the report, also from another process."""
        table = self.parent
        assert isinstance(table, CaseFile)
        outcome = table.outcome(self.place)
        told = {"table": str(table.path), "model": Path(table.shipped.path).name, "identity": table.shipped.identity}
        self.user_properties.append((_KEY, told | {"outcome": vars(outcome)}))
        if not outcome.passed:
            raise WrongAnswerError(outcome.message)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """One line for a wrong answer."""
        return str(excinfo.value) if isinstance(excinfo.value, WrongAnswerError) else \
            super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands; the header is its first line."""
        return self.path, self.place + 1, f"case: {self.name}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What changed since the last run of each table; then this run is kept, by the one process that knows all."""
    if hasattr(config, "workerinput"):
        return
    tables: dict[str, list[dict[str, Any]]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, told in getattr(report, "user_properties", ()):
                if key == _KEY and getattr(report, "when", "") == "call":
                    tables.setdefault(told["table"], []).append(told)
    for table, rows in sorted(tables.items()):
        _summarise(terminalreporter, Path(table), rows)


def _summarise(terminal: pytest.TerminalReporter, table: Path, rows: list[dict[str, Any]]) -> None:
    from linnet.runtime import regressions
    from linnet.runtime.outcomes import Outcome

    place = regressions.place_of(table)
    last = regressions.last_run(place)
    outcomes = [Outcome(**row["outcome"]) for row in rows]
    change = regressions.changes(outcomes, last)
    terminal.section(f"cases in {table.name}")
    for title, found in (("newly failing", change.newly_failing), ("recovered", change.recovered)):
        for one in found:
            terminal.write_line(f"{title}: {one.message}")
    passed = sum(one.passed for one in outcomes)
    terminal.write_line(f"{passed} of {len(outcomes)} cases pass; {change.told or 'there is no last run'}.")
    regressions.keep(place, outcomes, model=rows[0]["model"], identity=rows[0]["identity"], beside=last)
