"""The program `linnet`: its verbs, its exit codes, and what the user sees when something goes wrong."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer

from linnet import __version__
from linnet.cli import (
    ab,
    bench,
    bench_methods,
    compare,
    data,
    init_,
    list_,
    look,
    run,
    screen,
    show,
    shrink,
    test,
    try_,
    verify,
)
from linnet.errors import LinnetError, missing_extra

USAGE, CRASH, INTERRUPTED, BROKEN_PIPE = 3, 70, 130, 141
EXTRAS = {"torch": "train", "onnx": "train", "onnxscript": "train", "safetensors": "train", "sklearn": "train",
          "optuna": "train", "altair": "report", "vl_convert": "report", "duckdb": "ab"}
"""The extra that brings a package which a verb may miss."""
_CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]
"""What click raises for wrong usage; typer brings its own click or uses the package, and shows neither's base class."""

METHODS = "bench methods"
"""A verb of two words: `linnet bench` itself takes files."""

app = typer.Typer(name="linnet", add_completion=False, no_args_is_help=True, rich_markup_mode=None,
                  pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"linnet {__version__}")
        raise typer.Exit


@app.callback(epilog="Exit codes of verbs that judge: 0 every claim holds; 1 one fails; 2 undecided; 3 wrong usage or "
                     "a file that cannot be read; 70 a crash.")
def linnet(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True,
                                                 callback=_print_version)] = False) -> None:
    """Small models that see and hear: train, look inside, make smaller, prove, ship.

    A shipped model is one ONNX file that carries its claims; `linnet verify` derives each of them again.
    """


app.command("init")(init_.init)
app.command("run")(run.run)
app.command("show")(show.show)
app.command("look")(look.look)
app.command("try")(try_.try_)
app.command("test")(test.rows)
app.command("verify")(verify.verify)
app.command("bench")(bench.bench)
app.command(METHODS)(bench_methods.bench_methods)
app.command("shrink")(shrink.shrink)
app.command("compare")(compare.compare)
app.command("list")(list_.list_)
app.add_typer(data.app, name="data")
app.add_typer(ab.app, name="ab")


def main() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without a check mark still gets its answer
    raise SystemExit(answer(sys.argv[1:]))


def answer(arguments: Sequence[str]) -> int:
    """Run the command line; every way it can end becomes an exit code."""
    try:
        with screen.notices():
            code = int(app(_joined(arguments), prog_name="linnet", standalone_mode=False) or 0)
            return _stopped(arguments) if code == INTERRUPTED else code
    except _CLICK_ERROR as error:
        cast(Any, error).show()
        return USAGE
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(arguments)
    except (BrokenPipeError, SystemExit):  # typer leaves with 1, which means "a claim fails", where the reader is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        return _explain(error)


def _joined(arguments: Sequence[str]) -> list[str]:
    return [METHODS, *arguments[2:]] if " ".join(arguments[:2]) == METHODS else list(arguments)


def _stopped(arguments: Sequence[str]) -> int:
    # They write at their end only.
    keeps_nothing = list(arguments[:1]) == ["ab"] or list(arguments[:2]) == ["data", "profile"]
    return _complain("stopped." if keeps_nothing else "stopped; what was done is kept.", INTERRUPTED)


def _explain(error: Exception) -> int:
    if isinstance(error, LinnetError):
        return _complain(str(error), USAGE)
    if isinstance(error, OSError):
        return _complain(f"the system refused: {error.strerror or error}: {error.filename or '(no file named)'}", USAGE)
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return _complain(str(missing_extra(error.name, EXTRAS[error.name])), USAGE)
    if os.environ.get("LINNET_TRACEBACK"):
        traceback.print_exception(error)
    return _complain(f"linnet crashed: {type(error).__name__}: {error}\nThis is a fault of Linnet, not of yours. "
                     "LINNET_TRACEBACK=1 before the same command shows where; please report it.", CRASH)


def _complain(message: str, code: int) -> int:
    screen.say(message)
    return code
