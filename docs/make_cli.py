"""Write docs/cli.md from the command line's own help: python docs/make_cli.py [--check]."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("cli.md")
VERBS = ("", "init", "run", "show", "look", "try", "test", "verify", "bench", "bench methods", "shrink", "compare",
         "list", "data", "data ls", "data get", "data show", "data profile", "ab", "ab init", "ab power", "ab selftest",
         "ab analyse")
HEAD = """# The command line

This page is made from `linnet --help` by `docs/make_cli.py`; `make lint` fails where the two differ.
"""


def page() -> str:
    """The whole page."""
    parts = [f"## linnet {verb}".rstrip() + f"\n\n```\n{help_of(verb)}\n```\n" for verb in VERBS]
    return "\n".join([HEAD, *parts])


def help_of(verb: str) -> str:
    """What a verb says of itself at 100 columns."""
    code = "from linnet.cli import main; main()"
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    shown = subprocess.run([sys.executable, "-c", code, *verb.split(), "--help"], capture_output=True, text=True,
                           check=True, env=environment, cwd=PAGE.parent.parent)
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())


def main() -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/cli.md is not what `linnet --help` says; run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
