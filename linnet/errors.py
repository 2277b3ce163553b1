"""Errors that are shown to the user as one message, without a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LinnetError(Exception):
    """Something the user can mend: what happened, what was expected, what to do."""


class DamagedFileError(LinnetError):
    """A file that cannot be read as what it claims to be; commands that judge exit with 3."""


class NotAvailableError(LinnetError):
    """Data that is neither here nor can be fetched; a recipe may name another one to run instead."""


class NotFoundError(LinnetError):
    """Data of which nothing lies where they were said to lie: neither a folder, nor a file, nor a known corpus."""


def unknown(kind: str, given: str, known: Iterable[str]) -> LinnetError:
    """The error for a name that is not among the known ones, with the nearest one.

    >>> print(unknown("column", "speeker", ["digit", "speaker"]))
    unknown column 'speeker'; did you mean 'speaker'? Known: digit, speaker
    """
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return LinnetError(f"unknown {kind} '{given}'{hint} Known: {', '.join(names) or '(none)'}")


def missing_extra(package: str, extra: str) -> LinnetError:
    """The error for an optional package that is not installed.

    >>> print(missing_extra("torch", "train"))
    this needs the package 'torch', which is not installed; install it with: pip install "linnet[train]"
    """
    return LinnetError(f"this needs the package '{package}', which is not installed; "
                       f'install it with: pip install "linnet[{extra}]"')
